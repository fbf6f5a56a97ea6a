"""Streams of events: read as the standard says, resumed where they broke off, refused in words."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

import pytest

from mmsearch.client import Client
from mmsearch.errors import ApiError, UnreachableError
from mmsearch.live import Message, messages
from tests.unit.mmsearch.api import UPLOAD_ID, Api
from tests.wire_server import Reply, Request, WireServer

UPLOAD = (
    f'{{"upload_id": "{UPLOAD_ID}", "filename": "a", "status": "%s", '
    '"progress": 40, "created_at": "2026-11-21T10:00Z"}'
)


def test_fields_until_an_empty_line() -> None:
    stream = [": a comment", "event: upload", "id: 7", 'data: {"a":', "data: 1}", "", "data: 2", "", "event: x", ""]
    assert list(messages(stream)) == [Message("upload", "7", {"a": 1}), Message("message", "7", 2)]


@contextmanager
def streams(*bodies: str) -> Iterator[tuple[str, list[str | None]]]:
    """Answers one body after another and breaks off each; remembers what the client had heard last."""
    left, asked = list(bodies), []

    def answer(request: Request) -> Reply:
        asked.append(request.headers.get("last-event-id"))
        begun = (left.pop(0) if left else "").encode()
        return Reply(body=begun + b":", headers={"content-type": "text/event-stream"}, cut=1)

    with WireServer(answer) as server:
        yield server.url, asked


HELLO = b"event: hello\nid: %d\ndata: {}\n\n:"
STREAM = {"content-type": "text/event-stream"}


@contextmanager
def answers(*replies: Reply) -> Iterator[str]:
    """Answers one request after another."""
    left = list(replies)
    with WireServer(lambda _: left.pop(0)) as server:
        yield server.url


def test_a_stream_that_breaks_off_is_resumed() -> None:
    first = f"event: hello\nid: 3\ndata: {{}}\n\nevent: upload\nid: 4\ndata: {UPLOAD % 'processing'}\n\n"
    second = f"event: heartbeat\ndata: {{}}\n\nevent: upload\nid: 5\ndata: {UPLOAD % 'completed'}\n\n"
    with streams(first, second) as (url, asked), Client(url, "sk_key") as client:
        found = list(islice(client.changes(), 3))
    assert [upload and upload.status for upload in found] == [None, "processing", "completed"]
    assert asked == [None, "4"]


def test_a_refusal_has_its_code(api: Api) -> None:
    api.will_refuse("GET /api/v1/events", 401, "unauthenticated", "Who are you?")
    with Client(api.url, "sk_key") as client, pytest.raises(ApiError) as refused:
        next(client.changes())
    assert refused.value.code == "unauthenticated"


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_router_before_a_gateway_that_starts_again_is_silence(status: int) -> None:
    first, second = (Reply(body=HELLO % number, headers=STREAM, cut=1) for number in (1, 2))
    with answers(first, Reply(status, b"<html>", {"retry-after": "7"}), second) as url:
        pauses: list[float] = []
        with Client(url, "sk_key").pausing(pauses.append) as client:
            assert list(islice(client.changes(), 2)) == [None, None]
    assert 7 in pauses


def test_a_router_that_stays_alone_is_told(api: Api) -> None:
    api.will_refuse("GET /api/v1/events", 503, "unavailable", "In a moment.")
    pauses: list[float] = []
    with Client(api.url, "sk_key").pausing(pauses.append) as client, pytest.raises(ApiError, match="In a moment"):
        next(client.changes())
    assert 90 < sum(pauses) <= 120


def test_every_message_gives_new_patience() -> None:
    cut = [Reply(body=HELLO % number, headers=STREAM, cut=1) for number in range(4)]
    away = Reply(503, b"<html>", {"retry-after": "60"})
    with (
        answers(*(reply for hello in cut for reply in (hello, away))) as url,
        Client(url, "sk_key").pausing(lambda _: None) as client,
    ):
        assert len(list(islice(client.changes(), 4))) == 4


def test_a_stream_that_ends_without_a_word_is_silence() -> None:
    with (
        answers(*[Reply(headers=STREAM)] * 20) as url,
        Client(url, "sk_key").pausing(lambda _: None) as client,
        pytest.raises(UnreachableError, match="ended"),
    ):
        next(client.changes())


def test_nobody_there_is_a_sentence() -> None:
    pauses: list[float] = []
    with Client("http://127.0.0.1:1", "sk_key").pausing(pauses.append) as client, pytest.raises(UnreachableError):
        next(client.changes())
    assert 90 < sum(pauses) <= 120
