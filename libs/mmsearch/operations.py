"""Python calls of the person on call into requests of the admin routes; what comes in batches is a generator."""

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

from mmsearch.client import Client, understood
from mmsearch.errors import ApiError
from mmsearch.operator_models import (
    Batch,
    DeadLetters,
    Discarded,
    FailureGroup,
    PacedBatch,
    ReconcileStretch,
    Redriven,
    Reprocessed,
    UserState,
    WholeLetter,
)

_FORBIDDEN = 403
BatchT = TypeVar("BatchT", bound=Batch)


class OperatorClient(Client):
    """A :class:`~mmsearch.client.Client` for repairs. Where not said otherwise 403 ``forbidden`` without the role."""

    def dead_letters(self, limit: int, **filters: Any) -> DeadLetters:
        """Oldest first; filters: subscription, code, older_than_s, status."""
        envelope = self._envelope("GET", "/admin/dead-letters", params=_given({"limit": limit, **filters}))
        meta = envelope.meta
        found = {"letters": envelope.data, "total": meta.get("total", 0), "causes": meta.get("causes", [])}
        return understood(DeadLetters, found)

    def dead_letter(self, letter_id: str) -> WholeLetter:
        """One letter with attributes and data."""
        return self._call(WholeLetter, "GET", f"/admin/dead-letters/{quote(letter_id, safe='')}")

    def redrive(self, per_second: float | None = None, **wish: Any) -> Iterator[Redriven]:
        """Batch after batch to the end of the letters that fit; what cannot be sent is passed by."""
        for done in self._batches(Redriven, "/admin/dead-letters/redrive", wish):
            yield done
            _pause(done, len(done.redriven), per_second)

    def discard(self, **wish: Any) -> Iterator[Discarded]:
        """Batch after batch to the end of the letters that fit."""
        return self._batches(Discarded, "/admin/dead-letters/discard", wish)

    def failures(
        self, *, mine: bool, kind: str | None = None, since: datetime | None = None
    ) -> tuple[FailureGroup, ...]:
        """Failed uploads by cause: everyone's for operators; for others, or with ``mine``, the caller's own."""
        params = _given({"kind": kind, "since": since and since.isoformat()})
        if not mine:
            try:
                return self._call(tuple[FailureGroup, ...], "GET", "/admin/failures", params=params)
            except ApiError as refused:
                if refused.status != _FORBIDDEN:
                    raise
        return self._call(tuple[FailureGroup, ...], "GET", "/failures", params=params)

    def reprocess(self, *, mine: bool, per_second: float | None = None, **wish: Any) -> Iterator[Reprocessed]:
        """Runs a selection again, batch after batch; with ``mine`` for all callers."""
        for batch in self._batches(Reprocessed, "/reprocess" if mine else "/admin/reprocess", wish):
            yield batch
            _pause(batch, len(batch.started), per_second)

    def reconcile(self, *, fix: bool) -> Iterator[ReconcileStretch]:
        """Bucket against table, a thousand names at a time."""
        cursor: dict[str, Any] | None = {}
        while cursor is not None:
            stretch = self._call(ReconcileStretch, "POST", "/admin/reconcile", json={"fix": fix, "cursor": cursor})
            yield stretch
            cursor = stretch.next and stretch.next.model_dump()

    def set_suspended(self, user_id: str, *, suspended: bool) -> UserState:
        """Suspends or resumes a user."""
        verb = "suspend" if suspended else "resume"
        return self._call(UserState, "POST", f"/admin/users/{quote(user_id, safe='')}/{verb}")

    def _batches(self, kind: type[BatchT], path: str, wish: Mapping[str, Any]) -> Iterator[BatchT]:
        after: str | None = ""
        while after is not None:
            batch = self._call(kind, "POST", path, json=_given({**wish, "after": after}))
            yield batch
            after = batch.next


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _pause(batch: PacedBatch, done: int, per_second: float | None) -> None:
    if batch.next is not None:
        time.sleep(max(batch.wait_s, done / per_second if per_second else 0.0))
