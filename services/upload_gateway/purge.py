"""``python -m upload_gateway.purge``: one round of the purge now, for a scheduler (Cloud Run job); says what it did."""

import asyncio
import json
import sys
from contextlib import AsyncExitStack

from contracts.artifacts import Service
from database.engine import Database
from eventing.service import EventService
from upload_gateway.identity import TableAuthenticator
from upload_gateway.periodic import PeriodicJob, run_alone
from upload_gateway.purging import JOB_NAME, Purge, Purged
from upload_gateway.resources import Resources
from upload_gateway.settings import Settings
from upload_gateway.tables import SCHEMA, ledger

ANOTHER_IS_AT_IT = "another instance is purging"


async def purge(settings: Settings) -> str:
    """One round, unless another instance is at one; what it announces is published before it ends."""
    service = EventService(Service.UPLOAD_GATEWAY, settings)
    database = Database(settings.database_url, SCHEMA, pool_size=8)
    async with AsyncExitStack() as stack:
        for resource in (service.store, service.publisher, database):
            await stack.enter_async_context(resource)
        relay = service.use_database(database, ledger)
        authenticator = TableAuthenticator.configured(database, settings, relay.wake)
        resources = Resources.configured(settings, database, service.store, authenticator, relay.wake)
        rounds: list[Purged] = []

        async def once() -> None:
            rounds.append(await Purge(resources).run())

        await run_alone(database, PeriodicJob(JOB_NAME, 0, once))
        while await relay.publish_batch():
            pass
    return json.dumps(vars(rounds[0])) if rounds else ANOTHER_IS_AT_IT


if __name__ == "__main__":
    sys.stdout.write(asyncio.run(purge(Settings())) + "\n")  # pyright: ignore[reportCallIssue] - the environment fills it
