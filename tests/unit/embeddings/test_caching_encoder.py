"""The cache asks for each text once, forgets the least recently used and changes no vector."""

import asyncio
from collections.abc import Coroutine, Sequence

import numpy as np
import pytest

from embeddings.cache import CachingEncoder
from embeddings.encoder import Encoded, EncoderUnavailable
from embeddings.testing import FakeEncoder


async def test_each_text_is_encoded_once() -> None:
    inner = FakeEncoder()
    cached = CachingEncoder(inner)
    first = await cached.encode_documents(["a", "b", "a"])
    second = await cached.encode_documents(["b", "c", "a"])
    assert inner.encoded == ["a", "b", "c"]
    assert np.array_equal(first[0], first[2])
    assert np.array_equal(second, await FakeEncoder().encode_documents(["b", "c", "a"]))


async def test_only_the_first_asking_is_paid_for() -> None:
    class Paid(FakeEncoder):
        async def encode(self, texts: Sequence[str]) -> Encoded:
            free = await super().encode(texts)
            return Encoded(free.vectors, np.full(len(texts), 3), np.full(len(texts), 0.5))

    cached = CachingEncoder(Paid())
    assert (await cached.encode(["a", "b", "a"])).tokens.tolist() == [3, 3, 0]
    assert (await cached.encode(["a", "c"])).cost_usd.tolist() == [0.0, 0.5]


async def test_queries_and_documents_are_kept_apart() -> None:
    inner = FakeEncoder()
    cached = CachingEncoder(inner)
    await cached.encode_documents(["same"])
    await cached.encode_query("same")
    await cached.encode_query("same")
    assert inner.encoded == ["same", "same"]


async def test_the_least_recently_used_goes_first() -> None:
    inner = FakeEncoder()
    cached = CachingEncoder(inner, max_texts=2)
    await cached.encode_documents(["a", "b"])
    await cached.encode_documents(["a"])
    await cached.encode_documents(["c"])
    await cached.encode_documents(["a", "b"])
    assert inner.encoded == ["a", "b", "c", "b"]


async def test_more_texts_than_fit_still_come_back_whole() -> None:
    cached = CachingEncoder(FakeEncoder(), max_texts=2)
    texts = ["a", "b", "c", "d"]
    assert np.array_equal(await cached.encode_documents(texts), await FakeEncoder().encode_documents(texts))
    assert (await cached.encode_documents([])).shape == (0, 64)


async def test_a_failure_is_not_remembered() -> None:
    inner = FakeEncoder()
    cached = CachingEncoder(inner)
    inner.failure = EncoderUnavailable("down")
    with pytest.raises(EncoderUnavailable):
        await cached.encode_documents(["a"])
    inner.failure = None
    assert (await cached.encode_documents(["a"])).shape == (1, 64)


class Halting(FakeEncoder):
    """Answers so many calls, then none until it is told how many more."""

    def __init__(self) -> None:
        super().__init__()
        self.calls_left = 0
        self.halted = asyncio.Event()

    async def encode(self, texts: Sequence[str]) -> Encoded:
        if not self.calls_left:
            self.halted.set()
            await asyncio.Event().wait()
        self.calls_left -= 1
        await asyncio.sleep(0)
        return await super().encode(texts)

    async def let(self, calls: int, *files: Coroutine[None, None, object]) -> None:
        """Works on the files until so many calls are answered, then they are given up."""
        self.calls_left = calls
        self.halted.clear()
        under_way = [asyncio.create_task(file) for file in files]
        await self.halted.wait()
        for file in under_way:
            file.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def test_who_gives_up_goes_on_from_there() -> None:
    inner = Halting()
    cached = CachingEncoder(inner)
    files = [[f"file {file} passage {i}" for i in range(900)] for file in "AB"]
    for _ in range(5):
        await inner.let(3, *(cached.encode(texts) for texts in files))
    assert len(inner.encoded) == 15 * 100
    inner.calls_left = 3
    answers = await asyncio.gather(*(cached.encode_documents(texts) for texts in files))
    assert sorted(inner.encoded) == sorted(files[0] + files[1]), "no text twice"
    for texts, vectors in zip(files, answers, strict=True):
        assert np.array_equal(vectors, await FakeEncoder().encode_documents(texts))


async def test_what_is_new_pushes_out_what_nobody_is_working_on() -> None:
    inner = Halting()
    cached = CachingEncoder(inner, max_texts=300)
    mine, another, third = ([f"{file} {i}" for i in range(300)] for file in ("mine", "another", "third"))
    for file in (mine, another, mine, third):
        await inner.let(1, cached.encode(file))
    inner.calls_left = 1
    await cached.encode(mine)
    assert inner.encoded.count("mine 0") == inner.encoded.count("mine 299") == 1


async def test_what_was_paid_for_is_kept_when_the_next_request_fails() -> None:
    class Failing(FakeEncoder):
        async def encode(self, texts: Sequence[str]) -> Encoded:
            if "page 250" in texts and self.failure is None:
                self.failure = EncoderUnavailable("down")
            return await super().encode(texts)

    inner = Failing()
    cached = CachingEncoder(inner)
    texts = [f"page {i}" for i in range(300)]
    with pytest.raises(EncoderUnavailable):
        await cached.encode(texts)
    assert inner.encoded == texts[:200]
    await cached.encode(texts[:200])
    assert inner.encoded == texts[:200]


async def test_callers_cannot_change_what_is_remembered() -> None:
    cached = CachingEncoder(FakeEncoder())
    for encode in (cached.encode_query, lambda text: cached.encode_documents([text])):
        kept = (await encode("a")).copy()
        (await encode("a"))[:] = 0
        assert np.array_equal(await encode("a"), kept)


async def test_model_and_dimensions_are_the_inner_ones() -> None:
    cached = CachingEncoder(FakeEncoder(8, model_id="m"))
    assert (cached.model_id, cached.dimensions) == ("m", 8)
