"""A CDN link says what the CDN checks: address, expiry and key name, under the keyed hash of exactly those."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from objectstore.cdn import SignedCdn

KEY = base64.urlsafe_b64encode(b"sixteen bytes ok").decode()
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def test_a_link_carries_the_hash_of_everything_before_it() -> None:
    url = SignedCdn("https://thumbnails.example.com/", "mmsearch", KEY).signed_url(
        "amy/upl_1/thümb nail.jpg", timedelta(minutes=5), now=NOW
    )
    unsigned, signature = url.split("&Signature=")
    ends = int(NOW.timestamp()) + 301
    path = "amy/upl_1/th%C3%BCmb%20nail.jpg"
    assert unsigned == f"https://thumbnails.example.com/{path}?Expires={ends}&KeyName=mmsearch"
    expected = hmac.new(b"sixteen bytes ok", unsigned.encode(), hashlib.sha1).digest()
    assert base64.urlsafe_b64decode(signature) == expected


def test_another_key_gives_another_signature() -> None:
    other = base64.urlsafe_b64encode(b"another 16 bytes").decode()
    signatures = {
        SignedCdn("https://cdn", "k", key).signed_url("a", timedelta(1), now=NOW).split("Signature=")[1]
        for key in (KEY, other)
    }
    assert len(signatures) == 2


@pytest.mark.parametrize("key", ["", "abc", base64.urlsafe_b64encode(b"too short").decode(), "ü"])
def test_a_key_that_the_cdn_would_not_take_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="signing key"):
        SignedCdn("https://cdn", "k", key)
