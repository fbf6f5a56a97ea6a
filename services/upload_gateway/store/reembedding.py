"""Queries of whoever has files embedded by another model: uploads of all users whose analysis is known."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from upload_gateway.tables import uploads
from upload_gateway.uploads import UploadState
from upload_gateway.view import Status


def _analyzed(after: str) -> tuple[ColumnElement[bool], ...]:
    living = (uploads.c.status != Status.DELETED.value, uploads.c.ownerless.is_(False))
    return (*living, uploads.c.state.has_key("analyzed"), uploads.c.upload_id > after)


async def count(session: AsyncSession, after: str) -> int:
    """How many there are with ids after ``after``."""
    return await session.scalar(select(func.count()).select_from(uploads).where(*_analyzed(after))) or 0


async def page(session: AsyncSession, after: str, limit: int) -> Sequence[UploadState]:
    """The next of them in the order of their ids."""
    statement = select(uploads.c.state).where(*_analyzed(after)).order_by(uploads.c.upload_id).limit(limit)
    return [UploadState.model_validate(state) for (state,) in await session.execute(statement)]
