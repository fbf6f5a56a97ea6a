"""Tokens that Firebase has revoked: a local server speaks ``accounts:lookup`` as Google and its emulator do."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from hosting.settings import SignInSettings
from identity import revocation
from identity.oidc import Issuer, OidcVerifier, configured_verifier
from identity.revocation import CHECKED_S, STALE_S, AccountsUnavailableError, FirebaseAccounts
from identity.signing_keys import SigningKeys
from tests.integration.identity.issuer import AUDIENCE, LocalIssuer, new_rsa
from tests.wire_server import Reply, Request, WireServer

PATH = "/identitytoolkit.googleapis.com/v1/projects/our-project/accounts:lookup"
NOW = 1_790_000_000


class Firebase:
    """``accounts`` by subject are in the fields and types of the API; ``status`` other than 200: it is in trouble."""

    def __init__(self) -> None:
        self.accounts: dict[str, dict[str, Any]] = {"ann": account("ann")}
        self.asked: list[tuple[str, str | None, Any]] = []
        self.status = 200
        self.body: bytes | None = None

    def answer(self, request: Request) -> Reply:
        wanted = json.loads(request.body)
        self.asked.append((request.target, request.headers["authorization"], wanted))
        found = [self.accounts[subject] for subject in wanted["localId"] if subject in self.accounts]
        answered: dict[str, Any] = {"kind": "identitytoolkit#GetAccountInfoResponse"}
        if found:
            answered["users"] = found
        return Reply(self.status, json.dumps(answered).encode() if self.body is None else self.body)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def account(subject: str, **fields: Any) -> dict[str, Any]:
    written = {"localId": subject, "email": f"{subject}@example.org", "lastLoginAt": "1789999999000"}
    return written | {"validSince": str(NOW)} | fields


def service_account(token_uri: str) -> dict[str, str]:
    pem = new_rsa().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "type": "service_account",
        "project_id": "our-project",
        "private_key": pem.decode(),
        "client_email": "search@our-project.iam.gserviceaccount.com",
        "token_uri": token_uri,
    }


@pytest.fixture
def firebase() -> Firebase:
    return Firebase()


@pytest.fixture
def host(firebase: Firebase) -> Iterator[str]:
    with WireServer(firebase.answer) as server:
        yield server.url.removeprefix("http://")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(host: str, clock: Clock) -> FirebaseAccounts:
    return FirebaseAccounts("our-project", host, clock=clock)


async def test_it_is_asked_as_the_official_sdk_asks(firebase: Firebase, accounts: FirebaseAccounts) -> None:
    assert not await accounts.revoked("ann", NOW)
    assert firebase.asked == [(PATH, "Bearer owner", {"localId": ["ann"]})]


async def test_google_is_asked_as_the_account_of_the_process(
    firebase: Firebase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(request: Request) -> Reply:
        if request.path != "/token":
            return firebase.answer(request)
        assert b"jwt-bearer" in request.body
        return Reply(200, json.dumps({"access_token": "ya29.x", "expires_in": 3600, "token_type": "Bearer"}).encode())

    with WireServer(answer) as server:
        key = tmp_path / "account.json"
        key.write_text(json.dumps(service_account(f"{server.url}/token")))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
        monkeypatch.setattr(revocation, "_GOOGLE", server.url)
        assert not await FirebaseAccounts("our-project").revoked("ann", NOW)
    assert firebase.asked == [("/v1/projects/our-project/accounts:lookup", "Bearer ya29.x", {"localId": ["ann"]})]


@pytest.mark.parametrize(
    ("fields", "issued_at", "revoked"),
    [
        ({}, NOW + 5, False),
        ({}, NOW - 1, True),
        ({"disabled": True}, NOW + 5, True),
        ({"disabled": False, "validSince": "0"}, 1, False),
    ],
)
async def test_a_token_counts_from_a_time_on_and_for_who_is_not_disabled(
    firebase: Firebase, accounts: FirebaseAccounts, fields: dict[str, Any], issued_at: int, revoked: bool
) -> None:
    firebase.accounts["ann"] = account("ann", **fields)
    assert await accounts.revoked("ann", issued_at) is revoked


async def test_an_account_that_was_removed_has_no_tokens(accounts: FirebaseAccounts) -> None:
    assert await accounts.revoked("nobody", NOW)


async def test_a_user_is_looked_up_once_a_minute(firebase: Firebase, accounts: FirebaseAccounts, clock: Clock) -> None:
    assert not await accounts.revoked("ann", NOW)
    firebase.accounts["ann"] = account("ann", validSince=str(NOW + 60))
    clock.now += CHECKED_S - 1
    assert not await accounts.revoked("ann", NOW)
    assert len(firebase.asked) == 1
    clock.now += 1
    assert await accounts.revoked("ann", NOW)
    assert not await accounts.revoked("ann", NOW + 60), "who signed in again is in again"


@pytest.mark.parametrize(("status", "body"), [(503, None), (403, None), (200, b"not JSON")])
async def test_while_it_is_away_its_last_word_counts_for_a_tokens_life(
    firebase: Firebase, accounts: FirebaseAccounts, clock: Clock, status: int, body: bytes | None
) -> None:
    assert not await accounts.revoked("ann", NOW)
    firebase.status, firebase.body = status, body
    clock.now += STALE_S - 1
    assert not await accounts.revoked("ann", NOW)
    with pytest.raises(AccountsUnavailableError):
        await accounts.revoked("bob", NOW)
    clock.now += 1
    with pytest.raises(AccountsUnavailableError):
        await accounts.revoked("ann", NOW)


async def test_a_good_token_of_a_revoked_user_is_not_believed(
    firebase: Firebase, accounts: FirebaseAccounts, clock: Clock
) -> None:
    with LocalIssuer() as issuer:
        verifier = OidcVerifier(Issuer(issuer.url, AUDIENCE), SigningKeys(issuer.url), accounts)
        token = issuer.token(sub="ann")
        firebase.accounts["ann"] = account("ann", validSince="0")
        assert await verifier.verify(token) is not None
        firebase.accounts["ann"] = account("ann", disabled=True)
        clock.now += CHECKED_S
        assert await verifier.verify(token) is None
        assert await verifier.verify(token[:-4] + "AAAA") is None
        assert len(firebase.asked) == 2, "a token that is not signed asks nobody"


def test_it_needs_a_project() -> None:
    with pytest.raises(ValueError, match="FIREBASE_PROJECT"):
        configured_verifier(SignInSettings(firebase_check_revoked=True))
    assert configured_verifier(SignInSettings(firebase_check_revoked=True, firebase_project="our-project"))
