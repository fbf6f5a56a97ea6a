"""POST /api/v1/search: finds by meaning, words, names and quotes; filters, pages, counts, degrades."""

import asyncio
from datetime import UTC, datetime

import httpx2

from contracts.artifacts import (
    FailureCode,
    Kind,
    Locator,
    MediaProperties,
    Moderation,
    Passage,
    Passages,
    Service,
    TextSource,
)
from contracts.events import MediaFailedV1
from embeddings.encoder import EncoderUnavailable
from search import matching
from search.cut_offs import Calibration
from search.finder import Finder
from search.models import Model, Models
from search.request import SearchRequest

SEARCH = "/api/v1/search"
MB = 1024 * 1024


async def found(client: httpx2.AsyncClient, query: str, **parameters):
    answer = await client.post(SEARCH, json={"query": query, **parameters})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_finds_a_file_by_its_text_with_the_page_and_why(world, client):
    upload_id = await world.add("ada", "notes.txt", "Apples and pears grow here.", "The harbour froze in January.")
    await world.add("ada", "other.txt", "Nothing of interest at all.")

    data = await found(client, "frozen harbour january")

    (hit,) = data["results"]
    assert hit["upload_id"] == upload_id
    assert hit["matched"] == ["semantic", "text"]
    assert hit["file_type"] == "document"
    moment = hit["moments"][0]
    assert moment["page"] == 2
    shown = [moment["text"][start:end] for start, end in moment["highlights"]]
    assert shown == ["harbour", "January"]
    assert 0 <= hit["similarity_score"] <= 1
    assert data["degraded"] is False
    assert data["processing"] == 0


async def test_only_words_that_are_looked_for_are_marked(world, client):
    await world.add("ada", "a.txt", "The boats at the harbour froze to the quay.")
    for query, marked in (
        ("what happened to the harbour", ["harbour"]),
        ("to the", ["The", "the", "to", "the"]),
    ):
        (moment,) = (await found(client, query))["results"][0]["moments"]
        assert [moment["text"][start:end] for start, end in moment["highlights"]] == marked, query


async def test_the_envelope_carries_trace_paging_and_time(world, client):
    await world.add("ada", "a.txt", "harbour")
    answer = await client.post(SEARCH, json={"query": "harbour"})
    body = answer.json()
    assert body["status"] == "success"
    assert body["meta"] == {
        "limit": 20,
        "offset": 0,
        "total": 1,
        "total_relation": "eq",
        "has_more": False,
        "cached": False,
        "degraded": False,
        "processing": 0,
    }
    assert body["data"]["processing_time_ms"] > 0
    assert body["data"]["search_id"]


async def test_nonsense_finds_nothing(world, client):
    await world.add("ada", "a.txt", "The harbour froze in January.")
    data = await found(client, "qwertz asdfgh yxcvb")
    assert (data["results"], data["total"], data["facets"]) == (
        [],
        0,
        {"file_types": {}, "months": {}, "languages": {}, "sizes": {}, "has_text": {}, "statuses": {}},
    )


async def test_file_names_are_found_by_their_words(world, client, names):
    await world.add("ada", "WinterLog_2019-final.txt", "Nothing of that sort.")
    await world.add("ada", "summer.txt", "Nothing either.")
    for query in ("winter log", "WinterLog_2019-final.TXT", "2019-final", "log", "winterlog"):
        results = (await found(client, query, mode="keyword"))["results"]
        assert names(results) == ["WinterLog_2019-final.txt"], query
        assert "name" in results[0]["matched"]


async def test_codes_are_found_inside_a_sentence(world, client, names):
    await world.add("ada", "a.txt", "Shipment of order INV-20417 was delayed by the customs office for nine days.")
    await world.add("ada", "b.txt", "Shipment of order INV-20418 was delayed by the customs office for nine days.")
    query = "could you please show me everything somebody wrote regarding inv-20418 whatever happened"
    assert names((await found(client, query, mode="keyword"))["results"]) == ["b.txt"]
    assert names((await found(client, query))["results"])[0] == "b.txt"


async def test_quotes_are_required_minus_is_excluded(world, client, names):
    await world.add("ada", "a.txt", "Bring an identity card to the polling station.")
    await world.add("ada", "b.txt", "A card with an identity is at the polling station.")
    await world.add("ada", "c.txt", "Bring an identity card and a pen to the polling station.")

    results = (await found(client, '"identity card" polling'))["results"]
    assert sorted(names(results)) == ["a.txt", "c.txt"]
    assert "quoted" in results[0]["matched"]
    assert "quoted" in results[0]["moments"][0]["matched"]
    assert names((await found(client, '"identity card" polling -pen'))["results"]) == ["a.txt"]


