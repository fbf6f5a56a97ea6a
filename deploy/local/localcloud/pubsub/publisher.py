"""google.pubsub.v1.Publisher: requests about topics and publishing become calls of the catalog and the broker."""

from google.pubsub_v1 import types

from localcloud.pubsub import names
from localcloud.pubsub.broker import Broker
from localcloud.pubsub.catalog import Catalog
from localcloud.pubsub.field_mask import apply_mask
from localcloud.pubsub.paging import page_of
from localcloud.pubsub.rpc import Method, unary
from localcloud.pubsub.topic_settings import MUTABLE, check_messages, check_topic_settings


class PublisherService:
    """One method per RPC."""

    name = "google.pubsub.v1.Publisher"

    def __init__(self, catalog: Catalog, broker: Broker) -> None:
        self._catalog = catalog
        self._broker = broker

    def methods(self) -> dict[str, Method]:
        """The RPCs by name."""
        return {
            "CreateTopic": unary(self.create_topic, types.Topic),
            "GetTopic": unary(self.get_topic, types.GetTopicRequest),
            "UpdateTopic": unary(self.update_topic, types.UpdateTopicRequest),
            "ListTopics": unary(self.list_topics, types.ListTopicsRequest),
            "ListTopicSubscriptions": unary(self.list_subscriptions, types.ListTopicSubscriptionsRequest),
            "ListTopicSnapshots": unary(self.list_snapshots, types.ListTopicSnapshotsRequest),
            "DeleteTopic": unary(self.delete_topic, types.DeleteTopicRequest),
            "Publish": unary(self.publish, types.PublishRequest),
            "DetachSubscription": unary(self.detach_subscription, types.DetachSubscriptionRequest),
        }

    async def create_topic(self, request: types.Topic) -> types.Topic:
        """Create a topic."""
        topic = check_topic_settings(request)
        await self._catalog.create_topic(topic)
        return topic

    async def get_topic(self, request: types.GetTopicRequest) -> types.Topic:
        """A topic's settings."""
        return self._catalog.topic(request.topic).settings

    async def update_topic(self, request: types.UpdateTopicRequest) -> types.Topic:
        """Change the fields named by the mask."""
        changed = types.Topic(self._catalog.topic(request.topic.name).settings)
        apply_mask(types.Topic.pb(changed), types.Topic.pb(request.topic), list(request.update_mask.paths), MUTABLE)
        await self._catalog.update_topic(changed)
        return changed

    async def list_topics(self, request: types.ListTopicsRequest) -> types.ListTopicsResponse:
        """The topics of a project, by name."""
        prefix = names.check_project(request.project) + "/"
        mine = [name for name in self._catalog.topics if name.startswith(prefix)]
        page, token = page_of(mine, request.page_size, request.page_token)
        topics = [self._catalog.topics[name].settings for name in page]
        return types.ListTopicsResponse(topics=topics, next_page_token=token)

    async def list_subscriptions(
        self, request: types.ListTopicSubscriptionsRequest
    ) -> types.ListTopicSubscriptionsResponse:
        """The names of a topic's subscriptions."""
        topic = self._catalog.topic(request.topic)
        attached = [subscription.name for subscription in topic.subscriptions.values()]
        page, token = page_of(attached, request.page_size, request.page_token)
        return types.ListTopicSubscriptionsResponse(subscriptions=page, next_page_token=token)

    async def list_snapshots(self, request: types.ListTopicSnapshotsRequest) -> types.ListTopicSnapshotsResponse:
        """Always empty: there are no snapshots here."""
        self._catalog.topic(request.topic)
        return types.ListTopicSnapshotsResponse()

    async def delete_topic(self, request: types.DeleteTopicRequest) -> None:
        """Delete a topic."""
        await self._catalog.delete_topic(request.topic)

    async def publish(self, request: types.PublishRequest) -> types.PublishResponse:
        """Store messages; answered once they are durable."""
        messages = types.PublishRequest.pb(request).messages
        check_messages(messages)
        ids = await self._broker.publish(request.topic, messages)
        return types.PublishResponse(message_ids=ids)

    async def detach_subscription(self, request: types.DetachSubscriptionRequest) -> types.DetachSubscriptionResponse:
        """Take a subscription's topic and messages away."""
        await self._catalog.detach_subscription(request.subscription)
        return types.DetachSubscriptionResponse()
