"""Gemini in trouble, through the real SDK: what is tried again, what is refused, what waits, and how often is asked."""

import json
import time
from datetime import UTC, datetime

import pytest
from google import genai
from google.genai.types import HttpOptions
from prometheus_client import REGISTRY

from analyzer.backends.gemini.backend import GeminiBackend
from analyzer.backends.gemini.model import GeminiModel
from contracts.artifacts import ArtifactRef, FailureCode
from eventing.errors import Reject, RetryLater
from providers.breaker import CircuitBreaker
from providers.budget import DailyBudget
from providers.errors import ProviderPausedError
from providers.gate import ProviderGate
from tests.conformance.analyzer.conftest import PRICE
from tests.conformance.analyzer.gemini_server import GeminiServer, Reply, answer, refusal, whole, words_of
from tests.conformance.analyzer.material import document, picture, read, sound, words


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (refusal(429, details=[{"retryDelay": "soon"}]), FailureCode.QUOTA_EXCEEDED),
        (refusal(500, "INTERNAL"), FailureCode.NETWORK),
        (Reply(502, b"<html>bad gateway</html>"), FailureCode.NETWORK),
        (Reply(504, b""), FailureCode.NETWORK),
        (refusal(408), FailureCode.NETWORK),
        (refusal(409), FailureCode.NETWORK),
        (refusal(425), FailureCode.NETWORK),
        (refusal(499, "CANCELLED"), FailureCode.NETWORK),
        (Reply(body=answer(whole()), cut=20), FailureCode.NETWORK),
    ],
)
async def test_what_may_pass_is_tried_later_and_asked_for_once(
    server: GeminiServer, backend: GeminiBackend, reply: Reply, code: FailureCode
) -> None:
    server.replies = [reply]
    with pytest.raises(RetryLater) as caught:
        await backend.analyze(document(), read)
    assert (caught.value.code, caught.value.delay_s) == (code, 0)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("reply", "pause_s"),
    [
        (refusal(429, "RESOURCE_EXHAUSTED", retry_after="17"), 17),
        (refusal(429, details=[{"retryDelay": "33.5s"}]), 33.5),
        (refusal(429, retry_after="9999"), 600),
        (refusal(503, "UNAVAILABLE", retry_after="5"), 5),
        (refusal(401, "UNAUTHENTICATED"), 60),
        (refusal(402), 60),
        (refusal(403, "PERMISSION_DENIED"), 60),
        (refusal(404, "NOT_FOUND"), 60),
        (refusal(400, "INVALID_ARGUMENT", [{"reason": "API_KEY_INVALID"}]), 60),
        (refusal(400, "FAILED_PRECONDITION"), 60),
    ],
)
async def test_a_quota_or_a_refused_key_is_waited_out_by_the_file_that_meets_it(
    server: GeminiServer, backend: GeminiBackend, reply: Reply, pause_s: float
) -> None:
    server.replies = [reply]
    with pytest.raises(ProviderPausedError) as caught:
        await backend.analyze(document(), read)
    assert caught.value.pause_s == pytest.approx(pause_s, abs=4)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_request_that_can_never_work_refuses_the_file(
    server: GeminiServer, backend: GeminiBackend, status: int
) -> None:
    server.replies = [refusal(status, "INVALID_ARGUMENT")]
    with pytest.raises(Reject) as caught:
        await backend.analyze(document(), read)
    assert caught.value.code is FailureCode.PROVIDER_REFUSED
    assert len(server.requests) == 1


async def test_a_stall_is_tried_later(server: GeminiServer, gate: ProviderGate) -> None:
    server.replies = [Reply(body=answer(whole()), delay_s=0.6)]
    client = genai.Client(vertexai=False, api_key="k", http_options=HttpOptions(base_url=server.url, timeout=10_000))
    async with GeminiModel(client, "m", gate, PRICE, timeout_s=0.2) as model:
        with pytest.raises(RetryLater) as caught:
            await GeminiBackend(model).analyze(document(), read)
    assert caught.value.code is FailureCode.NETWORK


async def test_nobody_listening_is_tried_later(gate: ProviderGate) -> None:
    client = genai.Client(vertexai=False, api_key="k", http_options=HttpOptions(base_url="http://127.0.0.1:9"))
    async with GeminiModel(client, "m", gate, PRICE, timeout_s=5) as model:
        with pytest.raises(RetryLater):
            await GeminiBackend(model).analyze(document(), read)


