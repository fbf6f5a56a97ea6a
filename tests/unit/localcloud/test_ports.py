"""Ports: chosen once, kept while free, replaced when taken, never one twice."""

import json
import os
import socket
from pathlib import Path

from localcloud.ports import assign, holder, is_free
from tests.ports import free_port


def test_a_port_is_free_until_somebody_listens() -> None:
    port = free_port()
    assert is_free(port)
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)
        assert str(os.getpid()) in (holder(port) or "")
    assert is_free(port)
    assert holder(port) is None


def test_somebody_listening_on_every_address_takes_the_port_too() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:
        assert not is_free(server.getsockname()[1])


def test_assigned_ports_are_distinct_and_remembered(tmp_path: Path) -> None:
    book = tmp_path / "ports.json"
    first = assign(("a", "b", "c"), book, reserved=8080)
    assert len(set(first.values())) == 3
    assert assign(("a", "b", "c"), book, reserved=8080) == first


def test_a_port_that_was_taken_meanwhile_is_replaced_alone(tmp_path: Path) -> None:
    book = tmp_path / "ports.json"
    first = assign(("a", "b"), book, reserved=8080)
    with socket.create_server(("127.0.0.1", first["a"])):
        second = assign(("a", "b"), book, reserved=8080)
    assert second["a"] != first["a"]
    assert second["b"] == first["b"]


def test_the_public_port_is_never_given_to_something_else(tmp_path: Path) -> None:
    book = tmp_path / "ports.json"
    first = assign(("a",), book, reserved=8080)
    assert assign(("a",), book, reserved=first["a"]) != first


def test_an_unreadable_book_is_started_anew(tmp_path: Path) -> None:
    book = tmp_path / "ports.json"
    for text in ("", "{", "[1]"):
        book.write_text(text)
        assert assign(("a",), book, reserved=8080) == json.loads(book.read_text())


def test_names_that_are_gone_leave_the_book(tmp_path: Path) -> None:
    book = tmp_path / "ports.json"
    assign(("a", "old"), book, reserved=8080)
    assert set(assign(("a", "new"), book, reserved=8080)) == set(json.loads(book.read_text())) == {"a", "new"}
