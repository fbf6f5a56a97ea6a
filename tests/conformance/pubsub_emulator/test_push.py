"""Push: wrapped and unwrapped requests, status codes, retries, identity tokens, concurrency."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.request import urlopen

import jwt
import pytest

from tests.conformance.pubsub_emulator.cloud import Cloud, eventually
from tests.conformance.pubsub_emulator.emulator_process import EmulatorProcess
from tests.wire_server import Reply, Request, WireServer


@dataclass
class Endpoint:
    """A push endpoint that answers with ``status`` and remembers what came."""

    url: str = ""
    status: Callable[[int], int] = lambda number: 200
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    busy: int = 0
    gate: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def messages(self) -> list[bytes]:
        return [base64.b64decode(json.loads(body)["message"]["data"]) for _, body in self.requests]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    state = Endpoint()
    state.gate.set()

    def answer(request: Request) -> Reply:
        body = request.body
        with state.lock:
            state.busy += 1
        state.gate.wait(20)
        with state.lock:
            state.busy -= 1
            state.requests.append(({k.lower(): v for k, v in request.headers.items()}, body))
            return Reply(state.status(len(state.requests)))

    with WireServer(answer) as server:
        state.url = f"{server.url}/push"
        yield state
        state.gate.set()


@pytest.fixture
def push(cloud: Cloud, endpoint: Endpoint) -> Iterator[Callable[..., tuple[str, str]]]:
    """Create a topic with a push subscription; deleted at the end so that nothing posts to a closed port."""
    created: list[str] = []

    def create(push_config: dict[str, object] | None = None, **settings: object) -> tuple[str, str]:
        topic = cloud.topic()
        config = {"push_endpoint": endpoint.url, **(push_config or {})}
        created.append(cloud.subscription(topic, push_config=config, **settings))
        return topic, created[-1]

    yield create
    for name in created:
        cloud.subscriber.delete_subscription(subscription=name)


def test_wrapped_request(cloud: Cloud, endpoint: Endpoint, push) -> None:
    topic, subscription = push()
    [message_id] = cloud.publish(topic, b"hello", **{"ce-id": "1"})
    eventually(lambda: len(endpoint.requests) == 1)
    headers, body = endpoint.requests[0]
    assert headers["content-type"] == "application/json"
    assert "authorization" not in headers
    envelope = json.loads(body)
    assert envelope["subscription"] == subscription
    assert "deliveryAttempt" not in envelope
    message = envelope["message"]
    assert base64.b64decode(message["data"]) == b"hello"
    assert message["attributes"] == {"ce-id": "1"}
    assert message["messageId"] == message["message_id"] == message_id
    assert message["publishTime"] == message["publish_time"]


def test_unwrapped_request_carries_metadata_in_headers(cloud: Cloud, endpoint: Endpoint, push) -> None:
    topic, subscription = push({"no_wrapper": {"write_metadata": True}})
    [message_id] = cloud.publish(topic, b"\x00raw", **{"ce-type": "t"})
    eventually(lambda: len(endpoint.requests) == 1)
    headers, body = endpoint.requests[0]
    assert body == b"\x00raw"
    assert headers["x-goog-pubsub-message-id"] == message_id
    assert headers["x-goog-pubsub-subscription-name"] == subscription
    assert headers["ce-type"] == "t"


@pytest.mark.parametrize("status", [201, 202, 204])
def test_success_codes_acknowledge(cloud: Cloud, endpoint: Endpoint, push, status: int) -> None:
    endpoint.status = lambda number: status
    topic, subscription = push()
    cloud.publish(topic, b"once")
    eventually(lambda: len(endpoint.requests) == 1)
    stop_pushing(cloud, subscription)
    assert cloud.pull_once(subscription) == []
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize("status", [203, 302, 400, 404, 500, 503])
def test_other_codes_are_retried(cloud: Cloud, endpoint: Endpoint, push, status: int) -> None:
    endpoint.status = lambda number: status if number < 3 else 200
    topic, _ = push()
    cloud.publish(topic, b"again")
    eventually(lambda: len(endpoint.requests) == 3)
    assert endpoint.messages() == [b"again"] * 3


def test_attempts_and_dead_letter(cloud: Cloud, endpoint: Endpoint, push) -> None:
    endpoint.status = lambda number: 500
    graveyard = cloud.topic()
    dead = cloud.subscription(graveyard)
    backoff = {"minimum_backoff": timedelta(0), "maximum_backoff": timedelta(0)}
    topic, _ = push(dead_letter_policy={"dead_letter_topic": graveyard}, retry_policy=backoff)
    cloud.publish(topic, b"poison")
    assert cloud.pull(dead, 1)[0].message.data == b"poison"
    assert [json.loads(body)["deliveryAttempt"] for _, body in endpoint.requests] == [1, 2, 3, 4, 5]


def test_poison_does_not_hold_up_others(cloud: Cloud, endpoint: Endpoint, push) -> None:
    poison = base64.b64encode(b"poison").decode()
    endpoint.status = lambda number: 500 if poison.encode() in endpoint.requests[-1][1] else 200
    backoff = {"minimum_backoff": timedelta(seconds=60), "maximum_backoff": timedelta(seconds=60)}
    topic, _ = push(retry_policy=backoff)
    cloud.publish(topic, b"poison", *[b"good"] * 20)
    eventually(lambda: len(endpoint.requests) == 21)
    assert endpoint.messages().count(b"good") == 20


def test_window_opens_slowly(cloud: Cloud, endpoint: Endpoint, push) -> None:
    endpoint.gate.clear()
    topic, _ = push()
    cloud.publish(topic, *[b"x"] * 30)
    eventually(lambda: endpoint.busy == 1)
    # A second request would have been on its way before those that are published, pulled and settled after it.
    other = cloud.topic()
    beside = cloud.subscription(other)
    for _ in range(5):
        cloud.publish(other, b"later")
        cloud.ack(beside, *cloud.pull(beside, 1))
    assert endpoint.busy == 1
    endpoint.gate.set()
    eventually(lambda: len(endpoint.requests) == 30)
    endpoint.gate.clear()
    cloud.publish(topic, *[b"y"] * 30)
    eventually(lambda: endpoint.busy == 30)


def test_modify_push_config_switches_between_push_and_pull(cloud: Cloud, endpoint: Endpoint) -> None:
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    cloud.publish(topic, b"waiting")
    cloud.subscriber.modify_push_config(
        subscription=subscription, push_config={"push_endpoint": endpoint.url}, retry=None
    )
    eventually(lambda: endpoint.messages() == [b"waiting"])
    stop_pushing(cloud, subscription)
    cloud.publish(topic, b"pulled")
    assert cloud.pull(subscription, 1)[0].message.data == b"pulled"
    assert len(endpoint.requests) == 1


def test_identity_token_verifies_against_the_published_keys(
    cloud: Cloud, endpoint: Endpoint, push, own_emulator: EmulatorProcess
) -> None:
    email = "push@conformance-1.iam.gserviceaccount.com"
    first, _ = push({"oidc_token": {"service_account_email": email, "audience": "https://me"}})
    second, _ = push({"oidc_token": {"service_account_email": email}})
    cloud.publish(first, b"a")
    eventually(lambda: len(endpoint.requests) == 1)
    cloud.publish(second, b"b")
    eventually(lambda: len(endpoint.requests) == 2)
    with urlopen(own_emulator.jwks_url, timeout=5) as answer:
        keys = jwt.PyJWKSet.from_json(answer.read().decode())
    for (headers, _), audience in zip(endpoint.requests, ["https://me", endpoint.url], strict=True):
        scheme, token = headers["authorization"].split(" ")
        assert scheme == "Bearer"
        key = keys[jwt.get_unverified_header(token)["kid"]]
        claims = jwt.decode(token, key, ["RS256"], audience=audience, issuer="https://accounts.google.com")
        assert (claims["email"], claims["email_verified"]) == (email, True)
        assert claims["sub"].isdigit()
        assert claims["exp"] - claims["iat"] == 3600
        with pytest.raises(jwt.InvalidSignatureError):
            jwt.decode(token[:-8] + "AAAAAAAA", key, ["RS256"], audience=audience)


def stop_pushing(cloud: Cloud, subscription: str) -> None:
    cloud.subscriber.modify_push_config(subscription=subscription, push_config={}, retry=None)
