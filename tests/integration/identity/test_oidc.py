"""Bearer tokens against a real issuer over HTTP: what is believed, what is not, and how often its keys are fetched."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from contracts.identifiers import is_user_id
from hosting.settings import SignInSettings
from identity.oidc import Issuer, OidcVerifier, configured_issuer, firebase, user_id_of
from identity.signing_keys import KEPT_AT_LEAST_S, REFETCH_S, KeysUnavailableError, SigningKeys
from tests.integration.identity.issuer import AUDIENCE, LocalIssuer, new_rsa, public_jwk, public_pem, unsigned

JWKS = "/jwks"


@pytest.fixture
def issuer() -> Iterator[LocalIssuer]:
    with LocalIssuer() as running:
        yield running


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(issuer: LocalIssuer, clock: Clock) -> OidcVerifier:
    return OidcVerifier(Issuer(issuer.url, AUDIENCE), SigningKeys(issuer.url, clock=clock))


@pytest.mark.parametrize("kid", ["rsa-1", "ec-1"])
async def test_a_good_token_names_its_person_for_ever(issuer: LocalIssuer, verifier: OidcVerifier, kid: str) -> None:
    user = await verifier.verify(issuer.token(kid, email="a@example.org", email_verified=True))
    assert user is not None
    assert (user.user_id, user.email) == (user_id_of(issuer.url, "person-1"), "a@example.org")
    assert is_user_id(user.user_id)
    other = await verifier.verify(issuer.token(kid, sub="person-2", email="a@example.org"))
    assert other is not None
    assert (other.user_id != user.user_id, other.email) == (True, None)


def test_the_id_follows_from_issuer_and_subject() -> None:
    assert user_id_of("https://issuer.example", "1") == "usr_dwestiqlvdzassxqtfa7w6uf6d"
    assert user_id_of("https://issuer.example", "1") != user_id_of("https://issuer.exampl", "e1")


NOW = int(time.time())


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": NOW - 120},
        {"exp": None},
        {"iat": None},
        {"iat": NOW + 3600},
        {"nbf": NOW + 3600},
        {"aud": "another-page"},
        {"aud": ["another-page"]},
        {"aud": None},
        {"aud": [AUDIENCE, "another-page"], "azp": "another-page"},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
        {"exp": "soon"},
    ],
    ids="-".join,
)
async def test_claims_that_are_not_for_us_now(issuer: LocalIssuer, verifier: OidcVerifier, claims: dict) -> None:
    assert await verifier.verify(issuer.token(**claims)) is None


async def test_several_audiences_are_fine_when_we_are_the_authorized_party(
    issuer: LocalIssuer, verifier: OidcVerifier
) -> None:
    assert await verifier.verify(issuer.token(aud=[AUDIENCE, "api"], azp=AUDIENCE))


@pytest.mark.parametrize(("declared", "good"), [("JWT", 1), ("at+jwt", 1), ("logout+jwt", 0), ("secevent+jwt", 0)])
async def test_tokens_for_another_purpose(
    issuer: LocalIssuer, verifier: OidcVerifier, declared: str, good: int
) -> None:
    assert bool(await verifier.verify(issuer.token(headers={"typ": declared}))) == bool(good)


async def test_a_token_that_is_not_signed_with_the_issuers_key(issuer: LocalIssuer, verifier: OidcVerifier) -> None:
    good = issuer.token()
    assert await verifier.verify(good)
    head, body, signature = good.split(".")
    forged = base64.urlsafe_b64encode(b'{"sub":"admin"}').rstrip(b"=").decode()
    for bad in (
        issuer.token(key=new_rsa()),
        issuer.token("ec-1", key=ec.generate_private_key(ec.SECP256R1())),
        issuer.token("rsa-1", key=issuer.keys["ec-1"]),  # a good signature, by another key than it says
        f"{head}.{forged}.{signature}",
        f"{head}.{body}.",
        unsigned(good, alg="none", typ="JWT", kid="rsa-1"),
        unsigned(good, alg="None"),
        unsigned(good, alg="RS256", kid=["rsa-1"]),
        unsigned(good, typ="JWT"),
        "", "a.b.c", "...", "x" * 20_000,
    ):  # fmt: skip
        assert await verifier.verify(bad) is None, bad


@pytest.mark.parametrize("kid", ["rsa-1", "ec-1"])
async def test_a_public_key_is_no_shared_secret(issuer: LocalIssuer, verifier: OidcVerifier, kid: str) -> None:
    """HS256 over the published key, in the forms a library might take for a secret."""
    key = issuer.keys[kid]
    body = issuer.token().split(".")[1]
    for secret in (public_pem(key), public_pem(key).strip(), json.dumps(public_jwk(kid, key)).encode()):
        header = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": kid}).encode()).rstrip(b"=").decode()
        mac = hmac.new(secret, f"{header}.{body}".encode(), hashlib.sha256).digest()
        token = f"{header}.{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
        assert await verifier.verify(token) is None


async def test_where_a_token_says_its_key_is_does_not_matter(issuer: LocalIssuer, verifier: OidcVerifier) -> None:
    mine = new_rsa()
    with LocalIssuer() as evil:
        evil.keys = {"rsa-1": mine}
        for header in ({"jku": evil.url + JWKS}, {"x5u": evil.url}, {"jwk": public_jwk("rsa-1", mine)}):
            assert await verifier.verify(issuer.token(key=mine, headers=header)) is None
        assert evil.asked == {}


async def test_keys_for_other_uses_are_not_used(issuer: LocalIssuer, verifier: OidcVerifier) -> None:
    weak, sealed, p384 = new_rsa(1024), new_rsa(), ec.generate_private_key(ec.SECP384R1())
    issuer.extra_jwks = [
        public_jwk("weak", weak),
        public_jwk("sealed", sealed) | {"use": "enc"},
        public_jwk("declared", sealed) | {"alg": "RS512"},
        {"kty": "oct", "kid": "secret", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"},
        {"kty": "EC", "crv": "P-384", "kid": "p384", "x": "AA", "y": "AA"},
    ]
    assert await verifier.verify(issuer.token())
    for kid, key in (("sealed", sealed), ("declared", sealed)):
        assert await verifier.verify(issuer.token(kid, key=key)) is None
    del weak, p384


async def test_keys_are_fetched_once_and_not_per_request(issuer: LocalIssuer, verifier: OidcVerifier) -> None:
    token = issuer.token()
    assert all(await asyncio.gather(*(verifier.verify(token) for _ in range(50))))
    assert issuer.asked == {"/.well-known/openid-configuration": 1, JWKS: 1}


async def test_a_rotated_key_is_found_but_a_flood_of_made_up_ids_is_not_passed_on(
    issuer: LocalIssuer, verifier: OidcVerifier, clock: Clock
) -> None:
    assert await verifier.verify(issuer.token())
    issuer.keys["rsa-2"] = new_rsa()
    clock.now += REFETCH_S
    assert await verifier.verify(issuer.token("rsa-2"))
    stranger = new_rsa()
    for number in range(30):
        assert await verifier.verify(issuer.token(f"made-up-{number}", key=stranger)) is None
    assert issuer.asked[JWKS] == 2
    clock.now += REFETCH_S
    assert await verifier.verify(issuer.token("made-up", key=stranger)) is None
    assert issuer.asked[JWKS] == 3
    assert await verifier.verify(issuer.token("rsa-1"))


async def test_a_withdrawn_key_ends_with_the_life_of_what_was_fetched(
    issuer: LocalIssuer, verifier: OidcVerifier, clock: Clock
) -> None:
    token = issuer.token()
    assert await verifier.verify(token)
    issuer.keys["rsa-1"] = new_rsa()
    clock.now += KEPT_AT_LEAST_S + issuer.max_age
    assert await verifier.verify(token) is None


async def test_an_issuer_that_is_down_fails_closed(issuer: LocalIssuer, verifier: OidcVerifier, clock: Clock) -> None:
    token = issuer.token()
    issuer.status = 503
    for _ in range(5):
        with pytest.raises(KeysUnavailableError):
            await verifier.verify(token)
    assert sum(issuer.asked.values()) == 1
    issuer.status = 200
    clock.now += REFETCH_S
    assert await verifier.verify(token)
    issuer.status = 503
    clock.now += 0.9 * 600
    assert await verifier.verify(token), "what was fetched is still good"
    clock.now += 0.2 * 600
    with pytest.raises(KeysUnavailableError):
        await verifier.verify(token)


async def test_the_discovery_document_must_be_the_issuers_own(issuer: LocalIssuer, verifier: OidcVerifier) -> None:
    issuer.claimed_issuer = "https://somebody.example"
    with pytest.raises(KeysUnavailableError):
        await verifier.verify(issuer.token())
    assert JWKS not in issuer.asked


async def test_an_issuer_nobody_listens_at() -> None:
    verifier = OidcVerifier(Issuer("http://127.0.0.1:1", AUDIENCE))
    with LocalIssuer() as other:
        for _ in range(2):
            with pytest.raises(KeysUnavailableError):
                await verifier.verify(other.token())
            with pytest.raises(KeysUnavailableError):
                await verifier.discovery()


def test_firebase_is_a_preset() -> None:
    issuer = firebase("my-project")
    assert (issuer.issuer, issuer.audience) == ("https://securetoken.google.com/my-project", "my-project")
    assert configured_issuer(SignInSettings(firebase_project="my-project")) == issuer


def test_half_a_configuration_is_refused() -> None:
    assert configured_issuer(SignInSettings()) is None
    with pytest.raises(ValueError, match="OIDC_AUDIENCE"):
        configured_issuer(SignInSettings(oidc_issuer="https://issuer.example"))


def test_the_page_may_call_the_token_endpoint_and_nothing_else() -> None:
    whole = SignInSettings(oidc_issuer="https://issuer.example/realm", oidc_client_id="page")
    assert whole.sign_in_origins == ("https://issuer.example",)
    elsewhere = whole.model_copy(update={"oidc_token_endpoint": "https://tokens.example:8443/token"})
    assert elsewhere.sign_in_origins == ("https://tokens.example:8443",)
    assert SignInSettings(oidc_issuer="https://issuer.example", oidc_audience="x").sign_in_origins == ()
