"""media-processor: a finished object becomes facts, thumbnail and material. Run: ``python -m media_processor.main``."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI

from contracts.artifacts import Service
from eventing.consumer import Consumer, runtimes
from eventing.publisher import PubSubPublisher
from eventing.push import push_identity
from hosting.app import create_app
from hosting.serve import run_service
from media_processor.handlers import on_object_finalized, on_upload_deleted, on_upload_reprocess
from media_processor.handlers.on_object_finalized import ProcessObject
from media_processor.handlers.on_upload_deleted import PurgeUpload
from media_processor.sandbox import Sandbox
from media_processor.settings import Settings
from objectstore.gcs import connect


def build(settings: Settings) -> FastAPI:
    """Settings → resources → handlers → application."""
    store = connect(settings.google_cloud_project, settings.signing_key_file)
    publisher = PubSubPublisher(settings.google_cloud_project)
    sandbox = Sandbox()
    process = ProcessObject(sandbox, settings.max_file_size)
    handlers = [
        on_object_finalized.stage(process),
        on_upload_reprocess.stage(process),
        on_upload_deleted.stage(PurgeUpload(settings.artifacts_bucket)),
    ]
    consumed = runtimes(handlers, publisher, store, settings.artifacts_bucket)
    push = push_identity(settings.push_audience, settings.push_service_account)
    consumer = Consumer(settings.google_cloud_project, consumed, push)

    @asynccontextmanager
    async def running() -> AsyncGenerator[None, None]:
        async with store, publisher, sandbox, consumer.running():
            yield

    checks = {**consumer.checks, "storage": partial(store.ping, settings.uploads_bucket)}
    return create_app(Service.MEDIA_PROCESSOR, routers=consumer.routers, checks=checks, running=running)


if __name__ == "__main__":
    run_service(Service.MEDIA_PROCESSOR, Settings(), build)  # pyright: ignore[reportCallIssue] - the environment fills it
