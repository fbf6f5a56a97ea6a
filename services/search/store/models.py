"""Which model answers whom, what each model's index holds, and what a further one lacks.

``user_id`` '' is everyone who has no choice of their own. What is asked about everyone needs :func:`see_all`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from search.store.statements import Asking, statement

EVERYONE = ""

_CHOICES = """SELECT user_id, model_id, previous_model_id, changed_at FROM model_choices
    WHERE user_id IN (:user_id, '')"""

_CHOOSE = """INSERT INTO model_choices (user_id, model_id, previous_model_id) VALUES (:user_id, :model_id, :previous)
    ON CONFLICT (user_id) DO UPDATE SET model_id = excluded.model_id,
        previous_model_id = excluded.previous_model_id, changed_at = now()"""

_OWN_CHOICES = "SELECT model_id, count(*) AS users FROM model_choices WHERE user_id <> '' GROUP BY model_id"

_LAST_CHANGE = "SELECT EXTRACT(EPOCH FROM now() - max(changed_at)) FROM model_choices"

_HELD = """SELECT model_id, max(dimensions) AS dimensions, count(*) AS files, sum(passage_count) AS passages
    FROM passage_sets WHERE CAST(:user_id AS text) = '' OR user_id = :user_id GROUP BY model_id"""

# What can be found by meaning today, beside what could be after a switch.
_COVERAGE = """WITH answering AS (
    SELECT a.upload_id, a.run, a.passage_count, a.text_bytes
    FROM passage_sets a LEFT JOIN model_choices c ON c.user_id = a.user_id AND c.model_id IS NOT NULL
    WHERE a.model_id = COALESCE(c.model_id, :everyones) AND (CAST(:user_id AS text) = '' OR a.user_id = :user_id))
SELECT m.model_id, count(a.upload_id) AS files, count(b.upload_id) AS covered,
    COALESCE(sum(a.passage_count) FILTER (WHERE b.upload_id IS NULL), 0) AS missing_passages,
    COALESCE(sum(a.text_bytes) FILTER (WHERE b.upload_id IS NULL), 0) AS missing_bytes
FROM unnest(CAST(:models AS text[])) AS m(model_id) LEFT JOIN answering a ON true
LEFT JOIN passage_sets b ON b.upload_id = a.upload_id AND b.model_id = m.model_id AND b.run >= a.run
GROUP BY m.model_id"""

_LACKING = """SELECT a.upload_id FROM passage_sets a
    WHERE a.user_id = :user_id AND a.model_id = :answering AND a.upload_id = ANY(CAST(:upload_ids AS text[]))
        AND NOT EXISTS (SELECT FROM passage_sets b
            WHERE b.upload_id = a.upload_id AND b.model_id = :other AND b.run >= a.run)"""

_DROP = """INSERT INTO dropped_models (model_id, drops, dropped) VALUES (:model_id, 1, true)
    ON CONFLICT (model_id) DO UPDATE SET drops = dropped_models.drops + 1, dropped = true
    WHERE NOT dropped_models.dropped"""

_ADMIT = "UPDATE dropped_models SET dropped = false WHERE model_id = :model_id"

_IS_DROPPED = "SELECT EXISTS (SELECT FROM dropped_models WHERE model_id = :model_id AND dropped)"

_PAST_QUERIES = """SELECT query, mode FROM (SELECT DISTINCT ON (lower(query)) query, mode, search_id
        FROM search_history WHERE user_id = :user_id AND mode <> 'keyword' ORDER BY lower(query), search_id DESC) latest
    ORDER BY search_id DESC LIMIT :most"""

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('search.models'), hashtext(:name))"
_LOCK_SHARED = "SELECT pg_advisory_xact_lock_shared(hashtext('search.models'), hashtext(:name))"


@dataclass(frozen=True)
class Choice:
    """A row; ``model_id`` None: as the level above says."""

    model_id: str | None
    previous_model_id: str | None
    changed_at: datetime


@dataclass(frozen=True)
class Held:
    """What the index holds of a model."""

    dimensions: int
    files: int
    passages: int


@dataclass(frozen=True)
class Coverage:
    """``files`` can be found by meaning today, ``covered`` of them by this model as well."""

    files: int
    covered: int
    missing_passages: int
    missing_bytes: int

    @property
    def missing(self) -> int:
        """Files a switch would lose."""
        return self.files - self.covered


async def see_all(session: AsyncSession) -> None:
    """From here to its end the transaction may count every user's files and change every choice."""
    await session.execute(text("SELECT set_config('app.role', 'operator', true)"))


