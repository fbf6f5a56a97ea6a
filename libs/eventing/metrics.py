"""Prometheus metrics of every subscription: deliveries by outcome, redeliveries, time to work, age on arrival."""

from datetime import UTC, datetime

from prometheus_client import Counter, Histogram

from eventing.delivery import Delivery

_DELIVERIES = Counter("event_deliveries", "Deliveries settled", ["subscription", "outcome"])
_REDELIVERIES = Counter("event_redeliveries", "Deliveries after the first", ["subscription"])
_DURATION = Histogram(
    "event_processing_seconds",
    "Time from delivery to settlement",
    ["subscription"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300),
)
_AGE = Histogram(
    "event_age_seconds",
    "Time from publication to settlement",
    ["subscription"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800),
)


def observe_delivery(subscription: str, outcome: str, seconds: float, delivery: Delivery) -> None:
    """Counts one settled delivery."""
    _DELIVERIES.labels(subscription, outcome).inc()
    _DURATION.labels(subscription).observe(seconds)
    _AGE.labels(subscription).observe(max((datetime.now(UTC) - delivery.publish_time).total_seconds(), 0))
    if (delivery.attempt or 1) > 1:
        _REDELIVERIES.labels(subscription).inc()
