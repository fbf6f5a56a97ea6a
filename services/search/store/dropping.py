"""Removes a model's passages and vectors, some files at a time; texts that only it held stay findable by words."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from search.store import index_versions
from search.tables import UNEMBEDDED, VECTOR_TABLES

_NEXT = """SELECT user_id, upload_id FROM passage_sets WHERE model_id = :model_id
    ORDER BY user_id, upload_id LIMIT :limit"""

_COUNT = "SELECT count(*) FROM passage_sets WHERE model_id = :model_id"

# Locked in one order and before anything else: the handlers of a file's events lock it as well.
_LOCK = "SELECT FROM files WHERE upload_id = ANY(CAST(:upload_ids AS text[])) ORDER BY upload_id FOR UPDATE"

# Passages that another model has of an earlier run are other texts.
_HELD_BY_IT_ALONE = """SELECT s.upload_id FROM passage_sets s
    WHERE s.upload_id = ANY(CAST(:upload_ids AS text[])) AND s.model_id = :model_id
    AND NOT EXISTS (SELECT FROM passages p WHERE p.upload_id = s.upload_id AND p.model_id = :unembedded)
    AND NOT EXISTS (SELECT FROM passage_sets o
        WHERE o.upload_id = s.upload_id AND o.model_id <> s.model_id AND o.run >= s.run)"""

_OF_THESE = "upload_id = ANY(CAST(:upload_ids AS text[])) AND model_id = :model_id"
_TEXTS = ("passages", "words")


@dataclass(frozen=True)
class Owned:
    """A file that a model has vectors of."""

    user_id: str
    upload_id: str


async def following(session: AsyncSession, model_id: str, limit: int) -> list[Owned]:
    """Returns up to ``limit`` files of a model, those of a user together; needs ``store.models.see_all``."""
    rows = await session.execute(text(_NEXT), {"model_id": model_id, "limit": limit})
    return [Owned(row.user_id, row.upload_id) for row in rows]


async def count(session: AsyncSession, model_id: str) -> int:
    """Returns how many files a model has vectors of; needs ``store.models.see_all``."""
    return (await session.execute(text(_COUNT), {"model_id": model_id})).scalar_one()


async def remove(session: AsyncSession, user_id: str, upload_ids: Sequence[str], model_id: str) -> None:
    """Deletes what one model has of a user's files; texts that no other model has remain as unembedded ones."""
    key = {"upload_ids": list(upload_ids), "model_id": model_id, "unembedded": UNEMBEDDED}
    await session.execute(text(_LOCK), key)
    alone = list((await session.scalars(text(_HELD_BY_IT_ALONE), key)).all())
    for table in _TEXTS:
        unembed = f"UPDATE {table} SET model_id = :unembedded WHERE {_OF_THESE}"  # noqa: S608 - constants only
        await session.execute(text(unembed), key | {"upload_ids": alone})
    for table in (*_TEXTS, *VECTOR_TABLES.values(), "passage_sets"):
        await session.execute(text(f"DELETE FROM {table} WHERE {_OF_THESE}"), key)  # noqa: S608 - constants only
    await index_versions.bump(session, user_id)
