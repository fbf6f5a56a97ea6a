"""Behind Cloud Run's own check a token may come without its signature; everything else about it is still checked."""

import time
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from contracts.artifacts import Service
from eventing.push import PushIdentity, PushVerifier, push_identity, push_router
from eventing.testing import MemoryBroker
from hosting.app import create_app
from hosting.health import Release
from hosting.settings import ServiceSettings
from objectstore.testing import MemoryObjectStore
from tests.unit.eventing.pipeline import SUBSCRIPTION, Probe, runtime
from tests.unit.eventing.test_push import ACCOUNT, AUDIENCE, ISSUER, KEY, OTHER_KEY, body, jwks_url, token

__all__ = ["jwks_url"]  # the fixture of the key set

REMOVED = "SIGNATURE_REMOVED_BY_GOOGLE"


def stripped(key: rsa.RSAPrivateKey = KEY, **changes: Any) -> str:
    """A token as Cloud Run hands it on: header and claims untouched, the signature replaced."""
    return token(key, **changes).rpartition(".")[0] + "." + REMOVED


@pytest.fixture(params=[True, False], ids=["cloud_run_iam", "jwt"])
def platform_verified(request: pytest.FixtureRequest) -> bool:
    return request.param


@pytest.fixture
def probe() -> Probe:
    return Probe()


@pytest.fixture
def door(jwks_url: str, platform_verified: bool, probe: Probe) -> httpx2.AsyncClient:
    identity = PushIdentity(AUDIENCE, ACCOUNT, ISSUER, jwks_url, platform_verified)
    router = push_router([runtime(probe, MemoryBroker(), MemoryObjectStore())], PushVerifier(identity))
    app = create_app(Service.ANALYZER, routers=[router])
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://analyzer")


async def post(door: httpx2.AsyncClient, bearer: str) -> int:
    headers = {"Authorization": f"Bearer {bearer}"}
    return (await door.post(f"/events/{SUBSCRIPTION.name}", json=body(), headers=headers)).status_code


async def test_a_stripped_token_counts_only_where_the_platform_checked_it(
    door: httpx2.AsyncClient, probe: Probe, platform_verified: bool
) -> None:
    assert await post(door, stripped()) == (204 if platform_verified else 401)
    assert len(probe.calls) == (1 if platform_verified else 0)


async def test_a_token_with_its_signature_is_verified_in_both(door: httpx2.AsyncClient, probe: Probe) -> None:
    assert await post(door, token()) == 204
    assert await post(door, token(OTHER_KEY)) == 401
    assert len(probe.calls) == 1


REFUSED = {
    "another audience": stripped(aud="https://elsewhere.example"),
    "another issuer": stripped(iss="https://evil.example"),
    "expired": stripped(exp=1),
    "not yet valid": stripped(nbf=int(time.time()) + 3600),
    "without expiry": stripped(exp=None),
    "without audience": stripped(aud=None),
    "another account": stripped(email="someone@example.iam"),
    "unverified account": stripped(email_verified=False),
    "another mark": stripped()[:-1],
    "no signature at all": stripped().rpartition(".")[0] + ".",
    "unsigned by its own word": jwt.encode(
        {"iss": ISSUER, "aud": AUDIENCE, "email": ACCOUNT, "email_verified": True, "iat": 1, "exp": 9_999_999_999},
        None,
        "none",
    ),
}


@pytest.mark.parametrize("bearer", REFUSED.values(), ids=REFUSED.keys())
async def test_a_stripped_token_must_still_say_the_right_things(
    door: httpx2.AsyncClient, probe: Probe, bearer: str
) -> None:
    assert await post(door, bearer) == 401
    assert probe.calls == []


def settings(**values: Any) -> ServiceSettings:
    return ServiceSettings(google_cloud_project="p", uploads_bucket="u", artifacts_bucket="a", **values)


def test_without_an_audience_messages_are_pulled() -> None:
    assert push_identity(settings()) is None


def test_full_verification_is_the_default() -> None:
    identity = push_identity(settings(push_audience=AUDIENCE, push_service_account=ACCOUNT))
    assert identity == PushIdentity(AUDIENCE, ACCOUNT)
    assert not identity.platform_verified


def test_stripped_tokens_are_believed_only_where_the_public_cannot_call() -> None:
    iam: dict[str, Any] = {
        "push_audience": AUDIENCE,
        "push_service_account": ACCOUNT,
        "push_auth": "cloud_run_iam",
    }
    identity = push_identity(settings(**iam, service_ingress="internal"))
    assert identity is not None
    assert identity.platform_verified
    for public in ({}, {"service_ingress": "public"}):
        with pytest.raises(ValueError, match="SERVICE_INGRESS"):
            push_identity(settings(**iam, **public))


def test_an_audience_without_an_account_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="PUSH_SERVICE_ACCOUNT"):
        push_identity(settings(push_audience=AUDIENCE))


async def test_version_tells_what_the_image_was_built_from() -> None:
    app = create_app(Service.ANALYZER, release=Release("v1.2.3", "abc1234"))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://analyzer") as http:
        answer = (await http.get("/version")).json()
    assert answer == {"service": "analyzer", "version": "v1.2.3", "revision": "abc1234"}
