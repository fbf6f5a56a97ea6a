"""The push door lets in only what Google signed for our push account and this audience, in the wrapped form."""

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from contracts.artifacts import Service
from eventing.push import PushIdentity, PushVerifier, push_router
from eventing.testing import MemoryBroker
from hosting.app import create_app
from objectstore.testing import MemoryObjectStore
from tests.unit.eventing.pipeline import SUBSCRIPTION, Probe, message, runtime
from tests.wire_server import Reply, WireServer

AUDIENCE, ACCOUNT, ISSUER = "https://analyzer.example", "pusher@example.iam", "https://accounts.google.com"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def jwks_url() -> Iterator[str]:
    published = {"keys": [json.loads(RSAAlgorithm.to_jwk(KEY.public_key())) | {"kid": "k1", "alg": "RS256"}]}
    with WireServer(lambda request: Reply(body=json.dumps(published).encode())) as server:
        yield f"{server.url}/jwks.json"


def token(key: rsa.RSAPrivateKey = KEY, algorithm: str = "RS256", **changes: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "email": ACCOUNT,
        "email_verified": True,
        "iat": now,
        "exp": now + 3600,
    } | changes
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, key, algorithm, headers={"kid": "k1"})


def body(**changes: Any) -> dict[str, Any]:
    stored = message()
    wrapped = {
        "data": base64.b64encode(stored.data.encode()).decode(),
        "attributes": dict(stored.attributes),
        "messageId": "1",
        "message_id": "1",
        "publishTime": "2026-11-21T09:30:00Z",
        "publish_time": "2026-11-21T09:30:00Z",
    }
    return {"message": wrapped | changes, "subscription": f"projects/p/subscriptions/{SUBSCRIPTION.name}"}


@pytest.fixture
def door(jwks_url: str) -> tuple[httpx2.AsyncClient, Probe]:
    probe = Probe()
    verifier = PushVerifier(PushIdentity(AUDIENCE, ACCOUNT, ISSUER, jwks_url))
    router = push_router([runtime(probe, MemoryBroker(), MemoryObjectStore())], verifier)
    transport = httpx2.ASGITransport(app=create_app(Service.ANALYZER, routers=[router]))
    return httpx2.AsyncClient(transport=transport, base_url="http://analyzer"), probe


async def post(door: httpx2.AsyncClient, authorization: str | None, content: Any = None) -> int:
    headers = {"Authorization": authorization} if authorization else {}
    answer = await door.post(
        f"/events/{SUBSCRIPTION.name}", json=body() if content is None else content, headers=headers
    )
    return answer.status_code


async def test_a_genuine_request_is_handled_and_acked(door: tuple[httpx2.AsyncClient, Probe]) -> None:
    client, probe = door
    assert await post(client, f"Bearer {token()}") == 204
    assert len(probe.calls) == 1


FORGED = {
    "missing": None,
    "another scheme": "Basic abc",
    "not a token": "Bearer abc",
    "another key": f"Bearer {token(OTHER_KEY)}",
    "another audience": f"Bearer {token(aud='https://elsewhere.example')}",
    "another issuer": f"Bearer {token(iss='https://evil.example')}",
    "expired": f"Bearer {token(exp=1)}",
    "without expiry": f"Bearer {token(exp=None)}",
    "another account": f"Bearer {token(email='someone@example.iam')}",
    "unverified account": f"Bearer {token(email_verified=False)}",
    "unsigned": "Bearer " + jwt.encode({"aud": AUDIENCE, "iss": ISSUER}, None, "none"),
}


@pytest.mark.parametrize("authorization", FORGED.values(), ids=FORGED.keys())
async def test_anything_else_is_turned_away(door: tuple[httpx2.AsyncClient, Probe], authorization: str | None) -> None:
    client, probe = door
    assert await post(client, authorization) == 401
    assert probe.calls == []


async def test_a_body_that_is_no_wrapped_message_is_a_bad_request(door: tuple[httpx2.AsyncClient, Probe]) -> None:
    client, _ = door
    for content in ({}, {"message": {}}, [], body(data="%%%")):
        assert await post(client, f"Bearer {token()}", content) == 400


@pytest.mark.parametrize(("data_bytes", "status"), [(10_000_000, 204), (13_000_000, 413)])
async def test_the_largest_message_fits_and_nothing_endless(
    door: tuple[httpx2.AsyncClient, Probe], data_bytes: int, status: int
) -> None:
    client, _ = door
    assert await post(client, f"Bearer {token()}", body(data=base64.b64encode(bytes(data_bytes)).decode())) == status


async def test_a_subscription_of_another_service_is_not_found(door: tuple[httpx2.AsyncClient, Probe]) -> None:
    client, _ = door
    answer = await client.post("/events/search.x", json=body(), headers={"Authorization": f"Bearer {token()}"})
    assert answer.status_code == 404