async def test_words_are_found_in_their_language(world, client, names):
    for language, text, query in (
        ("en", "Three puppies were sleeping.", "sleep puppy"),
        ("de", "Die Häuser am Fluss wurden gebaut.", "haus"),
        ("fr", "Les élèves écrivaient des lettres.", "lettre eleve"),
        ("zh", "我们昨天去了东京都庁参观。", "东京都"),
        ("ja", "猫が庭で寝ている。", "猫"),
        ("ru", "Ёлка стояла в доме.", "елка"),
        ("xx", "La kato dormas.", "KATO"),
    ):
        await world.add("ada", f"{language}.txt", text, language=language)
        assert names((await found(client, query, mode="keyword"))["results"]) == [f"{language}.txt"]


async def test_title_labels_summary_and_facts_are_found(world, client, names):
    upload = world.upload("ada", "p.jpg")
    await world.apply(
        await world.processed(upload, kind=Kind.IMAGE, properties=MediaProperties(camera="Leica M6")),
        await world.analyzed(upload, [], title="Mountain hut", summary="A cabin.", labels=("alps",)),
    )
    for query in ("leica", "mountain", "cabins", "alps"):
        (hit,) = (await found(client, query))["results"]
        assert hit["moments"] == []


async def test_half_of_the_words_is_enough_a_third_is_not(world, client, names):
    await world.add("ada", "a.txt", "Warehouse stock counted twice.")
    assert names((await found(client, "warehouse stock differences", mode="keyword"))["results"]) == ["a.txt"]
    assert names((await found(client, "warehouse party invitations", mode="keyword"))["results"]) == []


