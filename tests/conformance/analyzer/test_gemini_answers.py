"""What Gemini is asked, and what becomes of its good answers, through the real SDK."""

import asyncio
import base64
import json

import pytest

from analyzer.backends.gemini.backend import GeminiBackend
from analyzer.backends.gemini.model import GeminiModel
from analyzer.prompts.prompt import instructions
from contracts.artifacts import ArtifactRef, TextSource, Usage
from providers.gate import ProviderGate
from tests.conformance.analyzer.gemini_server import GeminiServer, Reply, answer, whole, words_of
from tests.conformance.analyzer.material import document, picture, read, words


def told(name: str, description: str = "A door.", text: str = "") -> dict:
    return {"id": name, "description": description, "text": text}


async def test_pictures_become_moments_where_they_stand_beside_the_files_own_words(
    server: GeminiServer, backend: GeminiBackend
) -> None:
    server.replies = [
        Reply(body=answer(whole(pictures=[told("p1", "A red door.", "OPEN"), told("p2", "A blue door.")])))
    ]
    material = document(
        words("First page.", page=1), words("Third.", page=3), pictures=(picture("a", page=2), picture("b", page=4))
    )
    analysis = await backend.analyze(material, read)
    assert [(s.text, s.locator.page, s.source) for s in analysis.segments if s.source is not TextSource.METADATA] == [
        ("First page.", 1, TextSource.TEXT),
        ("A red door.", 2, TextSource.SUMMARY),
        ("OPEN", 2, TextSource.OCR),
        ("Third.", 3, TextSource.TEXT),
        ("A blue door.", 4, TextSource.SUMMARY),
    ]
    assert (analysis.title, analysis.labels, analysis.language) == ("A red door", ("document", "door", "red"), "en")
    assert (analysis.moderation.flagged, analysis.degradations) == (False, ())
    assert (analysis.model_id, analysis.prompt_version) == ("gemini-test", backend.prompt_version)


async def test_the_request_has_fixed_instructions_a_closed_schema_and_the_bytes(
    server: GeminiServer, backend: GeminiBackend
) -> None:
    await backend.analyze(document(words("Hello.", page=1), pictures=(picture("jpeg bytes", page=2),)), read)
    [request] = server.requests
    assert server.paths == ["/v1/models/gemini-test:generateContent"]
    assert server.headers[0]["x-goog-api-key"] == "k-test"
    assert request["systemInstruction"]["parts"][0]["text"] == instructions("file")
    asked = request["generationConfig"]
    assert asked["responseMimeType"] == "application/json"
    schema = asked["responseJsonSchema"]
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {"title", "summary", "labels", "language", "pictures", "moderation"}
    assert "maxLength" not in json.dumps(schema)
    inline = [part["inlineData"] for part in request["contents"][0]["parts"] if "inlineData" in part]
    assert [(part["mimeType"], base64.b64decode(part["data"])) for part in inline] == [("image/jpeg", b"jpeg bytes")]
    assert "(page 1) Hello." in words_of(request)


async def test_vertex_gets_addresses_and_reads_the_bytes_itself(
    server: GeminiServer, vertex_model: GeminiModel
) -> None:
    async def unread(_: ArtifactRef) -> bytes:
        raise AssertionError("no bytes through us")

    await GeminiBackend(vertex_model).analyze(document(pictures=(picture("u/x/a.jpg"),)), unread)
    [request] = server.requests
    assert server.paths == [
        "/v1beta1/projects/acme/locations/europe-west4/publishers/google/models/gemini-test:generateContent"
    ]
    assert server.headers[0]["authorization"] == "Bearer t-test"
    sent = [part["fileData"] for part in request["contents"][0]["parts"] if "fileData" in part]
    assert sent == [{"fileUri": "gs://artifacts/u/x/a.jpg", "mimeType": "image/jpeg"}]


