"""analyzer: what media-processor found becomes an analysis. Composed here, run by ``python -m analyzer.main``."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI

from analyzer.backends.local.backend import LocalBackend
from analyzer.backends.local.ocr import OcrProcess
from analyzer.handlers import on_media_processed, on_upload_reprocess
from analyzer.settings import Settings
from contracts.artifacts import Service
from eventing.consumer import Consumer, runtimes
from eventing.publisher import PubSubPublisher
from eventing.push import push_identity
from hosting.app import create_app
from hosting.serve import run_service
from objectstore.gcs import connect


def build(settings: Settings) -> FastAPI:
    """Settings → resources → handlers → application."""
    store = connect(settings.google_cloud_project, settings.signing_key_file)
    publisher = PubSubPublisher(settings.google_cloud_project)
    ocr = OcrProcess(timeout_s=settings.ocr_timeout_s)
    backend = LocalBackend(ocr)
    handlers = [on_media_processed.stage(backend), on_upload_reprocess.stage(backend)]
    consumed = runtimes(handlers, publisher, store, settings.artifacts_bucket)
    push = push_identity(settings.push_audience, settings.push_service_account)
    consumer = Consumer(settings.google_cloud_project, consumed, push)

    @asynccontextmanager
    async def running() -> AsyncGenerator[None, None]:
        async with store, publisher, ocr, consumer.running():
            yield

    checks = {**consumer.checks, "storage": partial(store.ping, settings.artifacts_bucket)}
    return create_app(Service.ANALYZER, routers=consumer.routers, checks=checks, running=running)


if __name__ == "__main__":
    run_service(Service.ANALYZER, Settings(), build)  # pyright: ignore[reportCallIssue] - the environment fills it