async def test_filters_by_type_date_and_size(world, client, names):
    march, june = datetime(2026, 3, 31, 23, 30, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    await world.add("ada", "a.txt", "harbour", created_at=march, size_bytes=100)
    await world.add("ada", "b.jpg", "harbour", created_at=june, size_bytes=5 * 2**20, kind=Kind.IMAGE)

    async def names_with(**filters):
        for mode in ("hybrid", "semantic", "keyword"):
            yield names((await found(client, "harbour", mode=mode, **filters))["results"])

    for filters, expected in (
        ({"file_types": ["image"]}, ["b.jpg"]),
        ({"file_types": ["video", "audio"]}, []),
        ({"date_to": "2026-03-31"}, ["a.txt"]),
        ({"date_from": "2026-04-01"}, ["b.jpg"]),
        ({"max_size_mb": 1}, ["a.txt"]),
        ({"min_size_mb": 5}, ["b.jpg"]),
        ({"min_size_mb": 6}, []),
    ):
        assert [names async for names in names_with(**filters)] == [expected] * 3, filters


async def test_facets_count_the_found_files(world, client):
    await world.add("ada", "a.txt", "harbour", created_at=datetime(2026, 3, 1, tzinfo=UTC), size_bytes=MB)
    await world.add("ada", "b.jpg", "harbour", created_at=datetime(2026, 3, 9, tzinfo=UTC), kind=Kind.IMAGE)
    await world.add("ada", "c.jpg", "harbour", created_at=datetime(2026, 5, 9, tzinfo=UTC), kind=Kind.IMAGE)
    await world.add("ada", "d.jpg", "mountain", created_at=datetime(2026, 5, 9, tzinfo=UTC), kind=Kind.IMAGE)
    data = await found(client, "harbour", limit=1)
    assert data["facets"] == {
        "file_types": {"document": 1, "image": 2},
        "months": {"2026-05": 1, "2026-03": 2},
        "languages": {"en": 3},
        "sizes": {"0-1": 2, "1-10": 1},
        "has_text": {"true": 3},
        "statuses": {"complete": 3},
    }
    assert data["total"] == 3
    at_least_1_mb = await found(client, "harbour", min_size_mb=1)
    assert (at_least_1_mb["total"], at_least_1_mb["facets"]["sizes"]) == (1, {"1-10": 1})
    await world.apply(await world.processed(world.upload("ada", "harbour.mp4"), size_bytes=100 * MB))
    facets = (await found(client, "harbour"))["facets"]
    assert facets["statuses"] == {"complete": 3, "processing": 1}
    assert facets["has_text"] == {"true": 3, "false": 1}
    assert facets["sizes"] == {"0-1": 2, "1-10": 1, "100-": 1}


async def test_pages_neither_repeat_nor_miss(world, client, names):
    for i in range(11):
        await world.add("ada", f"f{i:02}.txt", "harbour " + "ice " * i)
    for mode in ("hybrid", "semantic", "keyword"):
        await assert_pages_make_the_whole(client, names, mode)


async def assert_pages_make_the_whole(client, names, mode):
    whole = names((await found(client, "harbour ice", mode=mode, limit=100))["results"])
    paged = [
        name
        for offset in range(0, 12, 3)
        for name in names((await found(client, "harbour ice", mode=mode, limit=3, offset=offset))["results"])
    ]
    assert paged == whole
    assert (await found(client, "harbour ice", mode=mode, offset=500))["results"] == []


async def test_more_files_than_one_tier_are_all_reached(world, client, names):
    for i in range(205):
        await world.apply(await world.processed(world.upload("ada", f"harbour{i:03}.txt")))
    pages = [await found(client, "harbour", limit=100, offset=offset) for offset in (0, 100, 200)]
    seen = [name for page in pages for name in names(page["results"])]
    assert len(seen) == len(set(seen)) == 205


async def test_up_to_three_moments_of_a_long_file(world, client):
    await world.add("ada", "log.txt", *[f"harbour day {i}" for i in range(6)])
    (hit,) = (await found(client, "harbour"))["results"]
    assert len(hit["moments"]) == 3
    assert hit["moments"][0]["matched"] == ["semantic", "text"]


async def test_what_is_said_of_the_whole_file_comes_after_places_inside_it(world, client):
    upload = world.upload("ada", "log.txt")
    said = (("harbour harbour", TextSource.SUMMARY), ("a harbour of ice", TextSource.TEXT))
    passages = Passages(
        passages=tuple(Passage(index=i, text=t, locator=Locator(), source=s) for i, (t, s) in enumerate(said))
    )
    artifact = await world.artifact(passages.model_dump_json().encode())
    await world.apply(
        await world.processed(upload), await world.embedded(upload, [t for t, _ in said], passages=artifact)
    )
    (hit,) = (await found(client, "harbour"))["results"]
    assert [moment["source"] for moment in hit["moments"]] == ["text", "summary"]


async def test_thumbnails_are_named_when_there_is_one_and_may_be_shown(world, client):
    picture = await world.artifact(b"jpeg")
    shown = await world.add("ada", "a.jpg", "harbour", thumbnail=picture)
    await world.add("ada", "b.jpg", "harbour")
    flagged = world.upload("ada", "c.jpg")
    await world.apply(
        await world.processed(flagged, thumbnail=picture),
        await world.analyzed(flagged, ["harbour"], moderation=Moderation(flagged=True)),
    )
    held_out = {hit["filename"] for hit in (await found(client, "harbour"))["results"]}
    assert held_out == {"a.jpg", "b.jpg"}
    everything = (await found(client, "harbour", include_flagged=True))["results"]
    hits = {hit["filename"]: hit for hit in everything}
    assert hits["a.jpg"]["thumbnail_url"] == f"/api/v1/file/{shown}/thumbnail"
    assert hits["b.jpg"]["thumbnail_url"] is None
    assert (hits["c.jpg"]["thumbnail_url"], hits["c.jpg"]["flagged"]) == (None, True)


async def test_a_moment_has_a_picture_where_its_file_has_pictures_of_its_places(world, client):
    listed = await world.artifact(b"{}")
    shown = await world.add("ada", "a.pdf", "The harbour froze.", thumbnail=listed, storyboard=listed)
    await world.add("ada", "b.txt", "The harbour froze.", thumbnail=listed)
    flagged = world.upload("ada", "c.pdf")
    await world.apply(
        await world.processed(flagged, thumbnail=listed, storyboard=listed),
        await world.analyzed(flagged, ["harbour"], moderation=Moderation(flagged=True)),
    )
    results = (await found(client, "harbour", include_flagged=True))["results"]
    pictures = {hit["filename"]: [moment["thumbnail_url"] for moment in hit["moments"]] for hit in results}
    assert pictures == {"a.pdf": [f"/api/v1/file/{shown}/thumbnail?page=1"], "b.txt": [None], "c.pdf": [None]}


async def test_a_moment_of_a_film_has_the_picture_of_its_second(world, client):
    upload = world.upload("ada", "a.mp4")
    listed = await world.artifact(b"{}")
    spoken = Passage(
        index=0, text="The harbour froze.", locator=Locator(start_s=12.5, end_s=20), source=TextSource.SPEECH
    )
    passages = await world.artifact(Passages(passages=(spoken,)).model_dump_json().encode())
    await world.apply(
        await world.processed(upload, kind=Kind.VIDEO, storyboard=listed),
        await world.embedded(upload, [spoken.text], passages=passages),
    )
    ((moment,),) = [hit["moments"] for hit in (await found(client, "harbour"))["results"]]
    assert moment["thumbnail_url"] == f"/api/v1/file/{upload.upload_id}/thumbnail?start_s=12.500"


async def test_a_search_by_meaning_reads_words_only_if_a_file_needs_them(world, client, names, monkeypatch):
    searched = []
    by_words = matching.by_words.matching

    async def noted(*given):
        searched.append(given)
        return await by_words(*given)

    monkeypatch.setattr(matching.by_words, "matching", noted)
    await world.add("ada", "a.txt", "The harbour froze.")
    assert names((await found(client, "harbour", mode="semantic"))["results"]) == ["a.txt"]
    assert searched == []
    strict = Finder(world.database, Models(Model(world.encoder, Calibration(plain=1.1, with_words=0.3))))
    answer = await strict.find("ada", SearchRequest(query="harbour", mode="semantic"))
    assert [file.filename for file in answer.results] == ["a.txt"], "a word of it occurs"
    assert len(searched) == 1


async def test_without_the_encoder_words_are_compared_and_the_answer_says_so(world, client, encoder, names):
    await world.add("ada", "a.txt", "The harbour froze.")
    for failure in (EncoderUnavailable("down"), RuntimeError("broken")):
        encoder.failure = failure
        for mode in ("hybrid", "semantic"):
            data = await found(client, "harbour", mode=mode)
            assert names(data["results"]) == ["a.txt"]
            assert data["degraded"] is True
        assert (await found(client, "harbour", mode="keyword"))["degraded"] is False


async def test_a_slow_encoder_is_not_waited_for_and_holds_no_connection(world):
    await world.add("ada", "a.txt", "The harbour froze.")
    waiting = asyncio.Event()

    class Stuck:
        model_id, dimensions = world.encoder.model_id, 384

        async def encode_documents(self, texts):
            raise AssertionError(texts)

        async def encode_query(self, text):
            waiting.set()
            await asyncio.sleep(3600)

    finder = Finder(world.database, Models(Model(Stuck(), Calibration(0.3, 0.3))), encoder_timeout_s=0.2)
    search = asyncio.create_task(finder.find("ada", SearchRequest(query="harbour")))
    await waiting.wait()
    assert world.database.engine.pool.checkedout() == 0
    answer = await search
    assert answer.degraded
    assert [result.filename for result in answer.results] == ["a.txt"]


async def test_vectors_of_another_model_are_never_compared(world, client):
    upload = world.upload("ada", "a.txt")
    await world.apply(
        await world.processed(upload), await world.embedded(upload, ["harbour froze"], model_id="another")
    )
    assert (await found(client, "harbour froze", mode="semantic"))["results"] == []
    (hit,) = (await found(client, "harbour froze"))["results"]
    assert hit["matched"] == ["text"]
    assert len(hit["moments"]) == 1


async def test_deleted_is_gone_at_once(world, client):
    await world.add("ada", "a.txt", "The harbour froze.")
    await world.delete("ada", "a.txt")
    for query in ("harbour", "a.txt", '"harbour froze"'):
        data = await found(client, query)
        assert (data["results"], data["processing"]) == ([], 0)


async def test_a_file_counts_as_processing_until_it_is_embedded_or_given_up(world, client):
    going, failing = world.upload("ada", "going.txt"), world.upload("ada", "failing.txt")
    await world.apply(await world.processed(going), await world.processed(failing))
    assert (await found(client, "anything"))["processing"] == 2
    failure = MediaFailedV1(upload=failing, stage=Service.ANALYZER, code=FailureCode.CORRUPT, message="broken")
    await world.apply(failure, await world.analyzed(going, ["harbour"]), await world.embedded(going, ["harbour"]))
    assert (await found(client, "anything"))["processing"] == 0
    again = failing.model_copy(update={"run": 1})
    await world.apply(await world.analyzed(again, ["harbour"]))
    assert (await found(client, "anything"))["processing"] == 1


async def test_similar_files(world, client, names):
    first = await world.add("ada", "a.txt", "harbour ice winter")
    await world.add("ada", "b.txt", "harbour ice summer")
    await world.add("ada", "c.txt", "completely different things")
    answer = await client.get(f"/api/v1/file/{first}/similar", params={"limit": 5})
    assert names(answer.json()["data"]["results"]) == ["b.txt"]


async def test_similar_to_what_is_not_there(client):
    for upload_id in ("upl_" + "a" * 26, "nonsense", "..%2F..", "%00"):
        answer = await client.get(f"/api/v1/file/{upload_id}/similar")
        assert answer.status_code == 404, upload_id
        assert answer.json()["error"]["code"] == "not_found"
