"""google.pubsub.v1.Subscriber: requests about subscriptions and deliveries become calls of the catalog."""

import asyncio
from collections.abc import AsyncIterator

from google.pubsub_v1 import types

from localcloud.pubsub import names
from localcloud.pubsub.catalog import Catalog, detached_error
from localcloud.pubsub.deliveries import Lease
from localcloud.pubsub.errors import InvalidArgumentError, UnsupportedError
from localcloud.pubsub.field_mask import apply_mask
from localcloud.pubsub.flow import FlowBudget
from localcloud.pubsub.message_store import MessageStore
from localcloud.pubsub.paging import page_of
from localcloud.pubsub.rpc import Context, Method, bidirectional, polling, unary
from localcloud.pubsub.streaming import StreamingPull
from localcloud.pubsub.subscription import Subscription
from localcloud.pubsub.subscription_settings import MUTABLE, check_new_subscription, check_push_config
from localcloud.pubsub.wire import received_messages

_LONGEST_POLL = 90.0
_ANSWER_MARGIN = 0.1
_LONGEST_DEADLINE = 600


class SubscriberService:
    """One method per RPC."""

    name = "google.pubsub.v1.Subscriber"

    def __init__(self, catalog: Catalog, store: MessageStore) -> None:
        self._catalog = catalog
        self._store = store

    def methods(self) -> dict[str, Method]:
        """The RPCs by name."""
        return {
            "CreateSubscription": unary(self.create_subscription, types.Subscription),
            "GetSubscription": unary(self.get_subscription, types.GetSubscriptionRequest),
            "UpdateSubscription": unary(self.update_subscription, types.UpdateSubscriptionRequest),
            "ListSubscriptions": unary(self.list_subscriptions, types.ListSubscriptionsRequest),
            "DeleteSubscription": unary(self.delete_subscription, types.DeleteSubscriptionRequest),
            "Pull": polling(self.pull, types.PullRequest),
            "StreamingPull": bidirectional(self.streaming_pull, types.StreamingPullRequest),
            "Acknowledge": unary(self.acknowledge, types.AcknowledgeRequest),
            "ModifyAckDeadline": unary(self.modify_ack_deadline, types.ModifyAckDeadlineRequest),
            "ModifyPushConfig": unary(self.modify_push_config, types.ModifyPushConfigRequest),
            "Seek": unary(self.seek, types.SeekRequest),
        }

    async def create_subscription(self, request: types.Subscription) -> types.Subscription:
        """Create a subscription."""
        settings = check_new_subscription(request)
        await self._catalog.create_subscription(settings)
        return settings

    async def get_subscription(self, request: types.GetSubscriptionRequest) -> types.Subscription:
        """A subscription's settings."""
        return self._catalog.subscription(request.subscription).settings

    async def update_subscription(self, request: types.UpdateSubscriptionRequest) -> types.Subscription:
        """Change the fields named by the mask."""
        changed = types.Subscription(self._catalog.subscription(request.subscription.name).settings)
        apply_mask(
            types.Subscription.pb(changed),
            types.Subscription.pb(request.subscription),
            list(request.update_mask.paths),
            MUTABLE,
        )
        await self._catalog.update_subscription(changed)
        return changed

    async def list_subscriptions(self, request: types.ListSubscriptionsRequest) -> types.ListSubscriptionsResponse:
        """The subscriptions of a project, by name."""
        prefix = names.check_project(request.project) + "/"
        mine = [name for name in self._catalog.subscriptions if name.startswith(prefix)]
        page, token = page_of(mine, request.page_size, request.page_token)
        subscriptions = [self._catalog.subscriptions[name].settings for name in page]
        return types.ListSubscriptionsResponse(subscriptions=subscriptions, next_page_token=token)

    async def delete_subscription(self, request: types.DeleteSubscriptionRequest) -> None:
        """Delete a subscription with what it holds."""
        await self._catalog.delete_subscription(request.subscription)

    async def pull(self, request: types.PullRequest, seconds_left: float | None) -> bytes:
        """Wait for messages, or answer none shortly before the caller's deadline."""
        if request.max_messages <= 0:
            raise InvalidArgumentError("max_messages must be positive.")
        subscription = self._catalog.subscription(request.subscription)
        patience = _LONGEST_POLL
        if seconds_left is not None:
            patience = min(patience, seconds_left - _ANSWER_MARGIN)
        if types.PullRequest.pb(request).return_immediately:
            patience = 0.0
        leases = await _acquire(subscription, request.max_messages, patience)
        return await self._pull_answer(subscription, leases)

    async def streaming_pull(self, requests: AsyncIterator[types.StreamingPullRequest], context: Context) -> None:
        """Deliver until either side ends the stream."""
        first = await anext(requests, None)
        if first is None:
            raise InvalidArgumentError("The stream ended before its first request.")
        subscription = self._catalog.subscription(first.subscription)
        await StreamingPull(subscription, self._store, first, context).run(requests)

    async def acknowledge(self, request: types.AcknowledgeRequest) -> None:
        """Settle messages."""
        subscription = self._catalog.subscription(request.subscription)
        if not request.ack_ids:
            raise InvalidArgumentError("No ack ids specified.")
        await subscription.acknowledge(list(request.ack_ids))

    async def modify_ack_deadline(self, request: types.ModifyAckDeadlineRequest) -> None:
        """Move deadlines; 0 refuses the messages."""
        subscription = self._catalog.subscription(request.subscription)
        if not request.ack_ids:
            raise InvalidArgumentError("No ack ids specified.")
        if not 0 <= request.ack_deadline_seconds <= _LONGEST_DEADLINE:
            raise InvalidArgumentError("ack_deadline_seconds must be 0 to 600.")
        ack_ids = list(request.ack_ids)
        subscription.modify(ack_ids, [request.ack_deadline_seconds] * len(ack_ids))

    async def modify_push_config(self, request: types.ModifyPushConfigRequest) -> None:
        """Turn a subscription into a push or a pull subscription."""
        check_push_config(request.push_config)
        changed = types.Subscription(self._catalog.subscription(request.subscription).settings)
        changed.push_config = request.push_config
        await self._catalog.update_subscription(changed)

    async def seek(self, request: types.SeekRequest) -> types.SeekResponse:
        """Move a subscription to a time."""
        subscription = self._catalog.subscription(request.subscription)
        if subscription.settings.detached:
            raise detached_error(request.subscription)
        if "snapshot" in request:
            raise UnsupportedError("The embedded Pub/Sub has no snapshots; seek to a time.")
        if "time" not in request:
            raise InvalidArgumentError("A seek needs a time.")
        await subscription.seek(types.SeekRequest.pb(request).time.ToMicroseconds())
        return types.SeekResponse()

    async def _pull_answer(self, subscription: Subscription, leases: list[Lease]) -> bytes:
        try:
            bodies = await self._store.bodies([lease.message_id for lease in leases])
        except asyncio.CancelledError:
            subscription.release(leases)
            raise
        answer = types.PullResponse.pb()()
        answer.received_messages.extend(
            received_messages(subscription.key, leases, bodies, subscription.counts_attempts)
        )
        return answer.SerializeToString()


async def _acquire(subscription: Subscription, max_messages: int, patience: float) -> list[Lease]:
    lease_seconds = subscription.settings.ack_deadline_seconds
    budget = FlowBudget()
    leases = subscription.acquire_now(budget, max_messages, lease_seconds)
    if leases or patience <= 0:
        return leases
    try:
        async with asyncio.timeout(patience):
            return await subscription.acquire(budget, max_messages, lease_seconds)
    except TimeoutError:
        return []