async def test_a_large_picture_goes_through_the_files_api_and_is_deleted_there(
    server: GeminiServer, backend: GeminiBackend
) -> None:
    large = b"x" * 12_000_001

    async def read(_: ArtifactRef) -> bytes:
        return large

    await backend.analyze(document(pictures=(picture("a", len(large)),)), read)
    assert b"".join(server.uploaded) == large
    sent = [part["fileData"]["fileUri"] for part in server.requests[0]["contents"][0]["parts"] if "fileData" in part]
    assert sent == [f"{server.url}/v1beta/files/abc"]
    assert server.deleted == ["/v1/files/abc"]


async def test_many_pictures_are_all_shown_and_the_last_request_knows_what_was_seen(
    server: GeminiServer, backend: GeminiBackend
) -> None:
    def reply(request: dict) -> Reply:
        count = sum("inlineData" in part for part in request["contents"][0]["parts"])
        pictures = [told(f"p{i}", f"Scene {i} of {count}") for i in range(1, count + 1)]
        of_file = "title" in request["generationConfig"]["responseJsonSchema"]["properties"]
        said = whole(pictures=pictures)
        kept = said if of_file else {name: said[name] for name in ("pictures", "moderation")}
        return Reply(body=answer(kept))

    server.replies = [reply]
    frames = tuple(picture(str(i), start_s=i * 10) for i in range(40))
    analysis = await backend.analyze(document(pictures=frames), read)
    assert [s.locator.start_s for s in analysis.segments if s.source is TextSource.SUMMARY] == [
        i * 10 for i in range(40)
    ]
    assert len(server.requests) == 3
    assert "(0.0 s) Scene 1 of 16" in words_of(server.requests[2])
    assert analysis.usage.input_tokens == 3000


async def test_money_is_counted_per_file_and_for_the_day(
    server: GeminiServer, backend: GeminiBackend, gate: ProviderGate
) -> None:
    analysis = await backend.analyze(document(words("x")), read)
    assert (analysis.usage.input_tokens, analysis.usage.output_tokens) == (1000, 120)
    assert analysis.usage.cost_usd == pytest.approx((1000 * 1 + 120 * 10) / 1e6)
    assert gate.budget.spent_usd == pytest.approx(analysis.usage.cost_usd)


async def test_the_same_file_again_is_not_paid_again_a_changed_one_is(
    server: GeminiServer, backend: GeminiBackend, gate: ProviderGate
) -> None:
    first = await backend.analyze(document(words("x")), read)
    assert await backend.analyze(document(words("x")), read) == first.model_copy(update={"usage": Usage()})
    assert len(server.requests) == 1
    await backend.analyze(document(words("y")), read)
    assert len(server.requests) == 2
    assert gate.budget.spent_usd == pytest.approx(2 * first.usage.cost_usd)


async def test_two_files_that_are_the_same_are_paid_for_once_and_by_one_of_them(
    server: GeminiServer, backend: GeminiBackend, gate: ProviderGate
) -> None:
    def reply(request: dict) -> Reply:
        of_file = "title" in request["generationConfig"]["responseJsonSchema"]["properties"]
        return Reply(body=answer(whole() if of_file else {name: whole()[name] for name in ("pictures", "moderation")}))

    server.replies = [reply]
    material = document(words("x"), pictures=tuple(picture(str(i)) for i in range(17)))
    one, other = await asyncio.gather(backend.analyze(material, read), backend.analyze(material, read))
    assert len(server.requests) == 2
    assert one.usage.cost_usd + other.usage.cost_usd == pytest.approx(gate.budget.spent_usd)


async def test_what_the_model_wrote_is_redacted_what_the_file_says_is_kept(
    server: GeminiServer, backend: GeminiBackend
) -> None:
    mail = "jane@example.com"
    said = whole(title=mail, summary=f"Write to {mail}.", labels=[mail], pictures=[told("p1", f"Card of {mail}", mail)])
    server.replies = [Reply(body=answer(said))]
    analysis = await backend.analyze(document(words(mail), pictures=(picture("a"),)), read)
    written = [analysis.title, analysis.summary, *analysis.labels]
    written += [s.text for s in analysis.segments if s.source is TextSource.SUMMARY]
    assert mail not in " ".join(written)
    assert [s.text for s in analysis.segments if s.source in (TextSource.TEXT, TextSource.OCR)] == [mail, mail]


