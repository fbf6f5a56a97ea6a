"""Turns filters into SQL: the one place that says which of a user's files are searched.

A filter is a condition on ``files f``, its values are those of ``Filters.parameters()``. Only conditions in use get
into a statement, or Postgres would plan all of them each time.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from search.request import Filters

MOST_LISTED = 1000
"""Filtered files up to which their ids are handed to the next statement; with more it applies the filters again."""

_HIDDEN = "f.processed_run IS NULL OR f.flagged"
"""The condition of the index ``files_hidden`` (migration 0011)."""

VISIBLE = "f.user_id = :user_id AND f.processed_run IS NOT NULL"

# The processing state of a file as its owner sees it: complete once the model that answers them has its vectors.
STATUS = """CASE
    WHEN EXISTS (SELECT FROM passage_sets s WHERE s.upload_id = f.upload_id AND s.model_id = :answering
        AND s.run >= greatest(f.processed_run, f.analyzed_run)) THEN 'complete'
    WHEN f.failed_run >= greatest(f.processed_run, f.analyzed_run) THEN 'failed' ELSE 'processing' END"""

_LANGUAGE = "lower(substring(f.language FROM '^[A-Za-z]+')) = ANY(CAST(:languages AS text[]))"

# One scan per phrase; it sets app.sought itself. `IS TRUE` makes Postgres hash the result once instead of joining,
# which would read every file's words by primary key and compute their index keys again.
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
"""Field of ``Filters`` → its condition, used if the field is not None."""

_SET_SOUGHT = "SELECT set_config('app.sought', :sought, true), set_config('app.sample', :sample, true)"

SET_WORD_SCOPE = f"word_scope AS MATERIALIZED ({_SET_SOUGHT})"
"""A CTE that sets ``app.sought``, which the row-security policy of ``words`` applies (docs/decisions/0030).

Scans guarded by ``AFTER_WORD_SCOPE`` start only after it ran. Write nothing to ``words`` in the same transaction.
"""

PREFILTER = f"""prefiltered AS MATERIALIZED (SELECT f.upload_id FROM files f WHERE {{conditions}}),
word_scope AS MATERIALIZED ({_SET_SOUGHT} FROM (SELECT count(*) FROM prefiltered) before)"""  # noqa: S608 - constants only
"""Like ``SET_WORD_SCOPE``, but only after the filtered files are materialized in the CTE ``prefiltered``.

Phrase filters set ``app.sought`` to something else while they run.
"""

AFTER_WORD_SCOPE = "(SELECT count(*) FROM word_scope) = 1"
"""A condition that guards a scan of ``words``: evaluated once, before the scan reads ``app.sought``."""


def filter_conditions(filters: Filters) -> str:
    """Returns all conditions, on ``files f``. Those of required or excluded phrases set ``app.sought``."""
    return " AND ".join((visibility_conditions(filters), *_selective_conditions(filters)))


def visibility_conditions(filters: Filters) -> str:
    """Returns the conditions that nearly every file meets, on ``files f``: cheaper to check on what was found."""
    conditions = [VISIBLE]
    if not filters.include_flagged:
        conditions.append("f.flagged IS NOT TRUE")
    if filters.other_than is not None:
        conditions.append("f.upload_id <> :other_than")
    return " AND ".join(conditions)


def not_hidden(filters: Filters, upload_id: str) -> str:
    """Returns :func:`visibility_conditions` for the SQL expression ``upload_id`` of many files, without reading each.

    Few files are hidden, those deleted within the last month among them, and an index holds those alone.
    """
    hidden = "f.processed_run IS NULL" if filters.include_flagged else _HIDDEN
    condition = f"""{upload_id} NOT IN (
        SELECT f.upload_id FROM files f WHERE f.user_id = :user_id AND ({hidden}))"""  # noqa: S608 - constants only
    return condition if filters.other_than is None else f"{condition} AND {upload_id} <> :other_than"


def is_selective(filters: Filters) -> bool:
    """True if the filters have conditions beyond :func:`visibility_conditions`."""
    return bool(_selective_conditions(filters))


def _selective_conditions(filters: Filters) -> list[str]:
    """Returns the conditions that may leave few files."""
    conditions = [condition for name, condition in _CONDITIONS.items() if getattr(filters, name) is not None]
    for name, queries, has in (("required", filters.required, "IN"), ("excluded", filters.excluded, "NOT IN")):
        phrases = (_PHRASE.format(name=name, place=i + 1) for i in range(len(queries)))
        conditions += [_MENTIONS.format(has=has, phrase=phrase) for phrase in phrases]
    return conditions


def parameters(user_id: str, filters: Filters) -> dict[str, Any]:
    """Returns the values of every condition, used or not."""
    return {"user_id": user_id, **filters.parameters()}


def word_scope_parameters(queries: Sequence[str], one_in: int | None = None) -> dict[str, str]:
    """Returns the values of ``SET_WORD_SCOPE``: rows that match any of ``queries``, in the sample ``one_in``."""
    return {"sought": " | ".join(f"({query})" for query in queries), "sample": str(one_in or "")}
