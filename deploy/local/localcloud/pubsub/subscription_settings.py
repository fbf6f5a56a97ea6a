"""The rules for subscriptions: limits, defaults, and what they mean to the queue.

Turns a requested google.pubsub.v1.Subscription into the stored one and into a RedeliveryPolicy.
"""

from datetime import timedelta
from urllib.parse import urlsplit

from google.pubsub_v1 import types

from localcloud.pubsub.errors import InvalidArgumentError, UnsupportedError
from localcloud.pubsub.filters import compile_filter
from localcloud.pubsub.names import check_subscription, check_topic
from localcloud.pubsub.redelivery import RedeliveryPolicy
from localcloud.pubsub.wire import RawMessage

MUTABLE = frozenset(
    {
        "ack_deadline_seconds",
        "push_config",
        "retain_acked_messages",
        "message_retention_duration",
        "labels",
        "expiration_policy",
        "dead_letter_policy",
        "retry_policy",
        "enable_exactly_once_delivery",
    }
)
_UNSUPPORTED = ("bigquery_config", "cloud_storage_config", "bigtable_config", "message_transforms")
_SHORTEST_DEADLINE, _LONGEST_DEADLINE = 10, 600
_SHORTEST_RETENTION, _LONGEST_RETENTION = timedelta(minutes=10), timedelta(days=31)
_LONGEST_BACKOFF = timedelta(seconds=600)


def check_new_subscription(settings: types.Subscription) -> types.Subscription:
    """The subscription as it will be stored, defaults filled in."""
    check_subscription(settings.name)
    check_topic(settings.topic)
    compile_filter(settings.filter)
    settings.detached = False
    return check_subscription_settings(settings)


def check_subscription_settings(settings: types.Subscription) -> types.Subscription:
    """Limits and defaults of everything that an update may change."""
    for field in _UNSUPPORTED:
        if field in settings:
            raise UnsupportedError(f"The embedded Pub/Sub does not support Subscription.{field}.")
    settings.ack_deadline_seconds = settings.ack_deadline_seconds or _SHORTEST_DEADLINE
    if not _SHORTEST_DEADLINE <= settings.ack_deadline_seconds <= _LONGEST_DEADLINE:
        raise InvalidArgumentError(
            f"Invalid ack deadline given (ack_deadline_seconds={settings.ack_deadline_seconds}): "
            f"{_SHORTEST_DEADLINE} to {_LONGEST_DEADLINE} seconds."
        )
    raw = types.Subscription.pb(settings)
    if "message_retention_duration" not in settings:
        raw.message_retention_duration.FromTimedelta(timedelta(days=7))
    if not _SHORTEST_RETENTION <= raw.message_retention_duration.ToTimedelta() <= _LONGEST_RETENTION:
        raise InvalidArgumentError("The message retention duration must be 10 minutes to 31 days.")
    if "expiration_policy" not in settings:
        raw.expiration_policy.ttl.FromTimedelta(timedelta(days=31))
    if "retry_policy" in settings:
        _check_retry(raw.retry_policy)
    if "dead_letter_policy" in settings:
        _check_dead_letter(settings.dead_letter_policy)
    _check_push(settings)
    settings.state = types.Subscription.State.ACTIVE
    return settings


def redelivery_policy(settings: types.Subscription) -> RedeliveryPolicy:
    """What the stored settings mean to the queue."""
    backoff = types.Subscription.pb(settings).retry_policy
    dead_letters = "dead_letter_policy" in settings
    return RedeliveryPolicy(
        minimum_backoff=backoff.minimum_backoff.ToTimedelta().total_seconds(),
        maximum_backoff=backoff.maximum_backoff.ToTimedelta().total_seconds(),
        max_delivery_attempts=settings.dead_letter_policy.max_delivery_attempts if dead_letters else None,
        ordered=settings.enable_message_ordering,
        exactly_once=settings.enable_exactly_once_delivery,
        retain_acked=settings.retain_acked_messages,
    )


def retention(settings: types.Subscription) -> int:
    """Microseconds for which messages are kept."""
    return types.Subscription.pb(settings).message_retention_duration.ToMicroseconds()


def check_push_config(config: types.PushConfig) -> None:
    """Raises InvalidArgumentError when nothing could be delivered to it."""
    if config.push_endpoint and not _is_http_url(config.push_endpoint):
        raise InvalidArgumentError(f'Invalid push endpoint given (endpoint="{config.push_endpoint}").')
    if "oidc_token" in config and not config.oidc_token.service_account_email:
        raise InvalidArgumentError("An OIDC token needs a service account email.")


def _is_http_url(text: str) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        return False


def _check_retry(policy: RawMessage) -> None:
    if not policy.HasField("minimum_backoff"):
        policy.minimum_backoff.FromSeconds(10)
    if not policy.HasField("maximum_backoff"):
        policy.maximum_backoff.FromTimedelta(_LONGEST_BACKOFF)
    shortest, longest = policy.minimum_backoff.ToTimedelta(), policy.maximum_backoff.ToTimedelta()
    if not timedelta(0) <= shortest <= longest <= _LONGEST_BACKOFF:
        raise InvalidArgumentError("Backoffs must be 0 to 600 seconds, the minimum not above the maximum.")


def _check_dead_letter(policy: types.DeadLetterPolicy) -> None:
    check_topic(policy.dead_letter_topic)
    policy.max_delivery_attempts = policy.max_delivery_attempts or 5
    if not 5 <= policy.max_delivery_attempts <= 100:
        raise InvalidArgumentError("max_delivery_attempts must be 5 to 100.")


def _check_push(settings: types.Subscription) -> None:
    check_push_config(settings.push_config)
    if settings.push_config.push_endpoint and settings.enable_exactly_once_delivery:
        raise InvalidArgumentError("Exactly-once delivery is not supported for push subscriptions.")
