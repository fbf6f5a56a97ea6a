"""One delivery, from message to ack: the delivery guarantees as one ordered list.

0. address         what was sent again to another subscription alone is acknowledged unread
1. decode          what cannot be understood goes to the dead letter with the reason
2. trace           the event's trace is continued: consumer span below the producer's
3. log context     every line names upload, event and attempt
4. patience        while a dependency is down, also the broker, the same delivery waits as long as its door can hold it:
                   a day where it is pulled, which uses up no attempts; until the handler's deadline where it is pushed
5. deadline        the handler ends before the broker's patience does
6. perform         stage: manifest or run and remember; projection: inbox, rows, outbox, commit (see work.py)
7. announce        the events of a stage, with the ids the manifest holds
8. settle          ack; or by the pure verdict of retry.py: nack, dead letter or forget
"""

import asyncio
import random
import time
from typing import Any

import structlog

from contracts.artifacts import FailureCode, UploadRef
from contracts.envelope import Envelope, EventData
from contracts.events import ObjectFinalizedV1
from contracts.topology import Subscription
from eventing import codec, metrics
from eventing.dead_letters import publish_dead_letter
from eventing.delivery import Ack, Delivery, Nack, Settlement
from eventing.errors import Poison
from eventing.publisher import BrokerUnavailableError, MessageRefusedError, Publisher, announce
from eventing.retry import Forget, GiveUp, TryAgain, failure_code, verdict
from eventing.work import StageWork, Work
from telemetry import logs, propagation, spans
from telemetry.failures import describe

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_log = structlog.get_logger()


class Runtime:
    """Works on the deliveries of one subscription. Doors call :meth:`process`; nothing else acks or publishes."""

    def __init__(self, subscription: Subscription, work: Work, publisher: Publisher) -> None:
        self.subscription = subscription
        self._work = work
        self._publisher = publisher

    async def process(self, delivery: Delivery) -> Settlement:
        """Never raises, except for cancellation at shutdown (the door then nacks)."""
        started = time.monotonic()
        with metrics.active(self.subscription.service.value):
            settlement, outcome = await self._process(delivery, started)
        metrics.observe_delivery(self.subscription.name, outcome, time.monotonic() - started, delivery)
        return settlement

    async def _process(self, delivery: Delivery, started: float) -> tuple[Settlement, str]:
        if not self._is_meant(delivery):
            return Ack(), "not_meant"
        try:
            envelope = codec.decode(self.subscription.event, delivery.data, delivery.attributes)
        except Poison as error:
            return await self._settle_failure(delivery, error)
        parent = propagation.context_of(envelope.traceparent, envelope.tracestate)
        self._start_trace_of_drop(envelope)
        upload_id, bound = _about(envelope.data)
        with (
            spans.consumer(
                self.subscription.name,
                self.subscription.event.topic(),
                parent,
                message_id=delivery.message_id,
                attempt=delivery.attempt,
                queued_s=metrics.waited_s(delivery),
                upload_id=upload_id,
            ),
            logs.bound(subscription=self.subscription.name, event_id=envelope.id, **bound),
        ):
            settlement, outcome = Ack(), "ack"
            try:
                async with asyncio.timeout(delivery.patience_s or self.subscription.handler_deadline_s):
                    await self._perform_patiently(envelope)
            except Exception as error:
                settlement, outcome = await self._settle_failure(delivery, error)
            took_ms = round((time.monotonic() - started) * 1000, 1)
            _log.info("event", action="process", status=outcome, duration_ms=took_ms, attempt=delivery.attempt)
            return settlement, outcome

    def _is_meant(self, delivery: Delivery) -> bool:
        """False for a message sent again to another subscription alone; who reads dead letters takes them all."""
        only = delivery.attributes.get(codec.ONLY_FOR)
        return only in (None, self.subscription.name) or not self.subscription.has_dead_letters

    async def _perform_patiently(self, envelope: Envelope[Any]) -> None:
        began, told_after_s = time.monotonic(), 0.0
        pause = _FIRST_PAUSE_S
        while True:
            try:
                async with asyncio.timeout(self.subscription.handler_deadline_s):
                    await announce(self._publisher, await self._work.perform(envelope))
                    return
            except TimeoutError:
                raise  # even the database's, an outage to others: it may be this statement that is too slow
            except ConnectionError as error:
                metrics.count_error(self.subscription.name, FailureCode.NETWORK.value, "waiting")
                waited_s = time.monotonic() - began
                if waited_s >= told_after_s:  # a day of it is a dozen lines
                    _log.warning("waiting for a dependency", reason=describe(error), waited_s=round(waited_s, 1))
                    told_after_s = max(2 * waited_s, _LONGEST_PAUSE_S)
            # Uneven, or of those who wait for a provider to be probed the same one would always be the first.
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _settle_failure(self, delivery: Delivery, error: Exception) -> tuple[Settlement, str]:
        decision = verdict(error, delivery.attempt, self.subscription.retry.max_deliveries)
        spans.failed(error)
        try:
            match decision:
                case TryAgain(delay_s):
                    metrics.count_error(self.subscription.name, failure_code(error).value, "retry")
                    _log.warning("will be tried again", attempt=delivery.attempt, reason=describe(error))
                    return Nack(delay_s), "retry"
                case Forget(reason):
                    _log.info("nothing left to do", reason=reason)
                    return Ack(), "forgotten"
                case GiveUp(code, reason):
                    metrics.count_error(self.subscription.name, code.value, "dead_letter")
                    _log.error(
                        "dead letter", attempt=delivery.attempt, code=code, reason=describe(error), exc_info=error
                    )
                    await publish_dead_letter(self._publisher, self.subscription, delivery, code, reason)
                    return Ack(), "dead_letter"
        except BrokerUnavailableError as outage:
            _log.warning("broker unavailable", reason=describe(outage))
        except MessageRefusedError as refused:
            # The broker moves the message to the dead letters itself after the last delivery, without a reason.
            _log.error("dead letter refused by the broker", reason=describe(refused))
        return Nack(), "retry"

    def _start_trace_of_drop(self, envelope: Envelope[Any]) -> None:
        event = envelope.data
        if not isinstance(event, ObjectFinalizedV1) or not isinstance(self._work, StageWork):
            return
        upload = event.upload
        if envelope.traceparent == propagation.object_traceparent(upload.bucket, upload.object_name, upload.generation):
            propagation.start_object_trace(upload.bucket, upload.object_name, upload.generation)


def _about(event: EventData) -> tuple[str | None, dict[str, str]]:
    """The upload an event is about, and what every log line of its delivery names."""
    upload: UploadRef | None = getattr(event, "upload", None)
    if upload is not None:
        return upload.upload_id, {"upload_id": upload.upload_id, "user_id": upload.user_id}
    return None, {"user_id": str(getattr(event, "user_id", ""))}
