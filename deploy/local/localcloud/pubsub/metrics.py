"""Every subscription's backlog as Prometheus text, under the names Cloud Monitoring gives the same figures."""

import time
from collections.abc import Iterable

from localcloud.pubsub import names
from localcloud.pubsub.subscription import Subscription

MEDIA_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
_BACKLOG = "pubsub_subscription_num_undelivered_messages"
_AGE = "pubsub_subscription_oldest_unacked_message_age"


def exposition(subscriptions: Iterable[Subscription]) -> bytes:
    """How many messages each has not acknowledged yet, and for how many seconds the oldest has waited."""
    now = time.time_ns() // 1000
    backlogs = [(names.split(each.name)[1], each.backlog()) for each in subscriptions]
    lines = [f"# HELP {_BACKLOG} Messages not acknowledged yet", f"# TYPE {_BACKLOG} gauge"]
    lines += [f'{_BACKLOG}{{subscription="{name}"}} {count}' for name, (count, _) in backlogs]
    lines += [f"# HELP {_AGE} Seconds since the oldest of them was published", f"# TYPE {_AGE} gauge"]
    for name, (_, oldest) in backlogs:
        age = 0.0 if oldest is None else max(now - oldest, 0) / 1_000_000
        lines.append(f'{_AGE}{{subscription="{name}"}} {age:.3f}')
    return ("\n".join(lines) + "\n").encode()