async def lock_choices(session: AsyncSession) -> None:
    """Who changes choices, or drops, goes one after the other."""
    await session.execute(text(_LOCK), {"name": ""})


async def choices(session: AsyncSession, user_id: str) -> dict[str, Choice]:
    """The user's own and everyone's, where there are any, by user id."""
    rows = await session.execute(text(_CHOICES), {"user_id": user_id})
    return {row.user_id: Choice(row.model_id, row.previous_model_id, row.changed_at) for row in rows}


async def choose(session: AsyncSession, user_id: str, model_id: str | None, previous: str | None) -> None:
    """Searches that begin after the commit go by it."""
    await session.execute(text(_CHOOSE), {"user_id": user_id, "model_id": model_id, "previous": previous})


async def forget_own_choices(session: AsyncSession) -> None:
    """Everyone goes by everyone's choice again."""
    await session.execute(text("DELETE FROM model_choices WHERE user_id <> ''"))


async def own_choices(session: AsyncSession) -> dict[str, int]:
    """How many users chose each model for themselves."""
    rows = await session.execute(text(_OWN_CHOICES))
    return {row.model_id: row.users for row in rows if row.model_id is not None}


async def changed_s_ago(session: AsyncSession) -> float | None:
    """Seconds since anybody's choice was changed; None when nobody ever chose."""
    found = await session.scalar(text(_LAST_CHANGE))
    return None if found is None else float(found)


async def held(session: AsyncSession, user_id: str) -> dict[str, Held]:
    """What the index holds, by model."""
    rows = await session.execute(text(_HELD), {"user_id": user_id})
    return {row.model_id: Held(row.dimensions, row.files, int(row.passages)) for row in rows}


async def coverage(
    session: AsyncSession, user_id: str, model_ids: Sequence[str], everyones: str
) -> dict[str, Coverage]:
    """Of each model, what it has of the files that can be found today; ``everyones`` answers who chose nothing."""
    values = {"user_id": user_id, "models": list(model_ids), "everyones": everyones}
    rows = await session.execute(text(_COVERAGE), values)
    return {
        row.model_id: Coverage(row.files, row.covered, int(row.missing_passages), int(row.missing_bytes))
        for row in rows
    }


async def lacking(
    asking: Asking, user_id: str, upload_ids: Collection[str], answering: str, other: str
) -> frozenset[str]:
    """Those of the files that the model ``answering`` finds by meaning and the ``other`` does not."""
    values = {"user_id": user_id, "upload_ids": list(upload_ids), "answering": answering, "other": other}
    return frozenset(row.upload_id for row in await asking.execute(statement(_LACKING), values))


async def drop(session: AsyncSession, model_id: str) -> None:
    """From the commit on nothing of the model is written; waits for whoever is writing it."""
    await session.execute(text(_LOCK), {"name": model_id})
    await session.execute(text(_DROP), {"model_id": model_id})


async def admit(session: AsyncSession, model_id: str) -> int:
    """The model is written again if it was dropped; answers how often it was."""
    await session.execute(text(_ADMIT), {"model_id": model_id})
    statement = text("SELECT drops FROM dropped_models WHERE model_id = :model_id")
    return int(await session.scalar(statement, {"model_id": model_id}) or 0)


async def dropped(session: AsyncSession) -> frozenset[str]:
    """The models that were dropped and not admitted since."""
    return frozenset((await session.scalars(text("SELECT model_id FROM dropped_models WHERE dropped"))).all())


async def may_write(session: AsyncSession, model_id: str) -> bool:
    """False for a dropped model; True holds until the transaction ends."""
    await session.execute(statement(_LOCK_SHARED), {"name": model_id})
    return not await session.scalar(statement(_IS_DROPPED), {"model_id": model_id})


async def past_queries(session: AsyncSession, user_id: str, most: int) -> list[tuple[str, str]]:
    """The user's latest different queries that went by meaning, each with its mode, newest first."""
    rows = await session.execute(text(_PAST_QUERIES), {"user_id": user_id, "most": most})
    return [(row.query, row.mode) for row in rows]
