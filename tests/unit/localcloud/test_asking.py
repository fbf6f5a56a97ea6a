"""What processes say when they are asked: what they do without, what is down, or nothing because they hang."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from localcloud import asking
from localcloud.asking import Word, asked
from localcloud.state import ProcessReport


def report(name: str, port: int | None) -> ProcessReport:
    return ProcessReport(name, "service", "ready", 1, port, 0, 1.0, 1.0)


@contextmanager
def listening(answer: bytes | None) -> Iterator[int]:
    """The port of a server that gives this answer to the first who speaks to it; None: it never takes the call."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer or b"")

        thread = threading.Thread(target=serve)
        if answer is not None:
            thread.start()
        yield server.getsockname()[1]
        if answer is not None:
            thread.join()


def http(status: str, body: object) -> bytes:
    content = json.dumps(body).encode()
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status.encode(), len(content), content)


def test_a_service_says_what_it_does_without_and_what_is_down() -> None:
    fine = http("200 OK", {"notices": ["no speech model"], "down": []})
    troubled = http("503 Service Unavailable", {"notices": [], "down": ["database", "storage"]})
    with listening(fine) as first, listening(troubled) as second:
        assert asked([report("analyzer", first), report("search", second)]) == [
            Word("analyzer", notices=("no speech model",)),
            Word("search", troubles=("database is down", "storage is down")),
        ]


def test_who_does_not_speak_http_is_greeted_in_its_own_words() -> None:
    with listening(b"N") as postgres, listening(b"\x00") as pubsub, listening(b"") as hangs_up:
        reports = [report("postgres", postgres), report("pubsub", pubsub), report("postgres", hangs_up)]
        assert [word.troubles for word in asked(reports)] == [(), (), ("does not answer",)]


@pytest.mark.parametrize("name", ["postgres", "pubsub", "storage", "search", "router", "traces"])
def test_who_hangs_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_ASK_S", 0.05)
    with listening(None) as port:
        assert asked([report(name, port)]) == [Word(name, troubles=("does not answer",))]


def test_any_answer_will_do_of_what_is_no_service_of_ours() -> None:
    with listening(http("404 Not Found", "nothing")) as other:
        assert asked([report("router", other), report("media", None)]) == [Word("router")]
