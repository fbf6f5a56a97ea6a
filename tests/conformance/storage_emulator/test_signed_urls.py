"""Signed URLs made by the official client with the emulator's key: what they allow and what is refused."""

import datetime
import os
import stat
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth.crypt import RSASigner
from google.cloud import storage
from google.cloud.storage._signing import generate_signed_url_v4
from google.oauth2 import service_account

from tests.conformance.storage_emulator.conftest import connect, open_session
from tests.conformance.storage_emulator.process import StorageProcess

NAME = "dir/ünï & co+~x.txt"


@pytest.fixture
def sign(bucket: storage.Bucket, emulator: StorageProcess) -> Any:
    def signed(name: str = NAME, **options: Any) -> str:
        options.setdefault("expiration", datetime.timedelta(minutes=5))
        options.setdefault("credentials", emulator.signing_credentials())
        return bucket.blob(name).generate_signed_url(version="v4", **options)

    return signed


def code(answer: requests.Response) -> tuple[int, str | None]:
    assert answer.headers["Content-Type"].startswith("application/xml")
    return answer.status_code, ET.fromstring(answer.content).findtext("Code")


def test_key_file_is_private_and_stable(own_emulator: StorageProcess) -> None:
    path = own_emulator.data_dir / "service-account.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    own_emulator.stop()
    own_emulator.start()
    assert path.read_bytes() == before


def test_get_and_head(bucket: storage.Bucket, sign: Any) -> None:
    bucket.blob(NAME).upload_from_string(b"0123456789", content_type="text/plain")
    url = sign(response_disposition='attachment; filename="ü.txt"', response_type="application/x-thing")
    answer = requests.get(url, timeout=5)
    assert (answer.status_code, answer.content) == (200, b"0123456789")
    assert answer.headers["Content-Type"] == "application/x-thing"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    part = requests.get(url, headers={"Range": "bytes=2-3"}, timeout=5)
    assert (part.status_code, part.content) == (206, b"23")
    head = requests.head(sign(method="HEAD"), timeout=5)
    assert (head.status_code, head.headers["Content-Length"]) == (200, "10")
    assert code(requests.get(sign("missing"), timeout=5)) == (404, "NoSuchKey")


def test_who_has_these_bytes_is_not_sent_them_again(bucket: storage.Bucket, sign: Any) -> None:
    blob = bucket.blob(NAME)
    blob.upload_from_string(b"0123456789", content_type="text/plain")
    url = sign()
    etag = requests.get(url, timeout=5).headers["ETag"]
    for held in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = requests.get(url, headers={"If-None-Match": held, "Range": "bytes=99-"}, timeout=5)
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag), held
    assert requests.head(sign(method="HEAD"), headers={"If-None-Match": etag}, timeout=5).status_code == 304
    assert requests.get(url, headers={"If-None-Match": '"other"'}, timeout=5).status_code == 200
    blob.upload_from_string(b"9876543210", content_type="text/plain")
    changed = requests.get(url, headers={"If-None-Match": etag}, timeout=5)
    assert (changed.status_code, changed.content) == (200, b"9876543210")


def test_put_with_metadata_and_condition(bucket: storage.Bucket, sign: Any) -> None:
    headers = {"x-goog-meta-owner": "u1", "x-goog-if-generation-match": "0", "x-goog-content-length-range": "1,10"}
    url = sign(method="PUT", content_type="image/png", headers=dict(headers))
    sent = {**headers, "Content-Type": "image/png"}
    assert code(requests.put(url, b"x" * 11, headers=sent, timeout=5)) == (400, "EntityTooLarge")
    assert code(requests.put(url, b"", headers=sent, timeout=5)) == (400, "EntityTooSmall")
    assert requests.put(url, b"png", headers=sent, timeout=5).status_code == 200
    found = bucket.get_blob(NAME)
    assert found is not None
    assert (found.metadata, found.content_type) == ({"owner": "u1"}, "image/png")
    assert code(requests.put(url, b"png", headers=sent, timeout=5)) == (412, "PreconditionFailed")
    wrong_type = {**sent, "Content-Type": "text/html"}
    assert code(requests.put(url, b"png", headers=wrong_type, timeout=5)) == (403, "SignatureDoesNotMatch")
    more = {**sent, "x-goog-meta-admin": "yes"}
    assert code(requests.put(url, b"png", headers=more, timeout=5)) == (400, "MalformedSecurityHeader")


def test_resumable(bucket: storage.Bucket, sign: Any) -> None:
    start = requests.post(sign(method="RESUMABLE"), headers={"x-goog-resumable": "start"}, timeout=5)
    assert start.status_code == 201
    session = start.headers["Location"]
    data = os.urandom(512 * 1024)
    first = requests.put(session, data[: 256 * 1024], headers={"Content-Range": "bytes 0-262143/*"}, timeout=5)
    assert (first.status_code, first.headers["Range"]) == (308, "bytes=0-262143")
    last = {"Content-Range": "bytes 262144-524287/524288"}
    assert requests.put(session, data[256 * 1024 :], headers=last, timeout=5).status_code == 200
    assert bucket.blob(NAME).download_as_bytes() == data
    cancelled = requests.post(sign("other", method="RESUMABLE"), headers={"x-goog-resumable": "start"}, timeout=5)
    assert requests.delete(cancelled.headers["Location"], timeout=5).status_code == 499
    assert code(requests.put(cancelled.headers["Location"], b"x", timeout=5)) == (404, "NoSuchUpload")


def test_delete(bucket: storage.Bucket, sign: Any) -> None:
    bucket.blob(NAME).upload_from_string(b"x")
    assert requests.delete(sign(method="DELETE"), timeout=5).status_code == 204
    assert not bucket.blob(NAME).exists()


