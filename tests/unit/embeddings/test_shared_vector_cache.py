"""What one process was given another finds, over restarts too; a store that is away or broken fails nobody."""

from collections.abc import Sequence

import numpy as np
import pytest
from redis import Redis

from embeddings.cache import CachingEncoder
from embeddings.encoder import Encoded
from embeddings.settings import EncoderSettings, chosen_encoders
from embeddings.shared_cache import SharedVectorCache, shared_vector_cache
from embeddings.testing import FakeEncoder
from tests.redis_server import redis
from tests.unit.embeddings.openai_server import EmbeddingsServer, Reply, good_answer


class Paid(FakeEncoder):
    async def encode(self, texts: Sequence[str]) -> Encoded:
        free = await super().encode(texts)
        return Encoded(free.vectors, np.full(len(texts), 3), np.full(len(texts), 0.5))


async def test_a_restarted_process_pays_only_for_what_changed() -> None:
    before, after = Paid(), Paid()
    with redis() as port:
        kept = SharedVectorCache(f"redis://127.0.0.1:{port}/2")
        first = await CachingEncoder(before, kept=kept).encode(["page 1", "page 2", "page 3", "page 1"])
        await kept.aclose()
        kept = SharedVectorCache(f"redis://127.0.0.1:{port}/2")
        second = await CachingEncoder(after, kept=kept).encode(["page 1", "page 2, changed", "page 3"])
        await kept.aclose()
    assert (before.encoded, after.encoded) == (["page 1", "page 2", "page 3"], ["page 2, changed"])
    assert second.cost_usd.tolist() == [0, 0.5, 0]
    assert np.array_equal(second.vectors[[0, 2]], first.vectors[[0, 2]]), "not a bit is lost"


async def test_more_texts_than_one_request_carries() -> None:
    texts = [f"text {number}" for number in range(450)]
    with redis() as port:
        kept = SharedVectorCache(f"redis://127.0.0.1:{port}")
        first = await CachingEncoder(FakeEncoder(), kept=kept).encode_documents(texts)
        idle = FakeEncoder()
        assert np.array_equal(await CachingEncoder(idle, kept=kept).encode_documents(texts), first)
        await kept.aclose()
    assert idle.encoded == []


async def test_another_model_finds_nothing_and_queries_are_not_kept() -> None:
    with redis() as port:
        kept = SharedVectorCache(f"redis://127.0.0.1:{port}")
        cached = CachingEncoder(FakeEncoder(), kept=kept)
        await cached.encode_documents(["text"])
        await cached.encode_query("what somebody looked for")
        other = FakeEncoder(model_id="another")
        await CachingEncoder(other, kept=kept).encode_documents(["text"])
        await kept.aclose()
        with Redis(port=port) as client:
            names = client.keys("*")
            assert [name.startswith(b"mmsearch.vectors/") for name in names] == [True, True]
            assert all(0 < client.ttl(name) <= 7 * 86_400 for name in names)
    assert other.encoded == ["text"]


@pytest.mark.parametrize("value", [b"", b"x" * 255, b"\x00" * 256, b"\xff" * 256])
async def test_what_no_encoder_gave_is_not_believed(value: bytes) -> None:
    with redis() as port:
        kept = SharedVectorCache(f"redis://127.0.0.1:{port}")
        await CachingEncoder(FakeEncoder(64), kept=kept).encode_documents(["text"])
        with Redis(port=port) as client:
            (name,) = client.keys("*")
            client.set(name, value)
        inner = FakeEncoder(64)
        vectors = await CachingEncoder(inner, kept=kept).encode_documents(["text"])
        await kept.aclose()
    assert inner.encoded == ["text"]
    assert np.isfinite(vectors).all()


async def test_without_the_store_everything_goes_on() -> None:
    inner = FakeEncoder()
    kept = SharedVectorCache("redis://127.0.0.1:1")
    cached = CachingEncoder(inner, kept=kept)
    assert (await cached.encode_documents(["a", "b"])).shape == (2, 64)
    await cached.encode_documents(["a"])
    await kept.aclose()
    assert inner.encoded == ["a", "b"]


async def test_an_embedder_that_is_started_again_asks_openai_for_nothing_it_knows(
    monkeypatch: pytest.MonkeyPatch, server: EmbeddingsServer
) -> None:
    for name in ("GOOGLE_CLOUD_PROJECT", "UPLOADS_BUCKET", "ARTIFACTS_BUCKET"):
        monkeypatch.setenv(name, "acme-test")
    monkeypatch.setenv("EMBEDDING_BACKEND", "openai")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    server.reply = lambda request: Reply(body=good_answer(request))
    with redis() as port:
        monkeypatch.setenv("EMBEDDING_CACHE_URL", f"redis://127.0.0.1:{port}")
        for _ in range(2):
            (chosen,) = chosen_encoders(EncoderSettings(), "embedder")
            async with chosen.in_use:
                await chosen.encoder.encode_documents(["page 1", "page 2"])
    assert len(server.requests) == 1


def test_in_memory_each_process_remembers_its_own() -> None:
    assert shared_vector_cache("memory://") is None
