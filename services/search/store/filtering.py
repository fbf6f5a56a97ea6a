"""Turns filters into SQL: the one place that says which of a user's files are looked at.

A filter is a condition on ``files f``, its values are those of ``Filters.parameters()``. Only conditions in use get
into a statement, or Postgres would plan all of them each time.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from search.request import Filters

MOST_LISTED = 1000
"""Wanted files up to which their ids go into the next statement; more are asked for again inside it."""

SHOWN = "f.user_id = :user_id AND f.processed_run IS NOT NULL"

# How far a file has come, as its owner sees it.
STATUS = """CASE
    WHEN EXISTS (SELECT FROM passage_sets s WHERE s.upload_id = f.upload_id
        AND s.run >= greatest(f.processed_run, f.analyzed_run)) THEN 'complete'
    WHEN f.failed_run >= greatest(f.processed_run, f.analyzed_run) THEN 'failed' ELSE 'processing' END"""

_LANGUAGE = "lower(substring(f.language FROM '^[A-Za-z]+')) = ANY(CAST(:languages AS text[]))"

# A scan of its own for each phrase, told what it seeks as it begins. IS TRUE: it is done once and looked up for each
# file; as a join Postgres would read each file's words by their names, and work out what the index holds of them.
_MENTIONS = """(f.upload_id {has} (SELECT DISTINCT w.upload_id FROM words w WHERE w.user_id = :user_id
    AND (SELECT set_config('app.sample', '', true) || set_config('app.sought', {phrase}, true)) <> ''
    AND w.words @@ CAST({phrase} AS tsquery))) IS TRUE"""
_PHRASE = "(CAST(:{name} AS text[]))[{place}]"

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

_SEEK = "SELECT set_config('app.sought', :sought, true), set_config('app.sample', :sample, true)"

SEEKING = f"seeking AS MATERIALIZED ({_SEEK})"
"""A CTE that says what those scans of ``words`` may see that are held by ``SOUGHT``: row security itself lets no other
rows through (docs/decisions/0010). Nothing may be written to ``words`` afterwards.
"""

HELD = f"""held AS MATERIALIZED (SELECT f.upload_id FROM files f WHERE {{wanted}}),
seeking AS MATERIALIZED ({_SEEK} FROM (SELECT count(*) FROM held) before)"""  # noqa: S608 - constants only
"""The same, once the files that filters leave are known: phrases among the filters seek something else meanwhile."""

SOUGHT = "(SELECT count(*) FROM seeking) = 1"
"""A condition on a scan: checked once, before the scan reads what is sought."""


def wanted_files(filters: Filters) -> str:
    """Every condition, on ``files f``. Phrases that are required or excluded change what is sought."""
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
        phrases = (_PHRASE.format(name=name, place=i + 1) for i in range(len(queries)))
        conditions += [_MENTIONS.format(has=has, phrase=phrase) for phrase in phrases]
    return conditions


def parameters(user_id: str, filters: Filters) -> dict[str, Any]:
    """The values of every condition, used or not."""
    return {"user_id": user_id, **filters.parameters()}


def sought(queries: Sequence[str], one_in: int | None = None) -> dict[str, str]:
    """The values of ``SEEKING``: rows that match one of the queries, with ``one_in`` in one of so many files only."""
    return {"sought": " | ".join(f"({query})" for query in queries), "sample": str(one_in or "")}
