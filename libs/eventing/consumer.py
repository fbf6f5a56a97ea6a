"""Composes a service's consumption: its handlers become runtimes, the runtimes get a door.

``main.py`` builds one :class:`Consumer`, adds its routes and checks to the application and enters ``running``.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import APIRouter

from contracts.topology import Subscription, subscription
from eventing.handlers import Handler, Stage
from eventing.manifest import StageMemory
from eventing.publisher import Publisher
from eventing.pull import PullDoor
from eventing.push import PushIdentity, PushVerifier, push_router
from eventing.runtime import Runtime
from eventing.work import ProjectionWork, StageWork, Work
from hosting.health import Check
from objectstore.store import ObjectStore

if TYPE_CHECKING:
    from database.engine import Database
    from eventing.ledger import Ledger
    from eventing.relay import Relay


class ProjectionResources:
    """What projections need besides the object store: their database, ledger and relay."""

    def __init__(self, database: "Database", ledger: "Ledger", relay: "Relay") -> None:
        self.database = database
        self.ledger = ledger
        self.relay = relay


def runtimes(
    handlers: Sequence[Handler],
    publisher: Publisher,
    store: ObjectStore,
    artifacts_bucket: str,
    resources: ProjectionResources | None = None,
) -> list[Runtime]:
    """One runtime per handler, on the subscription the topology gives it. Projections need ``resources``."""
    memory = StageMemory(store, artifacts_bucket)
    return [
        Runtime(_subscription(handler), _work(handler, memory, store, resources), publisher) for handler in handlers
    ]


class Consumer:
    """Runtimes behind a door: ``push`` when an identity for push requests is given, else ``pull``."""

    def __init__(
        self,
        project: str,
        consumed: Sequence[Runtime],
        push: PushIdentity | None = None,
        relay: "Relay | None" = None,
    ) -> None:
        self._relay = relay
        self._pull = PullDoor(project, consumed) if push is None else None
        self.routers: list[APIRouter] = [push_router(consumed, PushVerifier(push))] if push is not None else []

    @property
    def checks(self) -> Mapping[str, Check]:
        """Readiness checks of the door."""
        return {"pubsub": self._pull.check} if self._pull else {}

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None, None]:
        """Receives events, and publishes the outbox if there is one, until left."""
        publishing = asyncio.create_task(self._relay.run()) if self._relay else None
        try:
            if self._pull is None:
                yield
            else:
                async with self._pull.running():
                    yield
        finally:
            if publishing is not None:
                publishing.cancel()
                await asyncio.gather(publishing, return_exceptions=True)


def _subscription(handler: Handler) -> Subscription:
    return subscription(handler.service, handler.event)


def _work(handler: Handler, memory: StageMemory, store: ObjectStore, resources: ProjectionResources | None) -> Work:
    if isinstance(handler, Stage):
        return StageWork(handler, memory, store)
    if resources is None:
        raise ValueError(f"{handler.service.value} projects {handler.event.topic()} but was given no database")
    return ProjectionWork(handler, resources.database, resources.ledger, resources.relay, store, memory.bucket)
