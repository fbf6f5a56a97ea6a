"""A multipart body gives the same file however the network cuts it, and never holds more than a piece of it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hosting.answers import ApiError
from upload_gateway import multipart
from upload_gateway.multipart import MultipartUpload, boundary_of

BOUNDARY = b"edge"
LIMIT = 100_000


def body(content: bytes) -> bytes:
    head = b'--edge\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{"a": 1}\r\n'
    file = (
        b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n'
    )
    return head + file + content + b"\r\n--edge--\r\n"


async def pieces(data: bytes, cuts: list[int]) -> AsyncIterator[bytes]:
    at = 0
    for cut in [*sorted(cuts), len(data)]:
        if cut > at:
            yield data[at:cut]
            at = cut


async def read(upload: MultipartUpload) -> tuple[bytes, bytes]:
    _, head = await upload.open(64)
    return head, b"".join([chunk async for chunk in upload.chunks()])


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=300)
    | st.lists(st.sampled_from([b"\r\n--edge", b"\r\n", b"--", b"x"]), max_size=20).map(b"".join),
    st.lists(st.integers(0, 500), max_size=12),
)
async def test_any_cut_gives_the_same_file(content: bytes, cuts: list[int]) -> None:
    assume(b"\r\n--edge" not in content)
    data = body(content)
    upload = MultipartUpload(pieces(data, [min(cut, len(data)) for cut in cuts]), BOUNDARY, LIMIT)
    head, whole = await read(upload)
    assert whole == content
    assert content.startswith(head)
    assert len(head) == min(len(content), 64)
    assert upload.fields == {"metadata": b'{"a": 1}'}


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        (b'filename="a%22b;.txt"', 'a"b;.txt'),
        ('filename="é.txt"'.encode(), "é.txt"),
        (b"filename=\"=?utf-8?B?w6kudHh0?=\"; filename*=utf-8''%C3%A9.txt", "é.txt"),
        (b"filename*=UTF-8'de'%E6%B8%AF%22.txt; filename=harbour.txt", '港".txt'),
        (b"filename*=utf-8''%C3%A9.txt", "é.txt"),
        (b"filename=e.txt; filename*=iso-8859-1''%E9.txt", "e.txt"),
        (b"filename*=utf-8''; filename=plain.txt", "plain.txt"),
        (b"filename=\"a; filename*=utf-8''b.txt\"", "a; filename*=utf-8''b.txt"),
    ],
)
async def test_the_name_comes_in_either_form(parameters: bytes, name: str) -> None:
    head = b"--edge\r\nContent-Disposition: form-data; name=file; " + parameters + b"\r\n\r\n"
    upload = MultipartUpload(pieces(head + b"x\r\n--edge--\r\n", []), BOUNDARY, LIMIT)
    headers, _ = await upload.open(64)
    assert headers.filename == name


async def test_no_more_than_a_piece_is_held() -> None:
    produced = consumed = 0

    async def stream() -> AsyncIterator[bytes]:
        nonlocal produced
        data = body(b"x" * 90_000)
        for at in range(0, len(data), 1000):
            produced += 1000
            yield data[at : at + 1000]

    upload = MultipartUpload(stream(), BOUNDARY, LIMIT)
    await upload.open(64)
    async for chunk in upload.chunks():
        consumed += len(chunk)
        assert produced - consumed < 4000


async def test_the_limit_counts_the_file_alone() -> None:
    exact = MultipartUpload(pieces(body(b"x" * LIMIT), []), BOUNDARY, LIMIT)
    assert len((await read(exact))[1]) == LIMIT
    over = MultipartUpload(pieces(body(b"x" * (LIMIT + 1)), []), BOUNDARY, LIMIT)
    with pytest.raises(ApiError) as refusal:
        await read(over)
    assert (refusal.value.status, refusal.value.code) == (413, "file_size")
    assert refusal.value.message == "The file is larger than 100,000 bytes."


async def test_the_rest_of_a_refused_request_is_read_only_a_little() -> None:
    read_bytes = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read_bytes
        while True:
            read_bytes += 1 << 20
            yield b"x" * (1 << 20)

    await MultipartUpload(endless(), BOUNDARY, LIMIT).drain()
    assert read_bytes <= 8 << 20


async def falling_silent(data: bytes) -> AsyncIterator[bytes]:
    yield data
    await asyncio.Event().wait()


@pytest.mark.parametrize("sent", [b"", b"--edge\r\n", body(b"x" * 5000)[:-500], body(b"x")[:-6]])
async def test_a_sender_that_falls_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(multipart, "SILENCE_S", 0.02)
    with pytest.raises(ApiError) as refusal:
        await read(MultipartUpload(falling_silent(sent), BOUNDARY, LIMIT))
    assert (refusal.value.status, refusal.value.code) == (408, "body_too_slow")


async def test_a_sender_that_is_slow_but_keeps_sending_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipart, "SILENCE_S", 5)

    async def slowly() -> AsyncIterator[bytes]:
        async for piece in pieces(body(b"slow"), list(range(0, 200, 10))):
            await asyncio.sleep(0)
            yield piece

    assert (await read(MultipartUpload(slowly(), BOUNDARY, LIMIT)))[1] == b"slow"


async def test_a_refused_request_that_falls_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipart, "DRAINED_FOR_S", 0.02)
    async with asyncio.timeout(20):
        await MultipartUpload(falling_silent(b"x"), BOUNDARY, LIMIT).drain()


@pytest.mark.parametrize("header", [None, "", "text/plain", "multipart/mixed; boundary=x", "multipart/form-data"])
def test_other_content_types_are_refused(header: str | None) -> None:
    with pytest.raises(ApiError) as refusal:
        boundary_of(header)
    assert refusal.value.code == "bad_multipart"
