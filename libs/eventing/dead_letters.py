"""Puts a message that will never succeed on the dead-letter topic, with the reason Pub/Sub itself cannot give."""

from contracts.artifacts import FailureCode
from contracts.topology import DEAD_LETTER_SOURCE, DEAD_LETTER_TOPIC, Subscription
from eventing.codec import DEAD_LETTER_CODE, DEAD_LETTER_COUNT, DEAD_LETTER_REASON
from eventing.delivery import Delivery
from eventing.publisher import Publisher

_MAX_ATTRIBUTE_BYTES = 1000  # Pub/Sub allows 1024 for a value


async def publish_dead_letter(
    publisher: Publisher, subscription: Subscription, delivery: Delivery, code: FailureCode, reason: str
) -> None:
    """Publishes the message as Pub/Sub would have after the last delivery, plus code and reason."""
    attributes: dict[str, str] = {
        **delivery.attributes,
        DEAD_LETTER_SOURCE: subscription.name,
        DEAD_LETTER_COUNT: str(delivery.attempt or 1),
        DEAD_LETTER_CODE: code.value,
        DEAD_LETTER_REASON: _clipped(reason),
    }
    await publisher.publish(DEAD_LETTER_TOPIC, delivery.data, attributes)


def _clipped(text: str) -> str:
    return text.encode()[:_MAX_ATTRIBUTE_BYTES].decode(errors="ignore") or "unknown"
