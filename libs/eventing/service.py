"""Assembles a service from its handlers and routes: object store, publisher, push or pull door, and optionally
database, outbox and relay. A service's ``main.py`` gets the application from here.
"""

import gc
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI

from contracts.artifacts import Service
from eventing import metrics
from eventing.consumer import Consumer, ProjectionResources, runtimes
from eventing.handlers import Handler
from eventing.publisher import PubSubPublisher
from eventing.push import push_identity
from hosting.app import create_app
from hosting.health import Check, Release
from hosting.settings import ServiceSettings
from objectstore.gcs import connect

if TYPE_CHECKING:
    from database.engine import Database
    from eventing.ledger import Ledger
    from eventing.relay import Relay


class EventService:
    """One of the five services under construction. Nothing is connected before the application starts.

    ``signing_key``: a service account's key file, for the service that signs URLs where the platform cannot.
    """

    def __init__(self, service: Service, settings: ServiceSettings, *, signing_key: Path | None = None) -> None:
        self._service = service
        self._settings = settings
        self.store = connect(settings.google_cloud_project, signing_key)
        self.publisher = PubSubPublisher(settings.google_cloud_project)
        self._projection_resources: ProjectionResources | None = None

    def use_database(self, database: "Database", ledger: "Ledger") -> "Relay":
        """Gives the service a database for its projections; returns the relay of its outbox."""
        from eventing.relay import Relay  # noqa: PLC0415 - stages run without a database driver

        self._projection_resources = ProjectionResources(database, ledger, Relay(database, ledger, self.publisher))
        return self._projection_resources.relay

    def application(
        self,
        handlers: Sequence[Handler],
        *,
        routers: Sequence[APIRouter] = (),
        resources: Sequence[AbstractAsyncContextManager[Any]] = (),
        docs_path: str = "docs",
        notices: Sequence[str] = (),
    ) -> FastAPI:
        """The application: handlers behind the door, routes beside it; ``resources`` are open while it runs.

        ``notices`` are what its readiness says it does without.
        """
        settings = self._settings
        metrics.expect(self._service.value)
        consumed = runtimes(handlers, self.publisher, self.store, settings.artifacts_bucket, self._projection_resources)
        push = push_identity(settings)
        relay = self._projection_resources.relay if self._projection_resources else None
        consumer = Consumer(settings.google_cloud_project, consumed, push, relay)
        checks: dict[str, Check] = {**consumer.checks, "storage": partial(self.store.ping, settings.artifacts_bucket)}
        if self._projection_resources:
            checks["database"] = self._projection_resources.database.ping
        return create_app(
            self._service,
            routers=[*routers, *consumer.routers],
            checks=checks,
            running=partial(self._running, resources, consumer),
            docs_path=docs_path,
            release=Release(settings.mmsearch_version, settings.mmsearch_revision),
            shared_metrics=settings.prometheus_multiproc_dir,
            notices=notices,
        )

    @asynccontextmanager
    async def _running(
        self, resources: Sequence[AbstractAsyncContextManager[Any]], consumer: Consumer
    ) -> AsyncGenerator[None, None]:
        async with AsyncExitStack() as stack:
            for resource in (self.store, self.publisher, *self._databases(), *resources, consumer.running()):
                await stack.enter_async_context(resource)
            # What has started stays: the collector need not look through it again and again.
            gc.collect()
            gc.freeze()
            yield

    def _databases(self) -> tuple["Database", ...]:
        return (self._projection_resources.database,) if self._projection_resources else ()