@pytest.mark.parametrize(
    ("said", "field", "kept"),
    [
        ({"language": "de, en"}, "language", None),
        ({"language": ""}, "language", None),
        ({"language": "English"}, "language", None),
        ({"language": "x" * 36}, "language", None),
        ({"language": "pt-BR"}, "language", "pt-BR"),
        ({"labels": ["x" * 81, " ", "red"]}, "labels", ("document", "x" * 80, "red")),
        ({"labels": [f"label {i}" for i in range(40)]}, "labels", ("document", *(f"label {i}" for i in range(30)))),
        ({"labels": ["label"] * 1_000_000}, "labels", ("document", "label")),
        ({"summary": "x" * 5_000_000}, "summary", "x" * 4000),
        ({"summary": "A \x1b[31mred\x1b[0m door,\x07 \u202eclosed."}, "summary", "A red door,   closed."),
        ({"title": "x" * 5_000_000}, "title", "x" * 500),
        ({"title": "  "}, "title", "file"),
        ({"title": "\x1b[31mA red\ndoor\x00"}, "title", "A red door"),
    ],
)
async def test_what_is_too_long_too_much_or_no_language_is_cut_and_costs_nothing_else(
    server: GeminiServer, backend: GeminiBackend, said: dict, field: str, kept: object
) -> None:
    server.replies = [Reply(body=answer(whole(**said)))]
    analysis = await backend.analyze(document(), read)
    assert getattr(analysis, field) == kept
    assert len(server.requests) == 1


async def test_a_long_summary_is_cut_at_the_fourth_sentence(server: GeminiServer, backend: GeminiBackend) -> None:
    server.replies = [Reply(body=answer(whole(summary=" ".join(f"Sentence number {i} is here." for i in range(9)))))]
    analysis = await backend.analyze(document(), read)
    assert analysis.summary.endswith("Sentence number 3 is here.")


async def test_a_verdict_of_the_model_or_of_its_provider_flags_the_file(
    server: GeminiServer, backend: GeminiBackend
) -> None:
    verdict = {"flagged": True, "categories": ["violence"]}
    ratings = [
        {"category": "HARM_CATEGORY_SEXUALLY_EXPLICIT", "probability": "HIGH"},
        {"category": "HARM_CATEGORY_HARASSMENT", "probability": "LOW"},
    ]
    server.replies = [Reply(body=answer(whole(moderation=verdict), safetyRatings=ratings))]
    analysis = await backend.analyze(document(), read)
    assert analysis.moderation.flagged
    assert analysis.moderation.categories == ("sexually_explicit", "violence")


async def test_a_picture_the_model_says_nothing_about_is_a_degradation(
    server: GeminiServer, backend: GeminiBackend
) -> None:
    server.replies = [Reply(body=answer(whole(pictures=[told("p2")])))]
    analysis = await backend.analyze(document(pictures=(picture("a"), picture("b"))), read)
    assert [d.reason for d in analysis.degradations] == ["1 of 2 pictures were not described"]


@pytest.mark.parametrize("text", ["```json\n{}\n```", "```\n{}\n```", "  \n{}\n", "{}"])
async def test_json_in_a_code_fence_is_read(server: GeminiServer, backend: GeminiBackend, text: str) -> None:
    server.replies = [Reply(body=answer(text.replace("{}", json.dumps(whole()))))]
    assert (await backend.analyze(document(), read)).title == "A red door"
    assert len(server.requests) == 1


async def test_a_long_document_is_shown_from_beginning_to_end_and_kept_whole(
    server: GeminiServer, backend: GeminiBackend
) -> None:
    pages = [words(f"Page {i} begins. " + "lorem ipsum " * 300, page=i) for i in range(1, 301)]
    analysis = await backend.analyze(document(*pages), read)
    shown = words_of(server.requests[0])
    assert len(shown) < 260_000
    places = [int(line.split()[1].rstrip(")")) for line in shown.splitlines() if line.startswith("(page ")]
    assert min(places) == 1
    assert max(places) > 290
    assert sum(s.source is TextSource.TEXT for s in analysis.segments) == 300
