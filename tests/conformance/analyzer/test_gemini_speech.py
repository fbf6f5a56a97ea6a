"""Sound becomes what was said, at its second of the file; trouble with one part leaves the rest as good as it was."""

import base64
from collections.abc import Callable

import pytest

from analyzer.backends.gemini.backend import GeminiBackend
from analyzer.prompts.prompt import instructions
from contracts.artifacts import ArtifactRef, TextSource
from eventing.errors import RetryLater
from tests.conformance.analyzer.gemini_server import GeminiServer, Reply, answer, refusal, whole, words_of
from tests.conformance.analyzer.material import document, picture, read, sound

SPOKEN = document().model_copy(update={"speech": (sound("one", 0, 600, (0, 4)), sound("two", 600, 650, (600, 630)))})


def in_turn(one: Reply, two: Reply) -> Callable[[dict], Reply]:
    """The replies about the two sounds, in whatever order they are asked for, and about the file."""

    def reply(request: dict) -> Reply:
        if _of_file(request):
            return Reply(body=answer(whole()))
        [data] = [part["inlineData"]["data"] for part in request["contents"][0]["parts"] if "inlineData" in part]
        return one if base64.b64decode(data) == b"one" else two

    return reply


def said(*utterances: tuple[float, float, str]) -> Reply:
    listed = [{"start_s": start, "end_s": end, "text": text} for start, end, text in utterances]
    return Reply(body=answer({"utterances": listed}))


async def test_sound_is_charged_at_its_own_price(server: GeminiServer, backend: GeminiBackend) -> None:
    heard = {
        "promptTokenCount": 1000,
        "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 600}, {"modality": "TEXT", "tokenCount": 400}],
    }
    listed = Reply(body=answer({"utterances": []}, usage=heard))
    server.replies = [in_turn(listed, listed)]
    analysis = await backend.analyze(SPOKEN, read)
    of_the_file = 1000 * 1 + 120 * 10
    assert analysis.usage.cost_usd == pytest.approx((2 * (600 * 3 + 400 * 1) + of_the_file) / 1e6)


async def test_what_is_said_stands_at_its_second_of_the_file(server: GeminiServer, backend: GeminiBackend) -> None:
    server.replies = [in_turn(said((0, 4, "Good evening.")), said((5, 9.5, "And good night.")))]
    analysis = await backend.analyze(SPOKEN, read)
    spoken = [s for s in analysis.segments if s.source is TextSource.SPEECH]
    assert [(s.text, s.locator.start_s, s.locator.end_s) for s in spoken] == [
        ("Good evening.", 0, 4),
        ("And good night.", 605, 609.5),
    ]
    first, second, last = sorted(server.requests, key=lambda r: (_of_file(r), "0.0-30.0" in words_of(r)))
    assert first["systemInstruction"]["parts"][0]["text"] == instructions("speech")
    assert [part["inlineData"]["mimeType"] for part in first["contents"][0]["parts"] if "inlineData" in part] == [
        "audio/ogg"
    ]
    assert "0.0-30.0" in words_of(second)
    assert "(605.0-609.5 s) And good night." in words_of(last)
    assert analysis.usage.input_tokens == 3000


async def test_silence_is_not_sent(server: GeminiServer, backend: GeminiBackend) -> None:
    async def unread(_: ArtifactRef) -> bytes:
        raise AssertionError("nothing to hear")

    await backend.analyze(document().model_copy(update={"speech": (sound("one", 0, 600),)}), unread)
    assert len(server.requests) == 1


async def test_times_beyond_the_recording_are_its_end_and_backwards_ones_a_point(
    server: GeminiServer, backend: GeminiBackend
) -> None:
    server.replies = [in_turn(said((590, 999, "Late."), (700, 701, "Later.")), said((20, 10, "Back.")))]
    analysis = await backend.analyze(SPOKEN, read)
    places = [(s.locator.start_s, s.locator.end_s) for s in analysis.segments if s.source is TextSource.SPEECH]
    assert places == [(590, 600), (600, 600), (620, 620)]


