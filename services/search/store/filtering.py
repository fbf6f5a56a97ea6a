"""Turns filters into SQL: the one place that says which of a user's files are looked at.

A filter is a condition on ``files f``, its values are those of ``Filters.parameters()``. Only conditions in use get
into a statement, or Postgres would plan all of them each time.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from search.request import Filters
from search.store.statements import Asking, statement

MOST_LISTED = 1000
"""Wanted files up to which their ids go into the next statement; more are asked for again inside it."""

SHOWN = "f.user_id = :user_id AND f.processed_run IS NOT NULL"

# How far a file has come, as its owner sees it.
STATUS = """CASE
    WHEN EXISTS (SELECT FROM passage_sets s WHERE s.upload_id = f.upload_id
        AND s.run >= greatest(f.processed_run, f.analyzed_run)) THEN 'complete'
    WHEN f.failed_run >= greatest(f.processed_run, f.analyzed_run) THEN 'failed' ELSE 'processing' END"""

_LANGUAGE = "lower(substring(f.language FROM '^[A-Za-z]+')) = ANY(CAST(:languages AS text[]))"

_MENTIONS = """f.upload_id {has} (SELECT w.upload_id FROM words w
    WHERE w.user_id = :user_id AND w.words @@ CAST((CAST(:{name} AS text[]))[{place}] AS tsquery))"""

_CONDITIONS: Mapping[str, str] = MappingProxyType(
    {
        "kinds": "f.kind = ANY(CAST(:kinds AS text[]))",
        "created_from": "f.created_at >= :created_from",
        "created_before": "f.created_at < :created_before",
        "min_bytes": "f.size_bytes >= :min_bytes",
        "max_bytes": "f.size_bytes <= :max_bytes",
        "languages": _LANGUAGE,
        "has_text": "COALESCE(f.has_text, false) = :has_text",
        "status": f"({STATUS}) = :status",
    }
)
"""Field of ``Filters`` → its condition, used where the field is not None."""

_SEEK = "SELECT set_config('app.sought', :sought, true)"

SEEKING = "seeking AS MATERIALIZED (SELECT set_config('app.sought', :sought, true))"
"""A CTE that does what :func:`seek` does, for a statement whose scans of ``words`` are all held by ``SOUGHT``."""

SOUGHT = "(SELECT count(*) FROM seeking) = 1"
"""A condition on a scan: checked once, before the scan reads what is sought."""


def wanted_files(filters: Filters) -> str:
    """Every condition, on ``files f``. Where words are required or excluded, :func:`seek` must have been called."""
    return " AND ".join((shown_files(filters), *_choosing(filters)))


def shown_files(filters: Filters) -> str:
    """The conditions that nearly every file meets, on ``files f``: cheaper checked on what was found."""
    conditions = [SHOWN]
    if not filters.include_flagged:
        conditions.append("f.flagged IS NOT TRUE")
    if filters.other_than is not None:
        conditions.append("f.upload_id <> :other_than")
    return " AND ".join(conditions)


def chooses(filters: Filters) -> bool:
    """True when files are held out by more than :func:`shown_files`."""
    return bool(_choosing(filters))


def _choosing(filters: Filters) -> list[str]:
    """Conditions that may leave few files."""
    conditions = [condition for name, condition in _CONDITIONS.items() if getattr(filters, name) is not None]
    for name, queries, has in (("required", filters.required, "IN"), ("excluded", filters.excluded, "NOT IN")):
        conditions += [_MENTIONS.format(has=has, name=name, place=i + 1) for i in range(len(queries))]
    return conditions


def parameters(user_id: str, filters: Filters) -> dict[str, Any]:
    """The values of every condition, used or not."""
    return {"user_id": user_id, **filters.parameters()}


async def seek(asking: Asking, user_id: str, filters: Filters, queries: Sequence[str] = ()) -> None:
    """Lets the transaction read only those rows of ``words`` that match one of ``queries`` or of the filters' own.

    Row security itself does it, see docs/decisions/0010; nothing may be written to ``words`` afterwards.
    """
    await asking.execute(statement(_SEEK), {"sought": sought(user_id, filters, queries)})


def sought(user_id: str, filters: Filters, queries: Sequence[str], one_in: int | None = None) -> str:
    """What row security is to let through: as a tsquery, all that :func:`seek` says; with ``one_in`` only in the
    sample of one in so many files.
    """
    anything = [f"({query})" for query in (*queries, *filters.required, *filters.excluded)]
    owner = f"{one_in or ''}={user_id}".replace("\\", "\\\\").replace("'", "''")
    return f"'{owner}' & ({' | '.join(anything)})"
