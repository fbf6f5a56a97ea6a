"""Which model answers whom, what each model's index holds, and what it lacks of another's.

``user_id`` '' stands for everyone without a choice of their own. Statements about everyone need :func:`see_all`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from search.store.statements import Transaction, statement

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

# What can be found by meaning today, by whichever model, and how much of that after a switch.
_COVERAGE = """WITH findable AS (
    SELECT DISTINCT ON (upload_id) upload_id, run, passage_count, text_bytes FROM passage_sets
    WHERE model_id NOT IN (SELECT model_id FROM dropped_models WHERE dropped)
        AND (CAST(:user_id AS text) = '' OR user_id = :user_id)
    ORDER BY upload_id, run DESC, passage_count DESC)
SELECT m.model_id, count(a.upload_id) AS files, count(b.upload_id) AS covered,
    COALESCE(sum(a.passage_count) FILTER (WHERE b.upload_id IS NULL), 0) AS missing_passages,
    COALESCE(sum(a.text_bytes) FILTER (WHERE b.upload_id IS NULL), 0) AS missing_bytes
FROM unnest(CAST(:models AS text[])) AS m(model_id) LEFT JOIN findable a ON true
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

_DROPS = "SELECT drops FROM dropped_models WHERE model_id = :model_id"

_IS_DROPPED = "SELECT EXISTS (SELECT FROM dropped_models WHERE model_id = :model_id AND dropped)"

_PAST_QUERIES = """SELECT query, mode FROM (SELECT DISTINCT ON (lower(query)) query, mode, search_id
        FROM search_history WHERE user_id = :user_id AND mode <> 'keyword' ORDER BY lower(query), search_id DESC) latest
    ORDER BY search_id DESC LIMIT :most"""

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('search.models'), hashtext(:name))"
_LOCK_SHARED = "SELECT pg_advisory_xact_lock_shared(hashtext('search.models'), hashtext(:name))"


@dataclass(frozen=True)
class Choice:
    """One row of ``model_choices``; ``model_id`` None inherits: user → everyone → configured model."""

    model_id: str | None
    previous_model_id: str | None
    changed_at: datetime


@dataclass(frozen=True)
class Held:
    """How many files and passages the index holds of a model."""

    dimensions: int
    files: int
    passages: int


@dataclass(frozen=True)
class Coverage:
    """How many ``files`` some model finds by meaning today, and how many of them this one does (``covered``)."""

    files: int
    covered: int
    missing_passages: int
    missing_bytes: int

    @property
    def missing(self) -> int:
        """How many files a switch to this model would lose."""
        return self.files - self.covered


async def see_all(session: AsyncSession) -> None:
    """Lets the transaction, until it ends, count every user's files and change every choice."""
    await session.execute(text("SELECT set_config('app.role', 'operator', true)"))


async def lock_choices(session: AsyncSession) -> None:
    """Waits until no other transaction changes choices or drops a model; holds until the end of this one."""
    await session.execute(text(_LOCK), {"name": ""})


async def choices(session: AsyncSession, user_id: str) -> dict[str, Choice]:
    """Returns the user's own choice and everyone's, as far as there are any, by user id."""
    rows = await session.execute(text(_CHOICES), {"user_id": user_id})
    return {row.user_id: Choice(row.model_id, row.previous_model_id, row.changed_at) for row in rows}


async def choose(session: AsyncSession, user_id: str, model_id: str | None, previous: str | None) -> None:
    """Stores a choice; searches that begin after the commit go by it."""
    await session.execute(text(_CHOOSE), {"user_id": user_id, "model_id": model_id, "previous": previous})


async def forget_own_choices(session: AsyncSession) -> None:
    """Deletes all users' own choices, so that the choice for everyone applies to them."""
    await session.execute(text("DELETE FROM model_choices WHERE user_id <> ''"))


async def own_choices(session: AsyncSession) -> dict[str, int]:
    """Returns how many users chose each model for themselves."""
    rows = await session.execute(text(_OWN_CHOICES))
    return {row.model_id: row.users for row in rows if row.model_id is not None}


async def changed_s_ago(session: AsyncSession) -> float | None:
    """Returns the seconds since any choice was changed; None if nobody ever chose."""
    found = await session.scalar(text(_LAST_CHANGE))
    return None if found is None else float(found)


async def held(session: AsyncSession, user_id: str) -> dict[str, Held]:
    """Returns what the index holds, by model."""
    rows = await session.execute(text(_HELD), {"user_id": user_id})
    return {row.model_id: Held(row.dimensions, row.files, int(row.passages)) for row in rows}


async def coverage(session: AsyncSession, user_id: str, model_ids: Sequence[str]) -> dict[str, Coverage]:
    """Returns what each model has of the files that any model finds by meaning today; dropped ones do not count."""
    rows = await session.execute(text(_COVERAGE), {"user_id": user_id, "models": list(model_ids)})
    return {
        row.model_id: Coverage(row.files, row.covered, int(row.missing_passages), int(row.missing_bytes))
        for row in rows
    }


async def lacking(
    transaction: Transaction, user_id: str, upload_ids: Collection[str], answering: str, other: str
) -> frozenset[str]:
    """Returns those of ``upload_ids`` that the model ``answering`` finds by meaning and the ``other`` does not."""
    values = {"user_id": user_id, "upload_ids": list(upload_ids), "answering": answering, "other": other}
    return frozenset(row.upload_id for row in await transaction.execute(statement(_LACKING), values))


async def drop(session: AsyncSession, model_id: str) -> None:
    """Marks a model as dropped, so that nothing of it is written any more; waits for transactions that write it."""
    await session.execute(text(_LOCK), {"name": model_id})
    await session.execute(text(_DROP), {"model_id": model_id})


async def admit(session: AsyncSession, model_id: str) -> int:
    """Lets a dropped model be written again; returns how often it was dropped."""
    await session.execute(text(_ADMIT), {"model_id": model_id})
    return int(await session.scalar(text(_DROPS), {"model_id": model_id}) or 0)


async def dropped(session: AsyncSession) -> frozenset[str]:
    """Returns the models that were dropped and not admitted since."""
    return frozenset((await session.scalars(text("SELECT model_id FROM dropped_models WHERE dropped"))).all())


async def may_write(session: AsyncSession, model_id: str) -> bool:
    """False for a dropped model; True holds until the transaction ends."""
    await session.execute(statement(_LOCK_SHARED), {"name": model_id})
    return not await session.scalar(statement(_IS_DROPPED), {"model_id": model_id})


async def past_queries(session: AsyncSession, user_id: str, most: int) -> list[tuple[str, str]]:
    """Returns (query, mode) of the user's latest different queries that are no keyword searches, newest first."""
    rows = await session.execute(text(_PAST_QUERIES), {"user_id": user_id, "most": most})
    return [(row.query, row.mode) for row in rows]
