"""A projection's memory: the inbox of events already applied and the outbox of events to announce.

Both live in the service's own schema and commit together with the rows they belong to.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Column as Col
from sqlalchemy import DateTime, Index, MetaData, Table, Text, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import JSONB, UUID, insert
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import StoredEvent


class Ledger:
    """The inbox and outbox tables of one schema."""

    def __init__(self, metadata: MetaData) -> None:
        self.inbox = Table(
            "inbox",
            metadata,
            Col("event_id", Text, primary_key=True),
            Col("handler", Text, primary_key=True),
            Col("handled_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        )
        self.outbox = Table(
            "outbox",
            metadata,
            Col("id", UUID(as_uuid=True), primary_key=True, server_default=text("uuidv7()")),
            Col("event", JSONB, nullable=False),
            Col("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        )
        Index("inbox_by_age", self.inbox.c.handled_at)
        # Built once: building and caching one anew takes longer than asking it.
        noted = insert(self.inbox).values(event_id=bindparam("event_id"), handler=bindparam("handler"))
        self._note = noted.on_conflict_do_nothing()
        self._announce = self.outbox.insert().values(event=bindparam("event")).inline()

    async def first_time(self, session: AsyncSession, event_id: str, handler: str) -> bool:
        """Records that ``handler`` applies the event; False when it already has."""
        result = await session.execute(self._note, {"event_id": event_id, "handler": handler})
        return cast("CursorResult[Any]", result).rowcount == 1

    async def heard(self, session: AsyncSession, event_ids: Sequence[str], handler: str) -> Sequence[str]:
        """Those of the events that ``handler`` has applied."""
        inbox = self.inbox.c
        statement = select(inbox.event_id).where(inbox.event_id.in_(event_ids), inbox.handler == handler)
        return list(await session.scalars(statement))

    async def forget(self, session: AsyncSession, event_id: str, handler: str) -> None:
        """Lets ``handler`` apply the event once more: the rows it made are lost."""
        inbox = self.inbox.c
        await session.execute(self.inbox.delete().where(inbox.event_id == event_id, inbox.handler == handler))

    async def announce(self, session: AsyncSession, event: StoredEvent) -> None:
        """Puts an event into the outbox; the relay publishes it after the commit."""
        await session.execute(self._announce, {"event": event.model_dump(mode="json")})

    async def backlog(self, session: AsyncSession) -> tuple[int, float]:
        """How many events wait in the outbox, and for how many seconds the oldest has."""
        waiting = func.now() - func.min(self.outbox.c.created_at)
        row = (
            await session.execute(select(func.count(), func.extract("epoch", waiting)).select_from(self.outbox))
        ).one()
        return int(row[0]), float(row[1] or 0)

    async def forget_inbox(self, session: AsyncSession, older_than: datetime) -> int:
        """Removes inbox rows older than any redelivery can be; returns how many."""
        statement = self.inbox.delete().where(self.inbox.c.handled_at < older_than)
        return cast("CursorResult[Any]", await session.execute(statement)).rowcount
