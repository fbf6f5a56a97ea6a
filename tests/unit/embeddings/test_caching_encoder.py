"""The cache asks for each text once, forgets the least recently used and changes no vector."""

from collections.abc import Sequence

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


async def test_callers_cannot_change_what_is_remembered() -> None:
    cached = CachingEncoder(FakeEncoder())
    for encode in (cached.encode_query, lambda text: cached.encode_documents([text])):
        kept = (await encode("a")).copy()
        (await encode("a"))[:] = 0
        assert np.array_equal(await encode("a"), kept)


async def test_model_and_dimensions_are_the_inner_ones() -> None:
    cached = CachingEncoder(FakeEncoder(8, model_id="m"))
    assert (cached.model_id, cached.dimensions) == ("m", 8)
