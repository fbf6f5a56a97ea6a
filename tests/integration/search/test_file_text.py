"""The text of one file is read whole, in order, page by page; nobody reads another's."""

import asyncio

from contracts.artifacts import AnalyzedSegment, Locator, TextSource
from embedder.segments import FileDescription, cut
from embeddings.testing import FakeEncoder
from tests.integration.search.conftest import World

NOVEL = " ".join(f"In chapter {n} somebody walks along harbour number {n} until it rains." for n in range(150))


async def read(client, upload_id, **parameters):
    answer = await client.get(f"/api/v1/file/{upload_id}/text", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_a_long_text_is_read_page_by_page_without_repeating_itself(world, client):
    upload = world.upload("ada", "novel.docx")
    segments = [AnalyzedSegment(text=NOVEL, locator=Locator(section="Part one"), source=TextSource.TEXT)]
    passages = cut(FileDescription("novel.docx", "A novel", "Somebody walks.", []), segments)
    embedded = await world.embedded(upload, [p.text for p in passages.passages])
    artifact = await world.artifact(passages.model_dump_json().encode())
    await world.apply(
        await world.processed(upload),
        await world.analyzed(upload, [NOVEL]),
        embedded.model_copy(update={"passages": artifact}),
    )
    parts, after = [], -1
    while after is not None:
        page = await read(client, upload.upload_id, after=after, limit=4)
        assert 0 < len(page["parts"]) <= 4
        parts, after = parts + page["parts"], page["next"]
    assert "".join(part["text"] for part in parts) == NOVEL
    assert {(part["section"], part["source"]) for part in parts} == {("Part one", "text")}
    assert "Somebody walks." not in str(parts)


async def test_text_is_there_before_its_vectors_and_once_only_after(world, client):
    upload = world.upload("ada", "a.txt")
    await world.apply(await world.processed(upload))
    unread = await client.get(f"/api/v1/file/{upload.upload_id}/text")
    assert (unread.status_code, unread.json()["error"]["code"]) == (404, "not_found")
    texts = ["The harbour froze.", "It thawed in May."]
    await world.apply(await world.analyzed(upload, texts))
    before = await read(client, upload.upload_id)
    await world.apply(await world.embedded(upload, texts))
    assert await read(client, upload.upload_id) == before
    assert [(part["text"], part["page"]) for part in before["parts"]] == [*zip(texts, (1, 2), strict=True)]


async def test_a_file_in_which_nothing_is_written_has_no_parts(world, client):
    upload_id = await world.add("ada", "sky.jpg")
    assert await read(client, upload_id) == {"parts": [], "next": None}


async def test_what_was_read_last_is_shown_whichever_model_has_it(world, client):
    """A model that was set aside keeps the text of an earlier run."""
    upload_id = await world.add("ada", "a.txt", "the first reading")
    aside = World(world.database, FakeEncoder(1536, model_id="zzz"), world.store)
    await world.apply(await aside.embedded(world.upload("ada", "a.txt"), ["the first reading"], beside=True))
    again = world.upload("ada", "a.txt", run=1)
    await world.apply(await world.processed(again), await world.analyzed(again, ["the second reading"]))
    assert [part["text"] for part in (await read(client, upload_id))["parts"]] == ["the second reading"]
    await world.apply(await world.embedded(again, ["the second reading"]))
    assert [part["text"] for part in (await read(client, upload_id))["parts"]] == ["the second reading"]


async def test_another_or_nobodys_file_is_not_found(world, client):
    theirs = await world.add("bob", "secret.txt", "the harbour froze")
    gone = await world.add("ada", "gone.txt", "the harbour froze")
    await world.delete("ada", "gone.txt")
    for upload_id in (theirs, gone, "upl_" + "a" * 26, "nonsense", "%00"):
        answer = await client.get(f"/api/v1/file/{upload_id}/text")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found"), upload_id


async def test_odd_pages_are_refused(client):
    wishes = [{"limit": 0}, {"limit": 201}, {"after": -2}, {"after": 2**31}, {"after": "x"}]
    path = f"/api/v1/file/upl_{'a' * 26}/text"
    answers = await asyncio.gather(*(client.get(path, params=wish) for wish in wishes))
    assert {answer.status_code for answer in answers} == {422}
