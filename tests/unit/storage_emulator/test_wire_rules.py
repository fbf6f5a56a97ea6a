"""Names, ranges, conditions, partial responses and CORS: the pure rules of the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from localcloud.storage.cors import parse_rules, rule_headers, session_headers
from localcloud.storage.errors import StorageError
from localcloud.storage.fields import parse_fields
from localcloud.storage.model import NotificationConfig, merge_patch
from localcloud.storage.names import after_prefix, check_bucket_name, decode_segment, segment
from localcloud.storage.preconditions import Preconditions
from localcloud.storage.ranges import ChunkRange, Span, chunk_range, requested_span

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(prefix=TEXT.filter(bool), rest=TEXT, other=TEXT)
def test_after_prefix_is_the_first_name_behind(prefix: str, rest: str, other: str) -> None:
    behind = after_prefix(prefix)
    if behind is None:
        assert set(prefix) == {"\U0010ffff"}
        return
    assert (prefix + rest).encode() < behind.encode()
    if prefix.encode() <= other.encode() < behind.encode():
        assert other.startswith(prefix)


@given(name=TEXT)
def test_segments_come_back(name: str) -> None:
    encoded = segment(name)
    assert "/" not in encoded
    assert decode_segment(encoded.encode()) == name


@pytest.mark.parametrize("name", ["abc", "a-b_c.d", "0" * 63, "a" * 60 + "." + "b" * 60])
def test_good_bucket_names(name: str) -> None:
    assert check_bucket_name(name) == name


@pytest.mark.parametrize("name", ["ab", "A-b", "-abc", "abc-", "a..b", "0" * 64, "a/b", "ünï", "a" * 64 + ".b"])
def test_bad_bucket_names(name: str) -> None:
    with pytest.raises(StorageError):
        check_bucket_name(name)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-0", Span(0, 1)),
        ("bytes=3-", Span(3, 7)),
        ("bytes=-4", Span(6, 4)),
        ("bytes=-99", Span(0, 10)),
        ("bytes=8-99", Span(8, 2)),
        ("bytes=5-2", None),
        ("bytes=-", None),
        ("bytes=0-1,3-4", None),
        ("pages=1-2", None),
    ],
)
def test_requested_span(header: str | None, expected: Span | None) -> None:
    assert requested_span(header, 10) == expected


@pytest.mark.parametrize(("header", "size"), [("bytes=10-", 10), ("bytes=0-", 0), ("bytes=-5", 0), ("bytes=-0", 10)])
def test_unsatisfiable_span(header: str, size: int) -> None:
    with pytest.raises(StorageError) as refused:
        requested_span(header, size)
    assert refused.value.status == 416
    assert refused.value.headers == {"Content-Range": f"bytes */{size}"}


def test_chunk_range() -> None:
    assert chunk_range(None) == ChunkRange(0, None, None)
    assert chunk_range("bytes 0-9/*") == ChunkRange(0, 10, None)
    assert chunk_range("bytes 5-9/10") == ChunkRange(5, 5, 10)
    assert chunk_range("bytes */10") == ChunkRange(None, None, 10)
    assert chunk_range("bytes */*") == ChunkRange(None, None, None)


@pytest.mark.parametrize(
    ("conditions", "current", "status"),
    [
        (Preconditions(generation_match=0), None, None),
        (Preconditions(generation_match=0), 5, 412),
        (Preconditions(generation_match=5), 5, None),
        (Preconditions(generation_match=5), None, 412),
        (Preconditions(generation_not_match=0), None, 304),
        (Preconditions(generation_not_match=0), 5, None),
        (Preconditions(generation_not_match=5), 5, 304),
    ],
)
def test_conditions(conditions: Preconditions, current: int | None, status: int | None) -> None:
    if status is None:
        conditions.check(current, current, reading=True)
        return
    for reading, expected in ((True, status), (False, 412)):
        with pytest.raises(StorageError) as refused:
            conditions.check(current, current, reading=reading)
        assert refused.value.status == expected


@pytest.mark.parametrize("text", ["-1", "x", "1.5", "٣", "9" * 30])
def test_conditions_must_be_numbers(text: str) -> None:
    with pytest.raises(StorageError):
        Preconditions.from_query({"ifGenerationMatch": text})


def test_fields() -> None:
    value = {"items": [{"name": "a", "metadata": {"k": 1, "l": 2}, "size": "1"}], "nextPageToken": "t", "kind": "k"}
    assert parse_fields("items(name,metadata/k),nextPageToken").apply(value) == {
        "items": [{"name": "a", "metadata": {"k": 1}}],
        "nextPageToken": "t",
    }
    assert parse_fields("items/*/k").apply(value) == {"items": [{"name": "a", "metadata": {"k": 1}, "size": "1"}]}
    assert parse_fields("*").apply(value) == value


@pytest.mark.parametrize("text", ["", "a(b", "a)", "a,,b", "a/", "(a)"])
def test_bad_fields(text: str) -> None:
    with pytest.raises(StorageError):
        parse_fields(text)


def test_merge_patch_removes_with_null() -> None:
    target = {"a": 1, "metadata": {"x": "1", "y": "2"}}
    assert merge_patch(target, {"a": None, "metadata": {"x": None, "z": "3"}}) == {"metadata": {"y": "2", "z": "3"}}


def test_cors_rules() -> None:
    rules = parse_rules([{"origin": ["*"], "method": ["GET"]}, {"origin": ["https://a"], "method": ["PUT"]}])
    ask = {"origin": "https://a", "access-control-request-method": "PUT"}
    assert rule_headers(rules, ask, "OPTIONS")["Access-Control-Allow-Origin"] == "https://a"
    assert rule_headers(rules, {"origin": "https://b"}, "GET")["Access-Control-Allow-Origin"] == "*"
    assert rule_headers(rules, {"origin": "https://b"}, "PUT") == {}
    assert rule_headers(rules, {}, "GET") == {}
    assert session_headers(None, {"origin": "https://a"}, preflight=True) == {}
    with pytest.raises(StorageError):
        parse_rules([{"origin": "*"}])


def test_notification_topic_forms() -> None:
    for topic in ("projects/p/topics/t", "//pubsub.googleapis.com/projects/p/topics/t"):
        assert NotificationConfig(topic=topic).topic_path == "projects/p/topics/t"
    with pytest.raises(ValidationError):
        NotificationConfig(topic="t")
