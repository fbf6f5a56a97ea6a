"""embedder: an analysed file becomes passages and vectors. Composed here, run by ``python -m embedder.main``."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI

from contracts.artifacts import Service
from embedder.handlers import on_media_analyzed, on_upload_reprocess
from embedder.settings import Settings
from embeddings.settings import chosen_encoder
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
    encoder, encoder_in_use = chosen_encoder(settings)
    handlers = [on_media_analyzed.stage(encoder), on_upload_reprocess.stage(encoder)]
    consumed = runtimes(handlers, publisher, store, settings.artifacts_bucket)
    push = push_identity(settings.push_audience, settings.push_service_account)
    consumer = Consumer(settings.google_cloud_project, consumed, push)

    @asynccontextmanager
    async def running() -> AsyncGenerator[None, None]:
        async with store, publisher, encoder_in_use, consumer.running():
            yield

    checks = {**consumer.checks, "storage": partial(store.ping, settings.artifacts_bucket)}
    return create_app(Service.EMBEDDER, routers=consumer.routers, checks=checks, running=running)


if __name__ == "__main__":
    run_service(Service.EMBEDDER, Settings(), build)  # pyright: ignore[reportCallIssue] - the environment fills it
