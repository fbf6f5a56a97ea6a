"""Runs an application on one port until SIGTERM or Ctrl-C, letting requests in flight finish."""

import uvicorn
from fastapi import FastAPI

GRACE_S = 8
"""Less than the 10 s Cloud Run leaves between SIGTERM and SIGKILL."""


def serve(app: FastAPI, host: str, port: int) -> None:
    """Blocks until the process is told to stop."""
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=75,
        server_header=False,
        log_config=None,
    )
