"""V4 verification against the official client's own signer, with the clock in the test's hand."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.cloud.storage._signing import generate_signed_url_v4
from google.oauth2 import service_account
from hypothesis import given
from hypothesis import strategies as st

from localcloud.storage.errors import StorageError
from localcloud.storage.names import segment
from localcloud.storage.signing import SignedRequest, Signer, is_signed, verify

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EMAIL = "signer@p.iam.gserviceaccount.com"
SIGNER = Signer(EMAIL, KEY.public_key())
NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
CREDENTIALS = service_account.Credentials.from_service_account_info(
    {
        "client_email": EMAIL,
        "token_uri": "http://127.0.0.1:9/token",
        "private_key": KEY.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
    }
)


def signed(path: str = "/bucket/x", method: str = "GET", lifetime: int = 60, **options: object) -> SignedRequest:
    url = generate_signed_url_v4(
        CREDENTIALS,
        path,
        lifetime,
        api_access_endpoint="http://127.0.0.1:9000",
        method=method,
        _request_timestamp=NOW.strftime("%Y%m%dT%H%M%SZ"),
        **options,
    )
    raw_path, _, query = url.removeprefix("http://127.0.0.1:9000").partition("?")
    return SignedRequest(method, raw_path.encode(), query, {"host": "127.0.0.1:9000", "accept": "*/*"})


def refusal(request: SignedRequest, now: datetime = NOW) -> StorageError:
    with pytest.raises(StorageError) as refused:
        verify(request, SIGNER, [], now)
    return refused.value


@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_any_name_verifies(name: str) -> None:
    path = "/bucket/" + segment(name).replace("%2F", "/")
    verify(signed(path, response_disposition=f'attachment; filename="{name}"'), SIGNER, [], NOW)


def test_the_last_second_and_the_first_too_late() -> None:
    verify(signed(), SIGNER, [], NOW + timedelta(seconds=60))
    late = refusal(signed(), NOW + timedelta(seconds=61))
    assert (late.status, late.xml_code) == (400, "ExpiredToken")
    assert "2026-11-21T12:01:00+00:00" in late.details["Details"]


def test_not_yet_valid() -> None:
    verify(signed(), SIGNER, [], NOW - timedelta(minutes=14))
    assert refusal(signed(), NOW - timedelta(minutes=16)).status == 403


def test_other_hosts_count_only_when_named() -> None:
    request = signed()
    other = SignedRequest(request.method, request.raw_path, request.raw_query, {"host": "proxy:1"})
    assert refusal(other).xml_code == "SignatureDoesNotMatch"
    verify(other, SIGNER, ["127.0.0.1:9000"], NOW)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("X-Goog-Algorithm", "GOOG4-HMAC-SHA256"),
        ("X-Goog-Date", "yesterday"),
        ("X-Goog-Expires", "604801"),
        ("X-Goog-Expires", "0"),
        ("X-Goog-Expires", "-5"),
        ("X-Goog-SignedHeaders", "accept"),
        ("X-Goog-SignedHeaders", "host;x-goog-missing"),
        ("X-Goog-Signature", "not hexadecimal"),
        ("X-Goog-Credential", "x"),
    ],
)
def test_malformed_parameters(parameter: str, value: str) -> None:
    request = signed()
    pairs = [pair.split("=") for pair in request.raw_query.split("&")]
    query = "&".join(f"{name}={value if name == parameter else text}" for name, text in pairs)
    broken = SignedRequest(request.method, request.raw_path, query, request.headers)
    assert (refusal(broken).status, refusal(broken).xml_code) == (400, "MalformedSecurityHeader")


def test_unsigned_goog_headers_are_refused() -> None:
    request = signed()
    headers = {**request.headers, "x-goog-meta-owner": "somebody"}
    extended = SignedRequest(request.method, request.raw_path, request.raw_query, headers)
    assert refusal(extended).details["ParameterName"] == "x-goog-meta-owner"


def test_is_signed() -> None:
    assert is_signed(signed().raw_query)
    assert not is_signed("generation=5&Signature=x")
