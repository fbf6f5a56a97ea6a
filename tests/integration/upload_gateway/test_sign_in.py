"""Signing in at an OpenID Connect issuer: the first login makes the user, suspension ends it, the page learns how."""

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from contracts.events import UserChangedV1
from identity.oidc import Issuer, OidcVerifier, user_id_of
from tests.integration.identity.issuer import AUDIENCE, LocalIssuer
from tests.integration.upload_gateway.conftest import Gateway
from upload_gateway.identity import TableAuthenticator


@pytest.fixture
def issuer() -> Iterator[LocalIssuer]:
    with LocalIssuer() as running:
        yield running


@pytest.fixture
async def signed(gateway: Gateway, issuer: LocalIssuer) -> Gateway:
    """A gateway without a local user."""
    verifier = OidcVerifier(Issuer(issuer.url, AUDIENCE, client_id=AUDIENCE))
    authenticator = TableAuthenticator(gateway.database, None, verifier, lambda: gateway.wakes.append(1))
    gateway.app.state.authenticator = authenticator
    object.__setattr__(gateway.resources, "authenticator", authenticator)
    return gateway


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_the_first_login_makes_a_user_and_tells_of_them_once(signed: Gateway, issuer: LocalIssuer) -> None:
    headers = bearer(issuer.token(email="a@example.org", email_verified=True))
    answers = await asyncio.gather(*(signed.client.get("/api/v1/users/me", headers=headers) for _ in range(6)))
    assert {a.status_code for a in answers} == {200}
    user_id = user_id_of(issuer.url, "person-1")
    me = answers[0].json()["data"]
    assert (me["user_id"], me["email"], me["tier"], me["operator"]) == (user_id, "a@example.org", "free", False)
    told = await signed.announced(UserChangedV1)
    assert [(event.user_id, event.version, event.operator) for event in told] == [(user_id, 1, False)]
    assert signed.wakes


async def test_an_address_belongs_to_whoever_had_it_first(signed: Gateway, issuer: LocalIssuer) -> None:
    for subject, email in (("1", "a@example.org"), ("2", None)):
        headers = bearer(issuer.token(sub=subject, email="a@example.org", email_verified=True))
        assert (await signed.client.get("/api/v1/users/me", headers=headers)).json()["data"]["email"] == email


async def test_suspended_is_forbidden(signed: Gateway, issuer: LocalIssuer) -> None:
    headers = bearer(issuer.token())
    await signed.client.get("/api/v1/users/me", headers=headers)
    async with signed.database.transaction() as session:
        await session.execute(text("UPDATE users SET status = 'suspended' WHERE user_id LIKE 'usr_%'"))
    signed.resources.authenticator.forget_user(user_id_of(issuer.url, "person-1"))
    answer = await signed.client.get("/api/v1/uploads", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "suspended")


async def test_bad_tokens_are_401_and_an_issuer_that_is_away_is_503(signed: Gateway, issuer: LocalIssuer) -> None:
    issuer.status = 500
    away = await signed.client.get("/api/v1/uploads", headers=bearer(issuer.token()))
    assert (away.status_code, away.json()["error"]["code"]) == (503, "unavailable")
    for token in (issuer.token(aud="x").replace(".", "", 1), "nonsense"):
        answer = await signed.client.get("/api/v1/uploads", headers=bearer(token))
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthenticated")


async def test_uploads_belong_to_the_person(signed: Gateway, issuer: LocalIssuer) -> None:
    first, second = bearer(issuer.token(sub="1")), bearer(issuer.token(sub="2"))
    files = {"file": ("a.jpg", b"\xff\xd8\xff\xe0 a picture" * 9, "image/jpeg")}
    assert (await signed.client.post("/api/v1/upload", headers=first, files=files)).status_code == 202
    assert (await signed.client.get("/api/v1/uploads", headers=first)).json()["meta"]["total"] == 1
    assert (await signed.client.get("/api/v1/uploads", headers=second)).json()["meta"]["total"] == 0


async def test_the_page_learns_where_to_sign_in(signed: Gateway, issuer: LocalIssuer) -> None:
    found = (await signed.client.get("/api/v1/auth/config")).json()["data"]
    assert found["local"] is False
    assert (found["issuer"], found["client_id"]) == (issuer.url, AUDIENCE)
    assert found["authorization_endpoint"] == f"{issuer.url}/authorize"
    assert found["token_endpoint"] == f"{issuer.url}/token"
    assert (await signed.client.post("/api/v1/auth/local")).status_code == 404


async def test_on_one_machine_there_is_nothing_to_sign_in_to(gateway: Gateway) -> None:
    found = (await gateway.client.get("/api/v1/auth/config")).json()["data"]
    assert (found["local"], found["issuer"]) == (True, None)
