"""OpenAI's SDK against a server that speaks its wire format: what is sent, what is refused, how failures are told."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from embeddings.batching import BatchingEncoder
from embeddings.cache import CachingEncoder
from embeddings.encoder import EncoderAnswerInvalid, EncoderRefused, EncoderUnavailable
from embeddings.openai import OpenAIEncoder
from providers.budget import DailyBudget
from providers.errors import ProviderPausedError
from providers.gate import ProviderGate
from providers.prices import Price
from tests.unit.embeddings.openai_server import DIMENSIONS, EmbeddingsServer, Reply, good_answer


def _error(status: int, code: str | None = None, **headers: str) -> Reply:
    body = json.dumps({"error": {"message": "no", "type": "t", "code": code}}).encode()
    return Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


async def test_sends_model_dimensions_and_key_in_batches_of_a_hundred(
    server: EmbeddingsServer, openai_encoder: OpenAIEncoder
) -> None:
    await openai_encoder.encode_documents([f"text {i}" for i in range(203)])
    assert [len(request["input"]) for request in server.requests] == [100, 100, 3]
    assert {request["model"] for request in server.requests} == {"text-embedding-3-small"}
    assert {request["dimensions"] for request in server.requests} == {DIMENSIONS}
    assert server.authorization == "Bearer sk-test"
    assert openai_encoder.model_id == "text-embedding-3-small@256"


@pytest.mark.parametrize("status", [401, 402, 403, 404, 408, 409, 425, 429, 499, 500, 502, 503])
async def test_what_may_pass_is_unavailable_and_asked_once(
    server: EmbeddingsServer, openai_encoder: OpenAIEncoder, status: int
) -> None:
    server.reply = lambda _: _error(status, retry_after="17")
    with pytest.raises(EncoderUnavailable) as caught:
        await openai_encoder.encode_query("x")
    assert caught.value.retry_after_s == 17
    assert caught.value.quota is (status == 429)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_what_never_passes_is_refused(
    server: EmbeddingsServer, openai_encoder: OpenAIEncoder, status: int
) -> None:
    server.reply = lambda _: _error(status)
    with pytest.raises(EncoderRefused):
        await openai_encoder.encode_query("x")


@pytest.mark.parametrize("status", [401, 402, 403, 404])
async def test_what_an_operator_must_mend_opens_the_circuit_at_once(
    server: EmbeddingsServer, openai_encoder: OpenAIEncoder, status: int
) -> None:
    server.reply = lambda _: _error(status)
    with pytest.raises(EncoderUnavailable) as caught:
        await openai_encoder.encode_documents(["x"])
    assert caught.value.pause_s == pytest.approx(60, abs=5)
    with pytest.raises(ProviderPausedError):
        await openai_encoder.encode_documents(["x"])
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("header", "value", "expected"),
    [
        ("retry_after_ms", "1500", 1.5),
        ("retry_after", "soon", None),
        ("retry_after", "", None),
        ("retry_after", "-", None),
        ("retry_after", "nan", None),
        ("retry_after_ms", "x", None),
    ],
)
async def test_retry_after_in_milliseconds_or_nonsense(
    server: EmbeddingsServer, openai_encoder: OpenAIEncoder, header: str, value: str, expected: float | None
) -> None:
    server.reply = lambda _: _error(429, **{header: value})
    with pytest.raises(EncoderUnavailable) as caught:
        await openai_encoder.encode_query("x")
    assert caught.value.retry_after_s == expected


async def test_retry_after_as_a_date(server: EmbeddingsServer, openai_encoder: OpenAIEncoder) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    server.reply = lambda _: _error(429, retry_after=later)
    with pytest.raises(EncoderUnavailable) as caught:
        await openai_encoder.encode_query("x")
    assert caught.value.retry_after_s == pytest.approx(100, abs=20)


async def test_after_five_failures_the_provider_is_left_alone(
    server: EmbeddingsServer, openai_encoder: OpenAIEncoder
) -> None:
    server.reply = lambda _: _error(500)
    for _ in range(5):
        with pytest.raises(EncoderUnavailable):
            await openai_encoder.encode_query("x")
    with pytest.raises(ProviderPausedError):
        await openai_encoder.encode_documents(["x"])
    assert len(server.requests) == 5


async def test_refusals_and_bad_answers_do_not_count_against_the_provider(
    server: EmbeddingsServer, openai_encoder: OpenAIEncoder
) -> None:
    for reply, expected in ((_error(400), EncoderRefused), (Reply(body=b"{}"), EncoderAnswerInvalid)) * 4:
        server.reply = lambda _, r=reply: r
        with pytest.raises(expected):
            await openai_encoder.encode_query("x")
    assert len(server.requests) == 8


async def test_a_request_s_tokens_are_shared_out_among_its_texts(server: EmbeddingsServer) -> None:
    encoder = OpenAIEncoder("sk-test", base_url=server.url, dimensions=DIMENSIONS, price=Price(input_usd=1_000_000))
    encoded = await encoder.encode(["short", "a text that is four times as long"])
    await encoder.aclose()
    assert encoded.tokens.sum() == 3
    assert encoded.tokens[0] < encoded.tokens[1]
    assert encoded.cost_usd.tolist() == encoded.tokens.astype(float).tolist()


async def test_tokens_are_charged_and_a_spent_budget_pauses(server: EmbeddingsServer) -> None:
    gate = ProviderGate("test", budget=DailyBudget(0.000005))
    encoder = OpenAIEncoder("sk-test", base_url=server.url, dimensions=DIMENSIONS, gate=gate, price=Price(input_usd=1))
    await encoder.encode_query("x")
    assert gate.budget.spent_usd == pytest.approx(0.000003)
    await encoder.encode_query("y")
    with pytest.raises(ProviderPausedError):
        await encoder.encode_query("z")
    await encoder.aclose()


async def test_what_one_request_paid_for_is_kept_when_the_next_one_fails(server: EmbeddingsServer) -> None:
    one_by_one = ProviderGate("test", concurrency=1)
    openai_encoder = OpenAIEncoder("sk-test", base_url=server.url, dimensions=DIMENSIONS, gate=one_by_one)
    encoder = BatchingEncoder(CachingEncoder(openai_encoder))
    texts = [f"text {i}" for i in range(150)]
    server.reply = lambda request: Reply(body=good_answer(request)) if len(request["input"]) == 100 else _error(503)
    with pytest.raises(EncoderUnavailable):
        await encoder.encode_documents(texts)
    server.reply = lambda request: Reply(body=good_answer(request))
    await encoder.encode_documents(texts)
    assert [len(request["input"]) for request in server.requests] == [100, 50, 50]
    await openai_encoder.aclose()


async def test_a_pause_reaches_every_caller_of_a_batch(server: EmbeddingsServer, openai_encoder: OpenAIEncoder) -> None:
    encoder = BatchingEncoder(openai_encoder)
    server.reply = lambda _: _error(429, retry_after="30")
    with pytest.raises(EncoderUnavailable):
        await encoder.encode_query("x")
    ended = await asyncio.gather(*(encoder.encode_documents([t]) for t in "abc"), return_exceptions=True)
    assert {type(error) for error in ended} == {ProviderPausedError}


async def test_a_long_body_of_nonsense_is_an_invalid_answer(
    server: EmbeddingsServer, openai_encoder: OpenAIEncoder
) -> None:
    server.reply = lambda _: Reply(body=json.dumps({"data": "x" * 5_000_000}).encode())
    with pytest.raises(EncoderAnswerInvalid):
        await openai_encoder.encode_query("x")


async def test_a_stalled_provider_is_unavailable(server: EmbeddingsServer) -> None:
    server.reply = lambda request: Reply(body=good_answer(request), delay_s=0.5)
    encoder = OpenAIEncoder("sk-test", base_url=server.url, dimensions=DIMENSIONS, timeout_s=0.1)
    with pytest.raises(EncoderUnavailable):
        await encoder.encode_query("x")
    await encoder.aclose()


async def test_a_provider_that_answers_byte_by_byte_is_unavailable(server: EmbeddingsServer) -> None:
    server.reply = lambda request: Reply(body=good_answer(request), drip_s=0.05)
    encoder = OpenAIEncoder("sk-test", base_url=server.url, dimensions=DIMENSIONS, timeout_s=0.3)
    with pytest.raises(EncoderUnavailable, match="no whole answer"):
        await encoder.encode_query("x")
    await encoder.aclose()


async def test_a_cut_body_is_unavailable(server: EmbeddingsServer, openai_encoder: OpenAIEncoder) -> None:
    server.reply = lambda request: Reply(body=good_answer(request), cut=20)
    with pytest.raises(EncoderUnavailable):
        await openai_encoder.encode_query("x")


async def test_nobody_listening_is_unavailable() -> None:
    encoder = OpenAIEncoder("sk-test", base_url="http://127.0.0.1:9/v1", timeout_s=5)
    with pytest.raises(EncoderUnavailable):
        await encoder.encode_query("x")
    await encoder.aclose()


def _answer(*embeddings: object, indexes: list[int] | None = None) -> bytes:
    indexes = indexes or list(range(len(embeddings)))
    items = [{"object": "embedding", "index": i, "embedding": e} for i, e in zip(indexes, embeddings, strict=True)]
    return json.dumps({"object": "list", "data": items, "model": "m", "usage": None}).encode()


ONES = [1.0] * DIMENSIONS

BAD_ANSWERS = {
    "one too few": _answer(ONES),
    "one too many": _answer(ONES, ONES, ONES),
    "same index twice": _answer(ONES, ONES, indexes=[0, 0]),
    "index out of range": _answer(ONES, ONES, indexes=[1, 2]),
    "short vector": _answer(ONES, ONES[:-1]),
    "not finite": _answer(ONES, [float("nan"), *ONES[1:]]),
    "infinite": _answer(ONES, [float("inf"), *ONES[1:]]),
    "no direction": _answer(ONES, [0.0] * DIMENSIONS),
    "words": _answer(ONES, ["a"] * DIMENSIONS),
    "nothing": _answer(ONES, None),
    "broken base64": _answer("!!!", "AAA"),
    "empty list": _answer(),
    "no data": b"{}",
    "data is a number": b'{"data": 3}',
    "not an object": b"[]",
    "not JSON": b"<html>busy</html>",
    "JSON null": b"null",
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
async def test_nothing_of_a_bad_answer_is_kept(
    server: EmbeddingsServer, openai_encoder: OpenAIEncoder, name: str
) -> None:
    server.reply = lambda _: Reply(body=BAD_ANSWERS[name])
    with pytest.raises(EncoderAnswerInvalid):
        await openai_encoder.encode_documents(["x", "y"])
