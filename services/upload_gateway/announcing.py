"""Puts events of upload-gateway's own routes into the outbox, in the transaction of the rows they speak of."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import Service
from contracts.envelope import EventData, derived_event_id
from eventing.work import created
from upload_gateway.store import users
from upload_gateway.tables import ledger


async def announce(session: AsyncSession, event: EventData, *change: str) -> None:
    """``change`` tells this announcement from every other one about the same subject."""
    source = Service.UPLOAD_GATEWAY
    event_id = derived_event_id(source.value, event.topic(), event.subject(), *change)
    await ledger.announce(session, created(event, event_id, source))


async def announce_user(session: AsyncSession, user_id: str) -> None:
    """Tells everyone the user's whole state under its next version."""
    event = await users.next_version(session, user_id)
    await announce(session, event, str(event.version))
