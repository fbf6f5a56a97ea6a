"""Publishes what transactions left in the outbox, oldest first, and removes it once the broker has it.

An event that the broker refuses goes behind all others, so that it holds up none; it is tried again with each round.
"""

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog
from pydantic import ValidationError
from sqlalchemy import ARRAY, any_, bindparam, delete, select, text, update

from contracts.artifacts import StoredEvent
from database.engine import Database
from eventing import metrics
from eventing.ledger import Ledger
from eventing.publisher import MessageRefusedError, Publisher, announce
from telemetry.failures import describe

_BATCH = 100
_IDLE_S = 2.0
"""Without a wake-up the outbox is looked at this often: for rows of an instance that died before publishing."""

_INBOX_LIFE = timedelta(days=32)
"""Longer than Pub/Sub can keep a message (31 days), so what is forgotten can never come again."""

_FORGET_EVERY_S = 3600.0
_SHOW_EVERY_S = 10.0

_REFUSED = (MessageRefusedError, ValidationError)

_log = structlog.get_logger()


class Relay:
    """One per instance; instances share the work by ``FOR UPDATE SKIP LOCKED``."""

    def __init__(self, database: Database, ledger: Ledger, publisher: Publisher) -> None:
        self._database = database
        self._ledger = ledger
        self._publisher = publisher
        self._wanted = asyncio.Event()
        outbox = ledger.outbox
        oldest = select(outbox.c.id, outbox.c.event).order_by(outbox.c.id).limit(_BATCH)
        self._oldest = oldest.with_for_update(skip_locked=True)
        these = outbox.c.id == any_(bindparam("ids", type_=ARRAY(outbox.c.id.type)))
        self._remove = delete(outbox).where(these)
        self._put_last = update(outbox).where(these).values(id=text("uuidv7()"))
        self._forgot_at = float("-inf")
        self._shown_at = float("-inf")

    def wake(self) -> None:
        """Tells the relay that a transaction with outbox rows has committed."""
        self._wanted.set()

    async def run(self) -> None:
        """Until cancelled. Outages of broker or database are logged and outlived."""
        while True:
            self._wanted.clear()
            try:
                while await self.publish_batch() == _BATCH:
                    pass
                await self._forget_old_inbox()
                await self._show_backlog()
            except Exception as error:
                _log.warning("outbox waits", reason=describe(error))
                with suppress(Exception):
                    await self._show_backlog()
                await asyncio.sleep(0.5)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(_IDLE_S):
                    await self._wanted.wait()

    async def _forget_old_inbox(self) -> None:
        if time.monotonic() - self._forgot_at < _FORGET_EVERY_S:
            return
        self._forgot_at = time.monotonic()
        async with self._database.transaction() as session:
            await self._ledger.forget_inbox(session, datetime.now(UTC) - _INBOX_LIFE)

    async def _show_backlog(self) -> None:
        if time.monotonic() - self._shown_at < _SHOW_EVERY_S:
            return
        self._shown_at = time.monotonic()
        async with self._database.transaction() as session:
            metrics.show_outbox(*await self._ledger.backlog(session))

    async def publish_batch(self) -> int:
        """Publishes up to a batch and deletes what the broker took; returns how many. A crash in between publishes the
        same ids again. Raises ``BrokerUnavailableError``, after those that were taken are deleted.
        """
        async with self._database.transaction() as session:
            rows = (await session.execute(self._oldest)).all()
            ended = await asyncio.gather(*(self._publish(row.event) for row in rows), return_exceptions=True)
            by_row = list(zip(rows, ended, strict=True))
            taken = [row.id for row, error in by_row if error is None]
            refused = [row.id for row, error in by_row if isinstance(error, _REFUSED)]
            if taken:
                await session.execute(self._remove, {"ids": taken})
            if refused:
                await session.execute(self._put_last, {"ids": refused})
        for row, error in by_row:
            if isinstance(error, _REFUSED):
                _log.error("event refused by the broker", outbox_id=str(row.id), reason=describe(error))
            elif error is not None:
                raise error
        return len(taken)

    async def _publish(self, event: object) -> None:
        await announce(self._publisher, [StoredEvent.model_validate(event)])
