"""Filters beyond type, date and size; facets by language; the order asked for; and what is on its way."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.artifacts import FailureCode, Kind, Service
from contracts.events import MediaFailedV1
from search.relaxation import name_words

SEARCH = "/api/v1/search"
MODES = ("hybrid", "semantic", "keyword")


async def found(client, query, **parameters):
    answer = await client.post(SEARCH, json={"query": query, **parameters})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


@pytest.fixture
async def three_languages(world):
    await world.add("ada", "en.txt", "harbour", language="en")
    await world.add("ada", "at.txt", "harbour", language="de-AT")
    await world.add("ada", "unknown.txt", "harbour", language=None)


async def test_language_with_or_without_region(client, names, three_languages):
    for mode in MODES:
        assert names((await found(client, "harbour", mode=mode, languages=["DE"]))["results"]) == ["at.txt"]
        both = names((await found(client, "harbour", mode=mode, languages=["en", "de"]))["results"])
        assert sorted(both) == ["at.txt", "en.txt"]
        assert (await found(client, "harbour", mode=mode, languages=["fr"]))["results"] == []


async def test_facets_by_language_and_each_files_own(client, three_languages):
    data = await found(client, "harbour")
    assert data["facets"]["languages"] == {"de": 1, "en": 1}
    assert {hit["filename"]: hit["language"] for hit in data["results"]} == {
        "en.txt": "en",
        "at.txt": "de-AT",
        "unknown.txt": None,
    }


async def test_languages_of_three_letters_and_days_to_their_last_second(world, client, names):
    midnight = datetime(2026, 4, 1, tzinfo=UTC)
    await world.add("ada", "late.txt", "harbour", language="fil", created_at=midnight - timedelta(minutes=30))
    await world.add("ada", "midnight.txt", "harbour", created_at=midnight)
    assert names((await found(client, "harbour", languages=["fil"]))["results"]) == ["late.txt"]
    assert names((await found(client, "harbour", date_to="2026-03-31"))["results"]) == ["late.txt"]
    assert names((await found(client, "harbour", date_from="2026-04-01"))["results"]) == ["midnight.txt"]
    facets = (await found(client, "harbour"))["facets"]
    assert facets["languages"] == {"fil": 1, "en": 1}
    assert facets["months"] == {"2026-04": 1, "2026-03": 1}


async def test_files_with_and_without_text_inside(world, client, names):
    await world.add("ada", "written.txt", "harbour")
    await world.apply(await world.processed(silent := world.upload("ada", "harbour.jpg"), kind=Kind.IMAGE))
    for analyzed in (False, True):
        if analyzed:
            await world.apply(await world.analyzed(silent, [], title="harbour"))
        assert names((await found(client, "harbour", has_text=True))["results"]) == ["written.txt"]
        assert names((await found(client, "harbour", has_text=False))["results"]) == ["harbour.jpg"]


async def test_status_of_what_is_ready_on_its_way_or_given_up(world, client, names):
    await world.add("ada", "harbour-ready.txt", "ice")
    going, broken = world.upload("ada", "harbour-going.txt"), world.upload("ada", "harbour-broken.txt")
    failure = MediaFailedV1(upload=broken, stage=Service.ANALYZER, code=FailureCode.CORRUPT, message="broken")
    await world.apply(await world.processed(going), await world.processed(broken), failure)

    by_status = {
        status: names((await found(client, "harbour", status=status))["results"])
        for status in ("complete", "processing", "failed")
    }

    assert by_status == {
        "complete": ["harbour-ready.txt"],
        "processing": ["harbour-going.txt"],
        "failed": ["harbour-broken.txt"],
    }
    data = await found(client, "harbour")
    assert {hit["filename"]: hit["status"] for hit in data["results"]} == {
        names[0]: status for status, names in by_status.items()
    }
    assert data["processing"] == 1


async def test_every_order_both_ways_pages_and_all(world, client, names):
    for i, name in enumerate(("page 9.txt", "Page 10.txt", "a.txt", "é.txt")):
        created = datetime(2026, 1, 10 - i, tzinfo=UTC)
        await world.add("ada", name, f"harbour page{i}", created_at=created, size_bytes=100 + (i * 7) % 4)
    by_date = ["é.txt", "a.txt", "Page 10.txt", "page 9.txt"]
    by_size = ["page 9.txt", "é.txt", "a.txt", "Page 10.txt"]
    by_name = ["a.txt", "é.txt", "page 9.txt", "Page 10.txt"]
    for sort, expected in (("date", by_date), ("size", by_size), ("name", by_name)):
        for mode in MODES:
            assert names((await found(client, "harbour", sort=sort, mode=mode))["results"]) == expected, (sort, mode)
        assert names((await found(client, "harbour", sort=f"-{sort}"))["results"]) == expected[::-1]
        pages = [await found(client, "harbour", sort=sort, limit=3, offset=offset) for offset in (0, 3)]
        assert [name for page in pages for name in names(page["results"])] == expected


async def found_by_name(client, query):
    results = (await found(client, query, mode="keyword"))["results"]
    assert all("name" in file["matched"] for file in results)
    return [file["filename"] for file in results]


async def test_misspelt_names_are_found_and_said_to_be_names(world, client):
    await world.add("ada", "glacier-survey.pdf", "Nothing of that sort.")
    await world.add("ada", "summer.txt", "Nothing either.")
    for query in ("glacer", "glacier survay", "gleicer", "glacer-survey.pdf", "glac", "surv*"):
        assert await found_by_name(client, query) == ["glacier-survey.pdf"], query
    for query in ("clacier", "gla", "glider", "harbour"):
        assert (await found(client, query, mode="keyword"))["results"] == [], query


async def test_words_that_a_name_runs_together_are_found_misspelt_and_run_together(world, client):
    await world.add("ada", "IMG_1234_CamelCaseHolidayPhoto.txt", "Nothing of that sort.")
    await world.add("ada", "camel-in-a-case.txt", "Nothing either.")
    for query in ("Holliday", "CamelCase", "holidayphoto", "camelcaseholiday"):
        assert await found_by_name(client, query) == ["IMG_1234_CamelCaseHolidayPhoto.txt"], query


async def test_a_name_put_right_comes_before_what_is_near_to_the_misspelling(world, client, names):
    await world.add("ada", "long-novel.txt", "Nothing of that sort.")
    for n in range(3):
        await world.add("ada", f"n{n}.txt", "long")
    results = (await found(client, "long novle"))["results"]
    assert names(results)[0] == "long-novel.txt"
    assert len(results) == 4


async def test_a_word_that_occurs_is_not_put_right(world, client, names):
    await world.add("ada", "marine.txt", "Ships.")
    await world.add("ada", "other.txt", "A martine was seen.")
    assert names((await found(client, "martine", mode="keyword"))["results"]) == ["other.txt"]


async def test_words_of_deleted_names_are_forgotten(world, client):
    await world.add("ada", "glacier-survey.pdf", "Nothing of that sort.")
    await world.delete("ada", "glacier-survey.pdf")
    assert (await found(client, "glacer"))["results"] == []
    rows = await world.rows("ada")
    assert rows["file_name_words"] == []


async def test_a_word_is_known_as_long_as_one_name_has_it(world, client, names):
    await world.add("ada", "glacier-survey.pdf", "Nothing of that sort.")
    await world.add("ada", "glacier.jpg", "Nothing either.")
    await world.delete("ada", "glacier-survey.pdf")
    assert names((await found(client, "glacer", mode="keyword"))["results"]) == ["glacier.jpg"]
    assert (await found(client, "survay", mode="keyword"))["results"] == []


async def test_where_nothing_is_found_misspelt_words_of_contents_are_put_right_and_said(world, client, names):
    await world.add("ada", "one.txt", "The children saw the planetarium.")
    await world.add("ada", "two.txt", "Planetariums and planetaria.")
    await world.add("ada", "three.txt", "They receive the report.")
    for query, name, word in (("planetarum", "one.txt", "planetarium"), ("recieve", "three.txt", "receive")):
        answer = await found(client, query, mode="keyword")
        assert names(answer["results"])[0] == name, query
        assert answer["corrections"] == {query: word}
    moment = (await found(client, "planetarum", mode="keyword"))["results"][0]["moments"][0]
    assert [moment["text"][start:end] for start, end in moment["highlights"]] == ["planetarium"]
    for query in ("planetrim", "slanetarium", "trail", '"planetarum"', "harbour"):
        answer = await found(client, query, mode="keyword")
        assert answer["results"] == [], query
        assert answer["corrections"] == {}, query


async def test_a_word_that_other_files_have_is_not_put_right(world, client):
    await world.add("ada", "one.txt", "The planetarium.")
    await world.add("ada", "two.jpg", "The planetarum.", kind="image")
    assert (await found(client, "planetarum", mode="keyword", file_types=["document"]))["results"] == []


async def test_words_of_deleted_contents_are_forgotten(world, client):
    await world.add("ada", "one.txt", "The planetarium.")
    await world.delete("ada", "one.txt")
    assert (await found(client, "planetarum", mode="keyword"))["corrections"] == {}


def test_only_words_that_can_be_misspelt_are_kept():
    assert name_words("IMG_20240517 Zürich-東京 report2.final.PDF") == {"zurich", "report", "final"}


async def test_other_fields_are_refused(client):
    for fields in (
        {"languages": ["english"]},
        {"languages": ["d'"]},
        {"languages": "de"},
        {"languages": ["de"] * 21},
        {"has_text": "yes"},
        {"status": "done"},
        {"sort": "rating"},
        {"sort": None},
    ):
        answer = await client.post(SEARCH, json={"query": "x", **fields})
        assert answer.status_code == 422, fields
        assert answer.json()["error"]["details"]["fields"]


async def test_another_users_names_are_nobodys_spelling(world, client):
    await world.add("bob", "glacier-survey.pdf", "Nothing but a planetarium.")
    await world.add("ada", "notes.txt", "Nothing.")
    for query in ("glacer", "planetarum"):
        answer = await found(client, query, mode="keyword")
        assert (answer["results"], answer["corrections"]) == ([], {})
