"""What uploads come to, and what waits for an operator, as Prometheus metrics; counted when rows are committed."""

from collections.abc import Callable

from prometheus_client import Counter, Gauge
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import Kind
from contracts.topology import SUBSCRIPTIONS
from database.engine import Database
from upload_gateway.periodic import PeriodicJob
from upload_gateway.store import dead_letters
from upload_gateway.uploads import STAGES, UploadState, finished_rank, standing_failure

UNKNOWN = "unknown"
_ACCEPTED, _COMPLETED, _FAILED = "accepted", "completed", "failed"
_WATCH_EVERY_S = 10.0

_UPLOADS = Counter("uploads", "Uploads that came to a status", ["file_type", "status"])
_DEAD = Counter("dead_letters", "Messages given up on", ["subscription"])
_WAITING = Gauge(
    "dead_letters_waiting", "Dead letters nobody has dealt with", ["subscription"], multiprocess_mode="mostrecent"
)


def count_steps(session: AsyncSession, before: UploadState, after: UploadState) -> None:
    """Counts what an upload has come to by one event: ``accepted`` (its bytes are in), ``completed``, ``failed``."""
    kind = after.processed.data.kind if after.processed else after.requested.kind if after.requested else None
    steps: list[str] = []
    if after.finalized and (before.finalized is None or before.generation < after.generation):
        steps.append(_ACCEPTED)
    ended = _end(after)
    if ended and ended != _end(before):
        steps.append(ended)
    for step in steps:
        _when_committed(session, _UPLOADS.labels(kind.value if kind else UNKNOWN, step).inc)


def count_dead_letter(session: AsyncSession, subscription: str) -> None:
    """Counts a message that was given up on."""
    _when_committed(session, _DEAD.labels(subscription).inc)


def watching(database: Database) -> PeriodicJob:
    """Shows how many dead letters wait; counters show their first step only when they were seen at 0 before."""
    for kind in (*Kind, UNKNOWN):
        for status in (_ACCEPTED, _COMPLETED, _FAILED):
            _UPLOADS.labels(kind, status)
    names = [*(subscription.name for subscription in SUBSCRIPTIONS), UNKNOWN]
    for name in names:
        _DEAD.labels(name)

    async def show() -> None:
        async with database.transaction() as session:
            causes = await dead_letters.causes(session, dead_letters.LetterFilter())
        waiting = dict.fromkeys(names, 0)
        for cause in causes:
            waiting[cause.subscription if cause.subscription in waiting else UNKNOWN] += cause.letters
        for name, letters in waiting.items():
            _WAITING.labels(name).set(letters)

    return PeriodicJob("watch", _WATCH_EVERY_S, show)


def _end(state: UploadState) -> str | None:
    if state.ownerless or standing_failure(state) is not None:
        return _FAILED
    return _COMPLETED if finished_rank(state) == len(STAGES) else None


def _when_committed(session: AsyncSession, count: Callable[[], None]) -> None:
    def committed(_session: object) -> None:
        count()

    event.listen(session.sync_session, "after_commit", committed, once=True)