def test_unsigned(bucket: storage.Bucket, emulator: StorageProcess) -> None:
    bucket.blob("x").upload_from_string(b"x")
    url = f"{emulator.url}/{bucket.name}/x"
    for answer in (requests.get(url, timeout=5), requests.put(url, b"y", timeout=5), requests.delete(url, timeout=5)):
        assert code(answer) == (403, "AccessDenied")
    assert bucket.blob("x").download_as_bytes() == b"x"


def test_tampered(bucket: storage.Bucket, sign: Any) -> None:
    for name in (NAME, "secret"):
        bucket.blob(name).upload_from_string(b"x")
    url = sign()
    signature = url.rpartition("=")[2]
    changed = [
        url.replace("dir/", "dir2/"),
        sign("public").replace("public", "secret"),
        url.replace(signature, ("0" if signature[0] != "0" else "1") + signature[1:]),
        url.replace("X-Goog-Expires=300", "X-Goog-Expires=301"),
        url + "&response-content-type=text/html",
    ]
    for tampered in changed:
        assert tampered != url
        assert code(requests.get(tampered, timeout=5)) == (403, "SignatureDoesNotMatch")
    assert code(requests.put(url, b"y", timeout=5)) == (403, "SignatureDoesNotMatch")
    assert code(requests.get(url.replace("X-Goog-Expires=300", "X-Goog-Expires=x"), timeout=5))[0] == 400
    assert code(requests.get(url.replace(signature, "zz"), timeout=5))[0] == 400


def test_expired_and_not_yet_valid(bucket: storage.Bucket, emulator: StorageProcess) -> None:
    bucket.blob("x").upload_from_string(b"x")
    now = datetime.datetime.now(datetime.UTC)

    def get(offset: datetime.timedelta) -> requests.Response:
        url = generate_signed_url_v4(
            emulator.signing_credentials(),
            f"/{bucket.name}/x",
            300,
            api_access_endpoint=emulator.url,
            _request_timestamp=(now + offset).strftime("%Y%m%dT%H%M%SZ"),
        )
        return requests.get(url, timeout=5)

    assert get(datetime.timedelta(minutes=-4)).status_code == 200
    assert code(get(datetime.timedelta(minutes=-6))) == (400, "ExpiredToken")
    assert code(get(datetime.timedelta(hours=1))) == (403, "AccessDenied")


def test_foreign_key(bucket: storage.Bucket, sign: Any, emulator: StorageProcess) -> None:
    bucket.blob(NAME).upload_from_string(b"x")
    own = emulator.signing_credentials()
    pem = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    signer = RSASigner.from_string(pem)
    for email, expected in ((own.service_account_email, "SignatureDoesNotMatch"), ("x@y.example", "InvalidSecurity")):
        foreign = service_account.Credentials(signer, email, "http://127.0.0.1:9/token")
        assert code(requests.get(sign(credentials=foreign), timeout=5)) == (403, expected)


def test_public_url_is_another_name_of_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = StorageProcess(tmp_path, "--public-url", "http://files.example:8080/")
    process.start()
    client = connect(process, monkeypatch)
    try:
        blob = client.create_bucket("uploads-bucket").blob("x")
        blob.upload_from_string(b"x")
        url = blob.generate_signed_url(
            version="v4",
            expiration=300,
            credentials=process.signing_credentials(),
            api_access_endpoint="http://files.example:8080",
        )
        direct = url.replace("http://files.example:8080", process.url)
        assert requests.get(direct, timeout=5).content == b"x"
    finally:
        client.close()
        process.kill()


def test_tls_port(bucket: storage.Bucket, emulator: StorageProcess) -> None:
    bucket.blob("x").upload_from_string(b"x")
    certificate = str(emulator.data_dir / "tls-certificate.pem")
    url = f"https://127.0.0.1:{emulator.tls_port}/storage/v1/b/{bucket.name}/o/x"
    answer = requests.get(url, verify=certificate, timeout=5)
    assert answer.json()["mediaLink"].startswith(f"https://127.0.0.1:{emulator.tls_port}/")


def test_cors(client: storage.Client, bucket: storage.Bucket, sign: Any) -> None:
    bucket.cors = [
        {"origin": ["https://a.example"], "method": ["GET", "PUT"], "responseHeader": ["ETag"], "maxAgeSeconds": 60}
    ]
    bucket.patch()
    bucket.blob(NAME).upload_from_string(b"x")
    ask = {"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"}
    allowed = requests.options(sign(method="PUT"), headers=ask, timeout=5)
    assert allowed.status_code == 200
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://a.example"
    assert allowed.headers["Access-Control-Max-Age"] == "60"
    refused = requests.options(sign(method="PUT"), headers={**ask, "Origin": "https://b.example"}, timeout=5)
    assert "Access-Control-Allow-Origin" not in refused.headers
    read = requests.get(sign(), headers={"Origin": "https://a.example"}, timeout=5)
    assert read.headers["Access-Control-Expose-Headers"] == "ETag"


def test_cors_of_a_session(bucket: storage.Bucket) -> None:
    url = open_session(bucket.blob("x"), origin="https://app.example")
    own, other = {"Origin": "https://app.example"}, {"Origin": "https://other.example"}
    ask = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-range"}
    preflight = requests.options(url, headers={**own, **ask}, timeout=5)
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "PUT" in preflight.headers["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Origin" not in requests.options(url, headers={**other, **ask}, timeout=5).headers
    fetch = {**own, "Sec-Fetch-Site": "cross-site", "Content-Range": "bytes */*"}
    status = requests.put(url, headers=fetch, timeout=5)
    assert (status.status_code, status.headers["Access-Control-Allow-Origin"]) == (308, "https://app.example")
    assert "Range" in status.headers["Access-Control-Expose-Headers"]
