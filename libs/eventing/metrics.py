"""Prometheus metrics of every subscription, stage and outbox: counts, ages, durations, failures by code, backlog."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime

from prometheus_client import Counter, Gauge, Histogram

from contracts.topology import SUBSCRIPTIONS
from eventing.delivery import Delivery

_UNKNOWN = "unknown"
_SECONDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300)
_AGES = (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800)

_DELIVERIES = Counter("event_deliveries", "Deliveries settled", ["subscription", "outcome"])
_REDELIVERIES = Counter("event_redeliveries", "Deliveries after the first", ["subscription"])
_DURATION = Histogram(
    "event_processing_seconds", "Time from delivery to settlement", ["subscription"], buckets=_SECONDS
)
_WAIT = Histogram("event_wait_seconds", "Time from publication to delivery", ["subscription"], buckets=_AGES)
_AGE = Histogram("event_age_seconds", "Time from publication to settlement", ["subscription"], buckets=_AGES)
_ERRORS = Counter("processing_errors", "What went wrong, by code", ["subscription", "code", "outcome"])
_ACTIVE = Gauge(
    "active_processing_jobs", "Deliveries being worked on", ["service"], multiprocess_mode="livesum"
)  # fmt: skip
_STAGE = Histogram(
    "processing_duration_seconds",
    "Time a stage worked on a file, without waiting for it",
    ["file_type", "stage"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 150, 300),
)
_OUTBOX_EVENTS = Gauge("outbox_events", "Events that wait to be published", multiprocess_mode="mostrecent")
_OUTBOX_AGE = Gauge(
    "outbox_oldest_age_seconds", "Age of the oldest event that waits to be published", multiprocess_mode="mostrecent"
)


def expect(service: str) -> None:
    """Shows the counters of a service's subscriptions as 0 from the start, so that their first step is an increase."""
    _ACTIVE.labels(service)
    for subscription in SUBSCRIPTIONS:
        if subscription.service.value == service:
            _REDELIVERIES.labels(subscription.name)
            for outcome in ("ack", "retry", "dead_letter"):
                _DELIVERIES.labels(subscription.name, outcome)


@contextmanager
def active(service: str) -> Generator[None, None, None]:
    """Counts a delivery as being worked on while inside."""
    with _ACTIVE.labels(service).track_inprogress():
        yield


def waited_s(delivery: Delivery) -> float:
    """Seconds since the message was published; never negative."""
    return max((datetime.now(UTC) - delivery.publish_time).total_seconds(), 0.0)


def observe_delivery(subscription: str, outcome: str, seconds: float, delivery: Delivery) -> None:
    """Counts one settled delivery, which was worked on for ``seconds``."""
    age = waited_s(delivery)
    _DELIVERIES.labels(subscription, outcome).inc()
    _DURATION.labels(subscription).observe(seconds)
    _WAIT.labels(subscription).observe(max(age - seconds, 0.0))
    _AGE.labels(subscription).observe(age)
    if (delivery.attempt or 1) > 1:
        _REDELIVERIES.labels(subscription).inc()


def count_error(subscription: str, code: str, outcome: str) -> None:
    """``outcome`` says what became of it: ``rejected``, ``retry``, ``dead_letter``, or ``waiting`` for a dependency."""
    _ERRORS.labels(subscription, code, outcome).inc()


def observe_stage(stage: str, file_type: str | None, seconds: float) -> None:
    """Notes how long a stage worked on one file."""
    _STAGE.labels(file_type or _UNKNOWN, stage).observe(seconds)


def show_outbox(waiting: int, oldest_s: float) -> None:
    """Notes what waits to be published."""
    _OUTBOX_EVENTS.set(waiting)
    _OUTBOX_AGE.set(oldest_s)
