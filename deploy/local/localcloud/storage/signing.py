"""A V4 signed URL request into a yes or Google's refusal: rebuilds the canonical request and verifies the RSA
signature, the dates and the signed headers. Pure: no clock, no files."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from localcloud.storage.errors import StorageError

_ALGORITHM = "GOOG4-RSA-SHA256"
_MAX_EXPIRES_SECONDS = 7 * 24 * 3600
_CLOCK_SKEW = timedelta(minutes=15)
_UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"


@dataclass(frozen=True)
class SignedRequest:
    """The parts of an HTTP request a signature covers; header names in lower case."""

    method: str
    raw_path: bytes
    raw_query: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Signer:
    """Whose signatures count."""

    email: str
    public_key: RSAPublicKey


@dataclass(frozen=True)
class _Claims:
    scope: str
    signed_at: datetime
    expires_at: datetime
    header_names: Sequence[str]
    signature: bytes


def is_signed(raw_query: str) -> bool:
    """Whether the query carries a V4 signature (its names count in any case)."""
    return any(name.lower() == "x-goog-signature" for name, _ in parse_qsl(raw_query, keep_blank_values=True))


def verify(request: SignedRequest, signer: Signer, hosts: Sequence[str], now: datetime) -> None:
    """Return when the request is signed by `signer` and in time; raise `StorageError` otherwise.

    `hosts` are further names under which the service is reached, beside the request's own Host.
    """
    query = parse_qsl(request.raw_query, keep_blank_values=True)
    claims = _claims(query, signer)
    _check_headers(request.headers, claims.header_names)
    own_host = request.headers.get("host", "")
    candidates = [_string_to_sign(request, query, claims, host) for host in dict.fromkeys([own_host, *hosts])]
    if not any(_verifies(signer.public_key, claims.signature, text) for text in candidates):
        raise StorageError(
            403,
            "forbidden",
            "Access denied.",
            "SignatureDoesNotMatch",
            {
                "Details": "The request signature we calculated does not match the signature you provided.",
                "StringToSign": candidates[0],
            },
        )
    if now > claims.expires_at:
        details = f"The provided token has expired. Request signature expired at: {claims.expires_at.isoformat()}"
        raise StorageError(400, "invalid", "Invalid argument.", "ExpiredToken", {"Details": details})
    if claims.signed_at > now + _CLOCK_SKEW:
        raise StorageError(403, "forbidden", "Access denied.", "AccessDenied", {"Details": "Request is not yet valid."})


def _claims(query: list[tuple[str, str]], signer: Signer) -> _Claims:
    values = {name.lower(): text for name, text in query if name.lower().startswith("x-goog-")}
    if values.get("x-goog-algorithm") != _ALGORITHM:
        raise _malformed("X-Goog-Algorithm", f"The algorithm must be {_ALGORITHM}.")
    email, _, scope = values.get("x-goog-credential", "").partition("/")
    date = values.get("x-goog-date", "")
    try:
        signed_at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise _malformed("X-Goog-Date", "The date must be written YYYYMMDDTHHMMSSZ.") from None
    if scope.split("/")[:1] != [date[:8]] or scope.split("/")[2:] != ["storage", "goog4_request"]:
        raise _malformed("X-Goog-Credential", "The scope must be DATE/LOCATION/storage/goog4_request.")
    if email != signer.email:
        details = {"Details": f"No such service account: {email}"}
        raise StorageError(403, "forbidden", "Access denied.", "InvalidSecurity", details)
    expires = values.get("x-goog-expires", "")
    if not (expires.isascii() and expires.isdigit()) or not 1 <= int(expires[:9]) <= _MAX_EXPIRES_SECONDS:
        raise _malformed("X-Goog-Expires", f"The lifetime must be 1 to {_MAX_EXPIRES_SECONDS} seconds.")
    try:
        signature = bytes.fromhex(values.get("x-goog-signature", ""))
    except ValueError:
        raise _malformed("X-Goog-Signature", "The signature must be hexadecimal.") from None
    names = values.get("x-goog-signedheaders", "").split(";")
    return _Claims(scope, signed_at, signed_at + timedelta(seconds=int(expires)), names, signature)


def _check_headers(headers: Mapping[str, str], signed: Sequence[str]) -> None:
    if "host" not in signed:
        raise _malformed("X-Goog-SignedHeaders", "The host header must be signed.")
    for name in signed:
        if name not in headers:
            raise _malformed(name, "Header was included in signedheaders, but not in the request.")
    for name in headers:
        # Otherwise the bearer of the URL could add metadata the signer never agreed to.
        if name.startswith("x-goog-") and name not in signed:
            raise _malformed(name, "Header was not included in signedheaders.")
    if headers.get("x-goog-content-sha256", _UNSIGNED_PAYLOAD) != _UNSIGNED_PAYLOAD:
        raise _malformed("x-goog-content-sha256", f"Only {_UNSIGNED_PAYLOAD} is supported here.")


def _string_to_sign(request: SignedRequest, query: list[tuple[str, str]], claims: _Claims, host: str) -> str:
    headers = {**request.headers, "host": host}
    pairs = [(name, text) for name, text in query if name.lower() != "x-goog-signature"]
    canonical_request = "\n".join(
        [
            request.method,
            quote(unquote_to_bytes(request.raw_path), safe="/~"),
            "&".join(sorted(f"{quote(name, safe='~')}={quote(text, safe='~')}" for name, text in pairs)),
            *(f"{name}:{' '.join(headers[name].split())}" for name in claims.header_names),
            "",
            ";".join(claims.header_names),
            _UNSIGNED_PAYLOAD,
        ]
    )
    digest = hashlib.sha256(canonical_request.encode()).hexdigest()
    return "\n".join([_ALGORITHM, claims.signed_at.strftime("%Y%m%dT%H%M%SZ"), claims.scope, digest])


def _verifies(key: RSAPublicKey, signature: bytes, text: str) -> bool:
    try:
        key.verify(signature, text.encode(), padding.PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _malformed(parameter: str, details: str) -> StorageError:
    extra = {"ParameterName": parameter, "Details": details}
    return StorageError(400, "invalid", "Your request has a malformed header.", "MalformedSecurityHeader", extra)
