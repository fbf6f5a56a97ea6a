"""URLs signed by IAM's signBlob, as on Cloud Run: over its wire format, verified by the storage emulator."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import requests
import requests.adapters
from google.auth import credentials
from google.auth.transport.requests import Request
from google.cloud import storage
from google.oauth2 import service_account

from objectstore.gcs import GcsObjectStore
from objectstore.signing import RemoteSigning
from objectstore.store import StoreUnavailableError
from tests.conformance.storage_emulator.process import PROJECT, StorageProcess
from tests.wire_server import Reply, WireServer
from tests.wire_server import Request as Asked


@dataclass
class Iam:
    """A server of ``projects.serviceAccounts.signBlob`` for one account; ``failures`` answers 503 so many times."""

    key: service_account.Credentials
    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    failures: int = 0
    refuse: bool = False


class PlatformCredentials(credentials.Credentials):
    """A token without a key, whose account is known only after the first refresh: what Cloud Run gives."""

    def __init__(self, email: str) -> None:
        super().__init__()
        self.service_account_email = "default"
        self._email = email

    def refresh(self, request: Request) -> None:
        self.token = "platform-token"
        self.service_account_email = self._email


class ToLocal(requests.adapters.HTTPAdapter):
    """Carries requests for Google's address to the local server."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def send(self, request: requests.PreparedRequest, *args: object, **kwargs: object) -> requests.Response:
        assert request.url
        request.url = self._url + urlsplit(request.url).path
        return super().send(request, *args, **kwargs)  # type: ignore[arg-type]


@pytest.fixture
def iam(emulator: StorageProcess) -> Iterator[Iam]:
    state = Iam(emulator.signing_credentials())

    def answer(request: Asked) -> Reply:
        state.asked.append((request.target, request.headers["authorization"]))
        if state.failures:
            state.failures -= 1
            return Reply(503)
        if state.refuse:
            return Reply(403)
        signed = state.key.sign_bytes(base64.b64decode(json.loads(request.body)["payload"]))
        return Reply(body=json.dumps({"keyId": "k", "signedBlob": base64.b64encode(signed).decode()}).encode())

    with WireServer(answer) as server:
        state.url = server.url
        yield state


@pytest.fixture
def store(iam: Iam, emulator: StorageProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[GcsObjectStore]:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator.url)
    with requests.Session() as session:
        session.mount("https://iamcredentials.googleapis.com", ToLocal(iam.url))
        signing = RemoteSigning(PlatformCredentials(iam.key.signer_email), Request(session))
        yield GcsObjectStore(storage.Client(project=PROJECT), signing=signing)


async def test_a_url_signed_by_iam_opens_the_object_and_only_it(iam: Iam, store: GcsObjectStore) -> None:
    async with store:
        bucket = f"signed-{iam.url[-5:].strip('/:')}"
        store._client.create_bucket(bucket)
        await store.put(bucket, "a b.txt", b"signed bytes", "text/plain")
        url = await store.signed_url(bucket, "a b.txt", timedelta(minutes=5))
    assert requests.get(url, timeout=5).content == b"signed bytes"
    assert requests.get(url.replace("a%20b", "other"), timeout=5).status_code == 403
    path = f"/v1/projects/-/serviceAccounts/{iam.key.signer_email}:signBlob"
    assert iam.asked == [(path, "Bearer platform-token")]


async def test_a_busy_iam_is_asked_again(iam: Iam, store: GcsObjectStore) -> None:
    iam.failures = 1
    async with store:
        assert "X-Goog-Signature=" in await store.signed_url("b", "k", timedelta(minutes=5))
    assert len(iam.asked) == 2


async def test_an_iam_that_refuses_is_an_outage_not_a_defect(iam: Iam, store: GcsObjectStore) -> None:
    iam.refuse = True
    async with store:
        with pytest.raises(StoreUnavailableError):
            await store.signed_url("b", "k", timedelta(minutes=5))
