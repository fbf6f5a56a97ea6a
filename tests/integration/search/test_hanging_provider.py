"""A provider of query vectors that hangs: after five searches that waited for it the next ones do not ask it."""

import threading
from collections.abc import Iterator

import pytest

from embeddings.batching import BatchingEncoder
from embeddings.cache import CachingEncoder
from embeddings.openai import OpenAIEncoder
from providers.breaker import CircuitBreaker
from providers.gate import ProviderGate
from search.finder import Finder
from search.models import Model, Models
from search.request import SearchRequest
from tests.integration.search.conftest import FAKE_CALIBRATION
from tests.unit.embeddings.openai_server import EmbeddingsServer, embeddings_server, good_answer
from tests.wire_server import Reply

DIMENSIONS = 384


@pytest.fixture
def provider() -> Iterator[EmbeddingsServer]:
    """Answers its first request, and no other before the test is over."""
    over = threading.Event()

    def hang(request: dict) -> Reply:
        if len(server.requests) > 1:
            over.wait()
        return Reply(body=good_answer(request))

    with embeddings_server() as server:
        server.reply = hang
        yield server
        over.set()


async def test_after_five_searches_that_waited_the_sixth_does_not(world, provider):
    await world.add("ada", "a.txt", "The harbour froze.")
    now = [0.0]
    gate = ProviderGate("openai", per_minute=60_000, breaker=CircuitBreaker(lambda: now[0]))
    remote = OpenAIEncoder("sk-test", base_url=provider.url, dimensions=DIMENSIONS, gate=gate)
    encoder = BatchingEncoder(CachingEncoder(remote))
    finder = Finder(world.database, Models(Model(encoder, FAKE_CALIBRATION)), encoder_timeout_s=0.5)

    await remote.encode_query("one that is answered")

    async def found() -> tuple[bool, list[str], int]:
        answer = await finder.find("ada", SearchRequest(query="harbour"))
        return answer.degraded, [result.filename for result in answer.results], len(provider.requests) - 1

    for asked in range(1, 6):
        assert await found() == (True, ["a.txt"], asked)
    assert await found() == (True, ["a.txt"], 5)
    now[0] = 61
    assert await found() == (True, ["a.txt"], 6), "one probe a minute later"
    assert await found() == (True, ["a.txt"], 6)
    await remote.aclose()