@pytest.mark.parametrize(
    ("reply", "flagged"),
    [
        (Reply(body=answer("la la la")), False),
        (Reply(body=answer({"utterances": [{"start_s": "0:01", "end_s": 2, "text": "x"}]})), False),
        (Reply(body=answer("", "RECITATION")), False),
        (Reply(body=answer("", "SAFETY")), True),
    ],
    ids=["unusable", "times in words", "a known song", "unsafe"],
)
async def test_sound_that_cannot_be_understood_degrades_the_result(
    server: GeminiServer, backend: GeminiBackend, reply: Reply, flagged: bool
) -> None:
    server.replies = [lambda request: Reply(body=answer(whole())) if _of_file(request) else reply]
    analysis = await backend.analyze(SPOKEN, read)
    assert analysis.title == "A red door"
    assert [d.step for d in analysis.degradations] == ["speech", "speech"]
    told = ["What is said from 0:00 to 10:00 could not be", "What is said from 10:00 to 10:50 could not be"]
    assert [d.reason.split(" understood")[0] for d in analysis.degradations] == told
    assert not any("utterances" in d.reason for d in analysis.degradations)
    assert ("the analysis service refuses it (safety)" in analysis.degradations[0].reason) is flagged
    assert analysis.moderation.flagged is flagged


async def test_a_bad_time_or_an_endless_utterance_costs_itself_only(
    server: GeminiServer, backend: GeminiBackend
) -> None:
    endless = "la " * 20_000
    heard = said((-1, 3, "Before."), (5, -2, "Back."), (7, 8, endless), (9, float("inf"), "Last."))
    server.replies = [in_turn(heard, said(*[(1, 2, "More.")] * 2001))]
    analysis = await backend.analyze(SPOKEN, read)
    spoken = [s for s in analysis.segments if s.source is TextSource.SPEECH]
    assert [(s.text[:7], s.locator.start_s, s.locator.end_s) for s in spoken[:4]] == [
        ("Before.", 0, 3),
        ("Back.", 5, 5),
        ("la la l", 7, 8),
        ("Last.", 9, 600),
    ]
    assert len(spoken[2].text) <= 50_000
    assert len(spoken) == 2004
    assert analysis.degradations == ()


async def test_a_group_of_pictures_that_is_refused_flags_the_file_and_the_rest_is_described(
    server: GeminiServer, backend: GeminiBackend
) -> None:
    pictures = tuple(picture(str(i), start_s=i) for i in range(17))
    blocked = Reply(body=answer("", "PROHIBITED_CONTENT"))
    server.replies = [lambda request: Reply(body=answer(whole())) if _of_file(request) else blocked]
    analysis = await backend.analyze(document(pictures=pictures), read)
    assert analysis.moderation.categories == ("prohibited_content",)
    refused = (
        "16 pictures from 0:00 to 0:15 could not be understood: the analysis service refuses it (prohibited_content)."
    )
    assert analysis.degradations[0].reason == refused
    assert [d.step for d in analysis.degradations] == ["vision", "vision"]


async def test_an_outage_in_the_middle_is_an_outage_not_a_degradation(
    server: GeminiServer, backend: GeminiBackend
) -> None:
    server.replies = [in_turn(said((0, 4, "Good evening.")), refusal(503))]
    with pytest.raises(RetryLater):
        await backend.analyze(SPOKEN, read)
    server.replies = [in_turn(refusal(503), said((0, 1, "Again.")))]
    analysis = await backend.analyze(SPOKEN, read)
    assert [s.text for s in analysis.segments if s.source is TextSource.SPEECH] == ["Good evening.", "Again."]


def _of_file(request: dict) -> bool:
    return "title" in request["generationConfig"]["responseJsonSchema"]["properties"]
