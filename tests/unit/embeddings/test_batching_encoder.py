"""Texts of concurrent files share requests; nobody waits long, gets another's vector, or fails for another's text."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from embeddings.batching import BatchingEncoder
from embeddings.encoder import Encoded, EncoderAnswerInvalid, EncoderRefused, EncoderUnavailable
from embeddings.testing import FakeEncoder


class CountingEncoder(FakeEncoder):
    """Remembers the requests; refuses any request with the word ``forbidden``."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[int] = []

    async def encode(self, texts: Sequence[str]) -> Encoded:
        self.requests.append(len(texts))
        await asyncio.sleep(0)
        if "forbidden" in texts:
            raise EncoderRefused("no")
        return await super().encode(texts)


class SlowEncoder(CountingEncoder):
    """Answers nobody before it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.answered = asyncio.Event()

    async def encode(self, texts: Sequence[str]) -> Encoded:
        self.requests.append(len(texts))
        await self.answered.wait()
        return await FakeEncoder().encode(texts)


@pytest.fixture
def inner() -> CountingEncoder:
    return CountingEncoder()


async def test_concurrent_files_share_a_request_and_get_their_own_vectors(inner: CountingEncoder) -> None:
    batching = BatchingEncoder(inner, wait_s=0.01)
    files = [[f"file {i} text {j}" for j in range(3)] for i in range(10)]
    answers = await asyncio.gather(*(batching.encode_documents(texts) for texts in files))
    assert inner.requests == [30]
    for texts, vectors in zip(files, answers, strict=True):
        assert np.array_equal(vectors, await FakeEncoder().encode_documents(texts))


async def test_who_comes_alone_does_not_wait(inner: CountingEncoder) -> None:
    batching = BatchingEncoder(inner, wait_s=3600)
    await batching.encode_documents(["a", "b"])
    await batching.encode_documents(["c"])
    assert inner.requests == [2, 1]


async def test_who_comes_while_a_request_is_under_way_waits_for_company() -> None:
    inner = SlowEncoder()
    batching = BatchingEncoder(inner, wait_s=0.01)
    files = [asyncio.create_task(batching.encode_documents(["first"]))]
    while not inner.requests:
        await asyncio.sleep(0)
    for text in ("second", "third"):
        files.append(asyncio.create_task(batching.encode_documents([text])))
        await asyncio.sleep(0)
    while len(inner.requests) < 2:
        await asyncio.sleep(0.001)
    inner.answered.set()
    await asyncio.gather(*files)
    assert inner.requests == [1, 2]


async def test_full_requests_go_at_once_and_the_rest_after_the_wait(inner: CountingEncoder) -> None:
    batching = BatchingEncoder(inner, max_texts=10, wait_s=0.01)
    vectors = await batching.encode_documents([f"text {i}" for i in range(25)])
    assert inner.requests == [10, 10, 5]
    assert np.array_equal(vectors[24], await FakeEncoder().encode_query("text 24"))


async def test_one_file_s_refused_text_fails_only_that_file(inner: CountingEncoder) -> None:
    batching = BatchingEncoder(inner, wait_s=0.01)
    good, bad = await asyncio.gather(
        batching.encode_documents(["fine"]), batching.encode_documents(["forbidden"]), return_exceptions=True
    )
    assert isinstance(good, np.ndarray)
    assert isinstance(bad, EncoderRefused)


async def test_a_refusal_of_one_file_alone_is_not_asked_for_again(inner: CountingEncoder) -> None:
    with pytest.raises(EncoderRefused):
        await BatchingEncoder(inner).encode(["forbidden", "fine"])
    assert inner.requests == [2]


class StammeringEncoder(CountingEncoder):
    """Gives answers nobody can use: always to ``nonsense``, else as many times as it is told to."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    async def encode(self, texts: Sequence[str]) -> Encoded:
        encoded = await super().encode(texts)
        self.times -= 1
        if "nonsense" in texts or self.times >= 0:
            raise EncoderAnswerInvalid("a vector is not finite")
        return encoded


@pytest.mark.parametrize("files", [1, 3])
async def test_an_unusable_answer_is_asked_for_once_more(files: int) -> None:
    inner = StammeringEncoder(1)
    batching = BatchingEncoder(inner, wait_s=0.01)
    vectors = await asyncio.gather(*(batching.encode_documents([f"a {i}", f"b {i}"]) for i in range(files)))
    assert [vector.shape for vector in vectors] == [(2, 64)] * files
    assert inner.requests == [2 * files] + [2] * files


async def test_one_file_s_unusable_answer_fails_only_that_file() -> None:
    inner = StammeringEncoder(0)
    batching = BatchingEncoder(inner, wait_s=0.01)
    good, bad = await asyncio.gather(
        batching.encode_documents(["fine"]), batching.encode_documents(["nonsense"]), return_exceptions=True
    )
    assert isinstance(good, np.ndarray)
    assert isinstance(bad, EncoderAnswerInvalid)
    assert inner.requests == [2, 1, 1]


async def test_an_outage_fails_everyone_and_passes(inner: CountingEncoder) -> None:
    batching = BatchingEncoder(inner, wait_s=0.01)
    inner.failure = EncoderUnavailable("down")
    answers = await asyncio.gather(
        batching.encode_documents(["a"]), batching.encode_documents(["b", "c"]), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [EncoderUnavailable] * 2
    inner.failure = None
    assert (await batching.encode_documents(["a"])).shape == (1, 64)


async def test_a_caller_who_gave_up_is_not_paid_for(inner: CountingEncoder) -> None:
    batching = BatchingEncoder(inner, wait_s=0.05)
    gone = asyncio.create_task(batching.encode_documents(["gone"]))
    stays = asyncio.create_task(batching.encode_documents(["stays"]))
    await asyncio.sleep(0)
    gone.cancel()
    assert (await stays).shape == (1, 64)
    assert inner.encoded == ["stays"]


async def test_nothing_and_queries_go_straight_through(inner: CountingEncoder) -> None:
    batching = BatchingEncoder(inner, wait_s=60)
    assert (await batching.encode_documents([])).shape == (0, 64)
    assert (await batching.encode_query("now")).shape == (64,)
    assert (batching.model_id, batching.dimensions) == ("fake-64", 64)
