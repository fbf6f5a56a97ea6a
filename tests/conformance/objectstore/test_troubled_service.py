"""What the storage service answers in trouble is an outage, whatever the client makes of it; a refusal is not."""

from collections.abc import AsyncIterator, Callable

import pytest
from google.api_core.exceptions import Forbidden

from objectstore.gcs import CHUNK_BYTES, GcsObjectStore, connect
from objectstore.store import StoreUnavailableError, StreamDigest
from tests.conformance.storage_emulator.process import PROJECT
from tests.wire_server import Reply, Request, WireServer

LONG, SHORT = CHUNK_BYTES + 1, 10


async def stream(store: GcsObjectStore, size: int) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"x" * size

    async def agree(_digest: StreamDigest) -> None:
        return

    await store.put_stream("bucket", "key", chunks(), "text/plain", {}, agree)


def answering(status: int, *, opens_session: bool) -> Callable[[Request], Reply]:
    def answer(request: Request) -> Reply:
        if request.method == "POST" and "uploadType=resumable" in request.target and opens_session:
            return Reply(headers={"location": f"http://{request.headers['host']}/session"})
        if request.method == "DELETE":  # the session of what could not be sent is given up
            return Reply(499)
        assert request.body or request.method == "GET" or opens_session
        return Reply(status, b'{"error": {"message": "no"}}')

    return answer


@pytest.mark.parametrize(
    ("size", "opens_session"),
    [(SHORT, False), (LONG, False), (LONG, True)],
    ids=["one request", "a session", "a piece of a session"],
)
async def test_a_full_storage_is_an_outage(monkeypatch: pytest.MonkeyPatch, size: int, *, opens_session: bool) -> None:
    with WireServer(answering(507, opens_session=opens_session)) as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
        async with connect(PROJECT) as store:
            with pytest.raises(StoreUnavailableError):
                await stream(store, size)


async def test_reading_from_a_service_in_trouble_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    with WireServer(answering(507, opens_session=False)) as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
        async with connect(PROJECT) as store:
            with pytest.raises(StoreUnavailableError):
                await store.get("bucket", "key")
            with pytest.raises(StoreUnavailableError):
                await store.list_page("bucket")


async def test_a_refusal_is_no_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    with WireServer(answering(403, opens_session=False)) as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
        async with connect(PROJECT) as store:
            with pytest.raises(Forbidden):
                await stream(store, SHORT)
