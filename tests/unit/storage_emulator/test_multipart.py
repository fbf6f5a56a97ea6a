"""The multipart/related parser: any split of the bytes, both line ends, media that looks like a boundary."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.storage.errors import StorageError
from localcloud.storage.multipart import RelatedParser, boundary_of

PIECES = st.lists(st.one_of(st.binary(max_size=20), st.sampled_from([b"\r\n", b"\n", b"--b", b"\r\n--", b"\n--b"])))


def body(media: bytes, newline: bytes, end: bytes) -> bytes:
    lines = [
        b"--bound",
        b"Content-Type: application/json",
        b"",
        json.dumps({"name": "x", "metadata": {"a": "--b"}}).encode(),
        b"--bound",
        b"Content-Type: image/png",
        b"",
        media,
        b"--bound--",
    ]
    return newline.join(lines) + end


@given(
    media=PIECES.map(b"".join),
    newline=st.sampled_from([b"\r\n", b"\n"]),
    end=st.sampled_from([b"", b"\r\n", b"\n", b"\r\nepilogue"]),
    cuts=st.lists(st.integers(0, 400)),
)
def test_media_comes_back_however_it_is_cut(media: bytes, newline: bytes, end: bytes, cuts: list[int]) -> None:
    data = body(media, newline, end)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    parser = RelatedParser(b"bound")
    found = b"".join(parser.feed(data[a:b]) for a, b in pairwise(edges))
    parser.close()
    assert found == media
    assert parser.resource == {"name": "x", "metadata": {"a": "--b"}}
    assert parser.media_type == "image/png"


@pytest.mark.parametrize("cut", [5, 40, 120, -3])
def test_a_truncated_body_is_refused(cut: int) -> None:
    parser = RelatedParser(b"bound")
    parser.feed(body(b"data", b"\r\n", b"")[:cut])
    with pytest.raises(StorageError):
        parser.close()


@pytest.mark.parametrize("part", [b"[1]", b"{", b"\xff"])
def test_metadata_must_be_a_json_object(part: bytes) -> None:
    parser = RelatedParser(b"b")
    with pytest.raises(StorageError):
        parser.feed(b"--b\r\n\r\n" + part + b"\r\n--b\r\n\r\nx\r\n--b--")


def test_endless_metadata_is_refused() -> None:
    parser = RelatedParser(b"b")
    with pytest.raises(StorageError, match="too long"):
        parser.feed(b"--b\r\n\r\n" + b"x" * 100_000)


@pytest.mark.parametrize("value", ['multipart/related; boundary="a=b"', "multipart/related; boundary='a=b'"])
def test_boundary_quotes(value: str) -> None:
    assert boundary_of(value) == b"a=b"


def test_boundary_is_required() -> None:
    with pytest.raises(StorageError):
        boundary_of("multipart/related")
