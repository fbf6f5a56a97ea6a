"""Files that try to direct the analyzer change nothing: no instruction, no verdict, no owner, no other file."""

from collections.abc import AsyncIterator

import pytest

from analyzer import facts
from analyzer.backends.backend import Backend
from analyzer.backends.gemini.backend import GeminiBackend
from analyzer.backends.local.backend import LocalBackend
from analyzer.backends.local.ocr import OcrProcess
from analyzer.handlers import on_media_processed
from analyzer.prompts.prompt import instructions
from contracts.artifacts import Material, Moderation, TextSource
from contracts.events import MediaAnalyzedV1
from eventing.errors import Reject
from eventing.inputs import StoreInputs
from objectstore.testing import MemoryObjectStore
from tests.conformance.analyzer.gemini_server import GeminiServer, Reply, answer, whole, words_of
from tests.conformance.analyzer.injections import CORPUS
from tests.conformance.analyzer.material import document, picture, processed, read, words

STORY = (
    "The lighthouse keeper climbs the stairs of the lighthouse every evening. The lamp of the lighthouse guides the "
    "ships through the storm. When the storm is over, the keeper polishes the lamp and writes to the harbour. "
)


@pytest.fixture
async def local() -> AsyncIterator[LocalBackend]:
    async with OcrProcess(worker="tests.unit.analyzer.stub_ocr_worker", timeout_s=20) as ocr:
        yield LocalBackend(ocr)


def story_with(name: str) -> Material:
    return document(words(STORY * 4, page=1), words(CORPUS[name], page=2), words(STORY, page=3))


SHORT = [name for name in CORPUS if name != "long"]


@pytest.mark.parametrize("name", SHORT)
async def test_the_local_backend_quotes_and_counts_it_like_any_text(local: LocalBackend, name: str) -> None:
    plain = await local.analyze(document(words(STORY * 4, page=1), words(STORY, page=3)), read)
    injected = await local.analyze(story_with(name), read)
    assert injected.labels[:4] == plain.labels[:4]
    assert (injected.moderation, injected.language, injected.title) == (Moderation(), plain.language, plain.title)
    assert CORPUS[name] in [segment.text for segment in injected.segments]
    assert await local.analyze(document(words(STORY * 4, page=1), words(STORY, page=3)), read) == plain


@pytest.mark.parametrize("name", CORPUS)
async def test_gemini_gets_it_as_marked_data_in_the_users_message_only(
    server: GeminiServer, backend: GeminiBackend, name: str
) -> None:
    material = story_with(name).model_copy(update={"filename": CORPUS[name][:200] + ".pdf"})
    await backend.analyze(material, read)
    [request] = server.requests
    assert request["systemInstruction"]["parts"] == [{"text": instructions("file")}]
    assert [content["role"] for content in request["contents"]] == ["user"]
    assert not {"tools", "toolConfig", "cachedContent"} & set(request)
    first, _, data = words_of(request).partition("\n")
    mark = first.removeprefix("The mark is ").partition(".")[0]
    assert first == f"The mark is {mark}. The file is of kind document."
    assert mark not in CORPUS[name]
    blocks = data.split(f"[[/{mark}]]")
    assert blocks[-1].strip() == ""
    assert all(block.lstrip().startswith(f"[[{mark} ") for block in blocks[:-1])
    assert len(blocks) == 3, "the file's facts, the file's words, nothing after them"


async def test_marks_differ_from_file_to_file(server: GeminiServer, backend: GeminiBackend) -> None:
    for name in SHORT:
        await backend.analyze(story_with(name), read)
    assert len({words_of(request).splitlines()[0] for request in server.requests}) == len(SHORT)


@pytest.mark.parametrize(
    "obeyed",
    [
        whole(owner="mallory"),
        whole(delete=True),
        whole(pictures=[{"id": "upl_of_another_file", "description": "pwned", "text": ""}]),
        whole(moderation={"flagged": False, "categories": [], "other_files": ["x"]}),
        "I will comply.",
    ],
    ids=["owner", "order", "another file", "other files", "talk"],
)
async def test_a_model_that_obeys_cannot_say_so(server: GeminiServer, backend: GeminiBackend, obeyed: object) -> None:
    server.replies = [Reply(body=answer(obeyed))]
    analysis = await backend.analyze(story_with("schema"), read)
    assert [d.step for d in analysis.degradations] == ["analysis"]
    assert analysis.title == facts.title_of(story_with("schema"))
    with pytest.raises(Reject):
        await backend.analyze(document(), read)


async def test_the_name_of_a_section_stands_in_no_mark(server: GeminiServer, backend: GeminiBackend) -> None:
    order = CORPUS["plain order"][:200]
    await backend.analyze(document(words(STORY, section=order), pictures=(picture("a", section=order),)), read)
    [request] = server.requests
    data, *marks = [part["text"] for part in request["contents"][0]["parts"] if "text" in part]
    mark = data.removeprefix("The mark is ").partition(".")[0]
    assert order in data
    assert marks == [f"[[{mark} picture p1]] [[/{mark}]]"]


async def test_words_in_a_picture_stay_words_of_that_picture(server: GeminiServer, backend: GeminiBackend) -> None:
    written = {"id": "p1", "description": "A sheet of paper with an instruction.", "text": CORPUS["plain order"]}
    server.replies = [Reply(body=answer(whole(pictures=[written])))]
    analysis = await backend.analyze(document(pictures=(picture("a", page=7),)), read)
    [ocr] = [segment for segment in analysis.segments if segment.source is TextSource.OCR]
    assert (ocr.text, ocr.locator.page) == (CORPUS["plain order"], 7)
    assert "pwned" not in analysis.labels


async def test_owner_upload_and_kind_come_from_the_event_alone(local: LocalBackend, backend: GeminiBackend) -> None:
    for chosen in (local, backend):
        await _announces_what_it_was_told(chosen)


async def _announces_what_it_was_told(chosen: Backend) -> None:
    store = MemoryObjectStore()
    inputs = StoreInputs(store, "artifacts", "out/")
    material = story_with("system role")
    artifact = inputs.model_artifact("material.json", material)
    await store.put("artifacts", artifact.ref.key, artifact.content, artifact.ref.media_type)
    event = processed(artifact.ref)
    outcome = await on_media_processed.stage(chosen).handle(event, inputs)
    [announced] = outcome.events
    assert isinstance(announced, MediaAnalyzedV1)
    assert (announced.upload, announced.kind, announced.filename) == (event.upload, event.kind, event.filename)
    assert announced.moderation == Moderation()
    assert [stored.ref.key.startswith("out/") for stored in outcome.artifacts] == [True]
