"""One StreamingPull call: leases become responses on the stream, requests on it become acks and deadlines.

Every response tells the subscription's properties and stays under the clients' 4 MiB.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from google.pubsub_v1 import types

from localcloud.pubsub.deliveries import Lease
from localcloud.pubsub.errors import InvalidAckIdsError, InvalidArgumentError
from localcloud.pubsub.flow import FlowBudget
from localcloud.pubsub.message_store import MessageStore
from localcloud.pubsub.rpc import Context
from localcloud.pubsub.subscription import MOST_MESSAGES, Subscription
from localcloud.pubsub.wire import received_messages

_SHORTEST_DEADLINE, _LONGEST_DEADLINE = 10, 600

_Response: Any = types.StreamingPullResponse.pb()


class StreamingPull:
    """A consumer connected by a stream."""

    def __init__(
        self,
        subscription: Subscription,
        store: MessageStore,
        first: types.StreamingPullRequest,
        context: Context,
    ) -> None:
        if first.ack_ids or first.modify_deadline_ack_ids:
            raise InvalidArgumentError("The first request of a stream cannot acknowledge messages.")
        self._subscription = subscription
        self._store = store
        self._context = context
        self._lease_seconds = _deadline(first) or subscription.settings.ack_deadline_seconds
        self._budget = FlowBudget(first.max_outstanding_messages, first.max_outstanding_bytes)
        self._writing = asyncio.Lock()

    async def run(self, requests: AsyncIterator[types.StreamingPullRequest]) -> None:
        """Serve the stream until the client ends it or the subscription closes."""
        # Asyncio clients wait for the headers before they return the call.
        await self._context.send_initial_metadata(())
        sides = {asyncio.create_task(self._deliver()), asyncio.create_task(self._obey(requests))}
        try:
            ended, _ = await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for side in sides:
                side.cancel()
            await asyncio.gather(*sides, return_exceptions=True)
        for side in ended:
            side.result()

    async def _deliver(self) -> None:
        while True:
            leases = await self._subscription.acquire(self._budget, MOST_MESSAGES, self._lease_seconds)
            await self._send(leases)

    async def _send(self, leases: Sequence[Lease]) -> None:
        try:
            bodies = await self._store.bodies([lease.message_id for lease in leases])
        except asyncio.CancelledError:
            self._subscription.release(leases)
            raise
        subscription = self._subscription
        messages = received_messages(subscription.key, leases, bodies, subscription.counts_attempts)
        await self._write(_Response(received_messages=messages))

    async def _obey(self, requests: AsyncIterator[types.StreamingPullRequest]) -> None:
        async for request in requests:
            self._lease_seconds = _deadline(request) or self._lease_seconds
            _check_following(request)
            if request.ack_ids:
                await self._acknowledge(list(request.ack_ids))
            if request.modify_deadline_ack_ids:
                await self._modify(list(request.modify_deadline_ack_ids), list(request.modify_deadline_seconds))

    async def _acknowledge(self, ack_ids: list[str]) -> None:
        refused: list[str] = []
        try:
            await self._subscription.acknowledge(ack_ids)
        except InvalidAckIdsError as refusal:
            refused = refusal.ack_ids
        if self._subscription.exactly_once:
            response = _Response()
            response.acknowledge_confirmation.ack_ids.extend(i for i in ack_ids if i not in refused)
            response.acknowledge_confirmation.invalid_ack_ids.extend(refused)
            await self._write(response)

    async def _modify(self, ack_ids: list[str], seconds: list[int]) -> None:
        refused: list[str] = []
        try:
            self._subscription.modify(ack_ids, seconds)
        except InvalidAckIdsError as refusal:
            refused = refusal.ack_ids
        if self._subscription.exactly_once:
            response = _Response()
            confirmation = response.modify_ack_deadline_confirmation
            confirmation.ack_ids.extend(i for i in ack_ids if i not in refused)
            confirmation.invalid_ack_ids.extend(refused)
            await self._write(response)

    async def _write(self, response: Any) -> None:
        properties = response.subscription_properties
        properties.exactly_once_delivery_enabled = self._subscription.exactly_once
        properties.message_ordering_enabled = self._subscription.settings.enable_message_ordering
        async with self._writing:
            await self._context.write(response.SerializeToString())


def _deadline(request: types.StreamingPullRequest) -> int:
    seconds = request.stream_ack_deadline_seconds
    if seconds and not _SHORTEST_DEADLINE <= seconds <= _LONGEST_DEADLINE:
        raise InvalidArgumentError("stream_ack_deadline_seconds must be 10 to 600.")
    return seconds


def _check_following(request: types.StreamingPullRequest) -> None:
    if request.subscription or request.client_id or request.max_outstanding_messages:
        raise InvalidArgumentError("Stream settings may only be sent with the first request.")
    if len(request.modify_deadline_ack_ids) != len(request.modify_deadline_seconds):
        raise InvalidArgumentError("modify_deadline_ack_ids and modify_deadline_seconds differ in length.")
    if any(not 0 <= seconds <= _LONGEST_DEADLINE for seconds in request.modify_deadline_seconds):
        raise InvalidArgumentError("modify_deadline_seconds must be 0 to 600.")