REFUSALS = {
    "prompt blocked": (json.dumps({"promptFeedback": {"blockReason": "SAFETY"}}).encode(), "(safety)"),
    "prompt blocked, why": (
        json.dumps(
            {
                "promptFeedback": {
                    "blockReason": "PROHIBITED_CONTENT",
                    "safetyRatings": [
                        {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True}
                    ],
                }
            }
        ).encode(),
        "(prohibited_content, dangerous_content)",
    ),
    "stopped": (answer("", "SAFETY"), "(safety)"),
    "private data": (answer("half an ans", "SPII"), "(spii)"),
    "recited": (answer(whole(), "RECITATION"), "(recitation)"),
    "image": (answer("", "IMAGE_SAFETY"), "(image_safety)"),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_a_refusal_is_permanent_says_why_and_is_not_asked_again(
    server: GeminiServer, backend: GeminiBackend, name: str
) -> None:
    body, why = REFUSALS[name]
    server.replies = [Reply(body=body)]
    with pytest.raises(Reject) as caught:
        await backend.analyze(document(), read)
    assert caught.value.code is FailureCode.PROVIDER_REFUSED
    assert why in caught.value.message
    assert not caught.value.retryable
    assert len(server.requests) == 1


def without(name: str) -> dict:
    return {key: value for key, value in whole().items() if key != name}


BAD_ANSWERS = {
    "not JSON": answer("A red door, I think."),
    "half of it": answer(json.dumps(whole())[:-9]),
    "cut by the token limit": answer(json.dumps(whole()), "MAX_TOKENS"),
    "stopped for no known reason": answer(whole(), "OTHER"),
    "a list": answer([whole()]),
    "null": answer("null"),
    "no title": answer(without("title")),
    "no moderation": answer(without("moderation")),
    "title is a number": answer(whole(title=3)),
    "title is null": answer(whole(title=None)),
    "summary is blank": answer(whole(summary=" \x07\n")),
    "labels are one string": answer(whole(labels="door")),
    "labels are numbers": answer(whole(labels=[1])),
    "flagged is a word": answer(whole(moderation={"flagged": "no", "categories": []})),
    "unknown category": answer(whole(moderation={"flagged": True, "categories": ["boring"]})),
    "an extra field": answer(whole(owner="mallory")),
    "an extra field deep down": answer(whole(moderation={"flagged": False, "categories": [], "override": True})),
    "a picture nobody sent": answer(whole(pictures=[{"id": "p1", "description": "x", "text": ""}])),
    "empty text": answer(""),
    "blanks": answer(" \n "),
    "no parts": json.dumps({"candidates": [{"content": {"role": "model"}, "finishReason": "STOP"}]}).encode(),
    "no content": json.dumps({"candidates": [{"finishReason": "STOP"}]}).encode(),
    "only thoughts": json.dumps({"candidates": [{"content": {"parts": [{"text": "hm", "thought": True}]}}]}).encode(),
    "no candidates": b"{}",
    "no candidate": b'{"candidates": []}',
    "candidates is a number": b'{"candidates": 3}',
    "candidate is a word": b'{"candidates": ["x"]}',
    "envelope is a list": b"[]",
    "envelope is null": b"null",
    "envelope is HTML": b"<html>busy</html>",
    "envelope is a string": b'"busy"',
    "empty body": b"",
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
async def test_an_answer_that_does_not_fit_is_asked_for_once_more_then_fails_with_its_code(
    server: GeminiServer, backend: GeminiBackend, gate: ProviderGate, name: str
) -> None:
    server.replies = [Reply(body=BAD_ANSWERS[name])]
    with pytest.raises(Reject) as caught:
        await backend.analyze(document(), read)
    assert (caught.value.code, caught.value.retryable) == (FailureCode.PROVIDER_INVALID, True)
    assert len(server.requests) == 2
    assert caught.value.usage.cost_usd == pytest.approx(gate.budget.spent_usd)


WRITTEN = "The lease of the harbour was signed by Ada Lovelace. She paid for it with the money of the engine."


@pytest.mark.parametrize(
    ("body", "categories", "why"),
    [
        (answer("", "SAFETY"), ("safety",), ": the analysis service refuses it (safety)."),
        (answer("", "RECITATION"), (), ": the analysis service refuses it (recitation)."),
        (BAD_ANSWERS["half of it"], (), "."),
        (BAD_ANSWERS["cut by the token limit"], (), "."),
    ],
    ids=["unsafe", "a printed book", "half", "too long"],
)
async def test_a_file_that_the_service_says_nothing_about_keeps_its_words(
    server: GeminiServer, backend: GeminiBackend, body: bytes, categories: tuple[str, ...], why: str
) -> None:
    server.replies = [Reply(body=body)]
    material = document(words(WRITTEN, page=1), pictures=(picture("scan", page=2),), name="lease_of_harbour.pdf")
    analysis = await backend.analyze(material, read)
    assert (analysis.title, analysis.summary) == ("lease of harbour", WRITTEN)
    assert "harbour" in analysis.labels
    assert [(s.text, s.locator.page) for s in analysis.segments] == [(WRITTEN, 1)]
    assert [(d.step, d.reason) for d in analysis.degradations] == [
        ("analysis", f"The file as a whole could not be understood{why}"),
        ("vision", f"The picture on page 2 could not be understood{why}"),
    ]
    assert (analysis.moderation.flagged, analysis.moderation.categories) == (bool(categories), categories)
    assert analysis.usage.input_tokens == 1000 * len(server.requests)


async def test_a_recording_that_the_service_says_nothing_about_keeps_what_was_heard(
    server: GeminiServer, backend: GeminiBackend
) -> None:
    heard = Reply(body=answer({"utterances": [{"start_s": 1, "end_s": 2, "text": "Good evening."}]}))
    server.replies = [lambda request: Reply(body=answer("")) if _of_file(request) else heard]
    material = document().model_copy(update={"speech": (sound("one", 0, 9, (0, 4)),)})
    analysis = await backend.analyze(material, read)
    assert [s.text for s in analysis.segments] == ["Good evening."]
    assert analysis.usage.input_tokens == 3000


async def test_a_good_second_answer_is_taken_and_both_are_paid(
    server: GeminiServer, backend: GeminiBackend, gate: ProviderGate
) -> None:
    server.replies = [Reply(body=answer(without("summary"))), Reply(body=answer(whole()))]
    analysis = await backend.analyze(document(), read)
    assert analysis.usage.input_tokens == 2000
    assert gate.budget.spent_usd == pytest.approx(analysis.usage.cost_usd)


@pytest.mark.parametrize("name", ["half of it", "cut by the token limit", "stopped for no known reason", "empty text"])
async def test_the_owner_is_told_of_a_failed_try_however_it_ended(
    server: GeminiServer, backend: GeminiBackend, gate: ProviderGate, name: str
) -> None:
    server.replies = [Reply(body=BAD_ANSWERS[name]), Reply(body=answer(whole()))]
    analysis = await backend.analyze(document(), read)
    assert analysis.usage.output_tokens == 240
    assert analysis.usage.cost_usd == pytest.approx(gate.budget.spent_usd)


async def test_the_owner_is_told_of_a_failed_try_of_an_earlier_delivery(
    server: GeminiServer, backend: GeminiBackend, gate: ProviderGate
) -> None:
    server.replies = [Reply(body=BAD_ANSWERS["cut by the token limit"]), refusal(503), Reply(body=answer(whole()))]
    with pytest.raises(RetryLater):
        await backend.analyze(document(), read)
    analysis = await backend.analyze(document(), read)
    assert analysis.usage.input_tokens == 2000
    assert analysis.usage.cost_usd == pytest.approx(gate.budget.spent_usd)


async def test_the_owner_is_told_of_parts_that_were_paid_for_in_vain(
    server: GeminiServer, backend: GeminiBackend, gate: ProviderGate
) -> None:
    good = Reply(body=answer(whole()))
    server.replies = [lambda request: good if _of_file(request) else Reply(body=answer("", "MAX_TOKENS"))]
    material = document(pictures=tuple(picture(str(i)) for i in range(17)))
    analysis = await backend.analyze(material.model_copy(update={"speech": (sound("one", 0, 9, (0, 4)),)}), read)
    assert [degradation.step for degradation in analysis.degradations] == ["speech", "vision", "vision"]
    assert analysis.usage.input_tokens == 5000
    assert analysis.usage.cost_usd == pytest.approx(gate.budget.spent_usd)


async def test_a_call_is_counted_as_its_reply_ended(server: GeminiServer) -> None:
    gate = ProviderGate("test", model="counted", per_minute=60_000)
    async with GeminiModel(_client(server), "m", gate, PRICE) as model:
        server.replies = [Reply(body=BAD_ANSWERS["cut by the token limit"]), Reply(body=answer(whole()))]
        await GeminiBackend(model).analyze(document(), read)
    ended = {"ok": 1, "ProviderAnswerInvalid": 1}
    who = {"provider": "test", "model": "counted", "stage": ""}
    for outcome, calls in ended.items():
        assert REGISTRY.get_sample_value("provider_calls_total", {**who, "outcome": outcome}) == calls


async def test_answers_already_paid_survive_trouble_with_a_later_one(
    server: GeminiServer, backend: GeminiBackend
) -> None:
    names = [f"p{i}" for i in range(1, 17)]
    pictures = [{"id": name, "description": "x", "text": ""} for name in names]
    part = {"pictures": pictures, "moderation": {"flagged": False, "categories": []}}
    server.replies = [Reply(body=answer(part)), refusal(503), Reply(body=answer(whole()))]
    material = document(pictures=tuple(picture(str(i)) for i in range(17)))
    with pytest.raises(RetryLater):
        await backend.analyze(material, read)
    analysis = await backend.analyze(material, read)
    assert len(server.requests) == 3
    assert analysis.usage.input_tokens == 2000


async def _unread(_: ArtifactRef) -> bytes:
    raise AssertionError("read although nobody may call")


def _client(server: GeminiServer) -> genai.Client:
    return genai.Client(vertexai=False, api_key="k", http_options=HttpOptions(base_url=server.url))


async def test_after_five_failures_nobody_calls_until_a_probe_succeeds(server: GeminiServer) -> None:
    now = [0.0]
    gate = ProviderGate("test", per_minute=60_000, breaker=CircuitBreaker(lambda: now[0]))
    async with GeminiModel(_client(server), "m", gate, PRICE) as model:
        backend = GeminiBackend(model)
        server.replies = [refusal(500)]
        for _ in range(4):
            with pytest.raises(RetryLater):
                await backend.analyze(document(), read)
        with pytest.raises(ProviderPausedError):
            await backend.analyze(document(), read)
        with pytest.raises(ProviderPausedError):
            await backend.analyze(document(pictures=(picture("a"),)), _unread)
        assert len(server.requests) == 5
        now[0] = 61
        server.replies = [Reply(body=answer(whole()))]
        await backend.analyze(document(), read)
        await backend.analyze(document(words("another")), read)
    assert len(server.requests) == 7


async def test_a_pause_the_provider_asks_for_holds_every_other_file(server: GeminiServer) -> None:
    gate = ProviderGate("test", per_minute=60_000, breaker=CircuitBreaker(time.monotonic))
    async with GeminiModel(_client(server), "m", gate, PRICE) as model:
        backend = GeminiBackend(model)
        server.replies = [refusal(429, retry_after="30")]
        with pytest.raises(ProviderPausedError):
            await backend.analyze(document(), read)
        with pytest.raises(ProviderPausedError):
            await backend.analyze(document(words("another")), _unread)
    assert len(server.requests) == 1


async def test_a_file_that_fails_alone_while_others_are_answered_waits_for_no_outage(server: GeminiServer) -> None:
    now = [0.0]
    gate = ProviderGate("test", per_minute=60_000, breaker=CircuitBreaker(lambda: now[0]))

    def reply(request: dict) -> Reply:
        return refusal(503, retry_after="15") if "poison" in words_of(request) else Reply(body=answer(whole()))

    server.replies = [reply]
    waits = 0
    async with GeminiModel(_client(server), "m", gate, PRICE) as model:
        backend = GeminiBackend(model)
        while True:
            now[0] += 16
            try:
                await backend.analyze(document(words("poison")), read)
            except ProviderPausedError:
                waits += 1
                now[0] += 16
                await backend.analyze(document(words(f"another {waits}")), read)
            except RetryLater:
                break
        now[0] += 16
        with pytest.raises(RetryLater):
            await backend.analyze(document(words("poison")), read)
    assert waits == 30


async def test_a_spent_budget_pauses_and_never_fails_a_file_until_the_next_day(server: GeminiServer) -> None:
    now = [datetime(2026, 11, 21, 23, 0, tzinfo=UTC)]
    gate = ProviderGate("test", per_minute=60_000, budget=DailyBudget(0.001, now=lambda: now[0]))
    async with GeminiModel(_client(server), "m", gate, PRICE) as model:
        backend = GeminiBackend(model)
        await backend.analyze(document(words("one")), read)
        with pytest.raises(ProviderPausedError) as caught:
            await backend.analyze(document(words("two")), _unread)
        assert caught.value.pause_s == 3600
        now[0] = datetime(2026, 11, 22, 0, 1, tzinfo=UTC)
        await backend.analyze(document(words("two")), read)
    assert len(server.requests) == 2


def _of_file(request: dict) -> bool:
    return "title" in request["generationConfig"]["responseJsonSchema"]["properties"]
