"""A push endpoint that is too slow, with an ack deadline shorter than the service would allow."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from google.pubsub_v1 import types

from localcloud.pubsub.deliveries import Entry
from localcloud.pubsub.errors import NotFoundError
from localcloud.pubsub.faults import Faults
from localcloud.pubsub.journal import Journal
from localcloud.pubsub.message_store import MessageStore
from localcloud.pubsub.oidc import TokenSigner
from localcloud.pubsub.push import PushDelivery
from localcloud.pubsub.subscription import Runtime, Subscription
from localcloud.pubsub.wire import stored_body


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = Journal(tmp_path / "db", pytest.fail)
    yield journal
    await journal.close()


async def test_an_unanswered_push_is_sent_again_after_the_ack_deadline(journal: Journal, tmp_path: Path) -> None:
    heads: list[bytes] = []
    twice = asyncio.Event()

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        if len(heads) == 2:
            twice.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/slow"
    store = MessageStore(journal)
    settings = types.Subscription(
        name="projects/proj-1/subscriptions/sub", ack_deadline_seconds=1, push_config={"push_endpoint": endpoint}
    )
    runtime = Runtime(journal, store, Faults(), itertools.count(1), lambda subscription, failure: None)
    subscription = Subscription(1, settings, runtime)
    push = PushDelivery(store, TokenSigner(tmp_path / "key.pem"))
    push.follow(subscription)
    message_id = store.next_id()
    body = stored_body(types.PubsubMessage.pb(types.PubsubMessage(data=b"x")), message_id)
    store.hold(message_id, 1, body)
    subscription.enqueue([Entry(message_id, len(body))])
    await asyncio.wait_for(twice.wait(), 20)
    subscription.close(NotFoundError("gone"))
    await push.close()
    server.close()
    await server.wait_closed()
    assert [head.split(b" ")[:2] for head in heads] == [[b"POST", b"/slow"]] * 2
