"""The yardstick: a FastAPI endpoint that answers with one row found by its key, served as the services are served."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import uvicorn
from fastapi import FastAPI

_QUERY = "SELECT upload_id, filename, status, stage, progress FROM upload_gateway.uploads WHERE upload_id = $1"


def build(database_url: str) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(database_url, min_size=8, max_size=8) as pool:
            app.state.pool = pool
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/row/{upload_id}")
    async def row(upload_id: str) -> dict[str, str | int]:
        return dict(await app.state.pool.fetchrow(_QUERY, upload_id))

    return app


if __name__ == "__main__":
    uvicorn.run(
        build(sys.argv[2]),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_level="warning",
        access_log=False,
        timeout_keep_alive=75,
        server_header=False,
        log_config=None,
    )
