"""Push requests on the wire, the concurrency window, tokens and pages: the small pure parts."""

import base64
import json
from pathlib import Path

import jwt
import pytest
from google.pubsub_v1 import types

from localcloud.pubsub.errors import InvalidArgumentError
from localcloud.pubsub.oidc import ISSUER, TokenSigner
from localcloud.pubsub.paging import page_of
from localcloud.pubsub.push_request import push_request
from localcloud.pubsub.push_window import LARGEST_WINDOW, PushWindow
from localcloud.pubsub.wire import parse_body, stored_body

SUBSCRIPTION = "projects/proj-1/subscriptions/sub"
ID = 1_700_000_000_123_456


def message(**fields):
    raw = types.PubsubMessage.pb(types.PubsubMessage(**fields))
    return parse_body(stored_body(raw, ID))


def test_wrapped_request_has_both_spellings() -> None:
    config = types.PushConfig(push_endpoint="http://127.0.0.1:1/x")
    request = push_request(SUBSCRIPTION, config, message(data=b"hi", attributes={"k": "v"}, ordering_key="o"), 3)
    assert request.headers == {"content-type": "application/json"}
    assert json.loads(request.body) == {
        "message": {
            "data": base64.b64encode(b"hi").decode(),
            "attributes": {"k": "v"},
            "messageId": str(ID),
            "message_id": str(ID),
            "publishTime": "2023-11-14T22:13:20.123456Z",
            "publish_time": "2023-11-14T22:13:20.123456Z",
            "orderingKey": "o",
        },
        "subscription": SUBSCRIPTION,
        "deliveryAttempt": 3,
    }


def test_attempt_is_left_out_without_a_dead_letter_policy() -> None:
    request = push_request(SUBSCRIPTION, types.PushConfig(push_endpoint="http://h/"), message(data=b"x"), None)
    assert "deliveryAttempt" not in json.loads(request.body)


@pytest.mark.parametrize("write_metadata", [True, False])
def test_unwrapped_request_is_the_data(write_metadata: bool) -> None:
    config = types.PushConfig(
        push_endpoint="http://h/", no_wrapper=types.PushConfig.NoWrapper(write_metadata=write_metadata)
    )
    attributes = {"ce-type": "t", "bad name": "x", "inject": "a\r\nb: c", "Authorization": "mine"}
    request = push_request(SUBSCRIPTION, config, message(data=b"\x00raw", attributes=attributes), 1)
    assert request.body == b"\x00raw"
    expected = {
        "ce-type": "t",
        "x-goog-pubsub-subscription-name": SUBSCRIPTION,
        "x-goog-pubsub-message-id": str(ID),
        "x-goog-pubsub-publish-time": "2023-11-14T22:13:20.123456Z",
    }
    assert request.headers == (expected if write_metadata else {})


def test_window_starts_slowly_and_shrinks_by_half() -> None:
    window = PushWindow()
    assert window.size == 1
    for _ in range(200):
        window.succeeded()
    assert window.size == LARGEST_WINDOW
    window.failed()
    assert window.size == LARGEST_WINDOW // 2
    for _ in range(20):
        window.failed()
    assert (window.size, window.pause) == (1, 60.0)
    window.succeeded()
    assert window.pause == 0.0


def test_token_verifies_with_the_published_key_and_key_is_kept(tmp_path: Path) -> None:
    signer = TokenSigner(tmp_path / "key.pem")
    again = TokenSigner(tmp_path / "key.pem")
    assert signer.jwks() == again.jwks()
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    token = signer.token("push@proj.iam.gserviceaccount.com", "https://me")
    assert token == signer.token("push@proj.iam.gserviceaccount.com", "https://me")
    key = jwt.PyJWKSet.from_json(again.jwks().decode())[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, ["RS256"], audience="https://me", issuer=ISSUER)
    assert claims["email"] == "push@proj.iam.gserviceaccount.com"
    assert claims["email_verified"] is True
    assert claims["exp"] - claims["iat"] == 3600


def test_pages_cover_everything_once() -> None:
    everything = [f"projects/p/topics/{i:03}" for i in range(25)]
    seen, token = [], ""
    while True:
        page, token = page_of(everything, 10, token)
        seen += page
        if not token:
            break
    assert seen == everything
    for broken in ("?", "bm9wZQ==", "é"):
        with pytest.raises(InvalidArgumentError):
            page_of(everything, 10, broken)
