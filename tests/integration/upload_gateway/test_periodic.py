"""The gateway's own jobs, all at once, on as few connections as the settings accept."""

import asyncio
from dataclasses import replace
from functools import partial

from database.engine import Database
from hosting.settings import DatabaseSettings
from tests.integration.upload_gateway.conftest import Gateway
from upload_gateway.jobs import jobs
from upload_gateway.periodic import PeriodicJob, run_alone


async def test_the_smallest_pool_is_enough_for_all_of_them_at_once(gateway: Gateway) -> None:
    smallest = next(limit.ge for limit in DatabaseSettings.model_fields["database_pool_size"].metadata)
    url = gateway.database.engine.url.render_as_string(hide_password=False)
    async with Database(url, "upload_gateway", pool_size=smallest) as database:
        every_one = jobs(replace(gateway.resources, database=database))
        all_begun = asyncio.Barrier(len(every_one))

        async def together(job: PeriodicJob) -> None:
            await all_begun.wait()
            await job.run()

        begun = [replace(job, run=partial(together, job)) for job in every_one]
        async with asyncio.timeout(60):
            assert all(await asyncio.gather(*(run_alone(database, job) for job in begun)))
