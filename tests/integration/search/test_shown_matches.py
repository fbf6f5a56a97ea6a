"""What an answer shows of a file says why it was found: phrases as a whole, the telling words, no sentence twice."""

import pytest

from contracts.artifacts import AnalyzedSegment, Kind, Locator, Passage, Passages, TextSource
from embedder.segments import FileDescription, cut
from search.request import SearchRequest

STORY = (
    "The rest of the family stayed in the house at the edge of the village, and each of the days was like the others. "
    "In the months of the rain, monthly letters came from the city, of which the youngest of the sons read the end. "
) * 3
RAINBOW = "Nobody in the valley had ever been to the\nend of the Rainbow, though the old ones talked of it. "


async def moments(world, query, **parameters):
    """Of the one file that is found: what is shown, and the stretches of it that are highlighted."""
    (file,) = (await world.finder.find("ada", SearchRequest(query=query, **parameters))).results
    return [(one.text, [one.text[start:end] for start, end in one.highlights]) for one in file.moments]


async def add(world, filename, *passages, **changes):
    """A file with passages wherever they stand."""
    upload = world.upload("ada", filename)
    artifact = await world.artifact(Passages(passages=passages).model_dump_json().encode())
    await world.apply(
        await world.processed(upload, **changes),
        await world.embedded(upload, [passage.text for passage in passages], passages=artifact),
    )


@pytest.mark.parametrize("mode", ["hybrid", "keyword"])
@pytest.mark.parametrize("dash", ["-", "\N{EN DASH}"])
async def test_a_quoted_phrase_is_shown_and_nothing_else_is_highlighted(world, mode, dash):
    text = f"{STORY}{dash} {RAINBOW}{STORY}"
    await world.add("ada", "tale.txt", text)
    for query, marked in (
        ('"end of the rainbow"', ["end of the Rainbow"]),
        ('what of the "end of the rainbow"', ["end of the Rainbow"]),
        ('valley "End-of-the-Rainbow"', ["valley", "end of the Rainbow"]),
    ):
        ((shown, highlighted),) = await moments(world, query, mode=mode)
        assert len(shown) <= 302
        assert highlighted == marked, query


async def test_a_moment_says_whether_other_words_than_the_quoted_ones_are_in_it(world):
    await world.add(
        "ada", "tale.txt", f"{RAINBOW}A pilot came.", "Nothing but the pilot.", "At the end of the rainbow."
    )
    answer = await world.finder.find("ada", SearchRequest(query='pilot "end of the rainbow"', mode="keyword"))
    (file,) = answer.results
    assert file.matched == ["quoted", "text"]
    assert [(one.page, one.matched) for one in file.moments] == [
        (1, ["quoted", "text"]),
        (3, ["quoted"]),
        (2, ["text"]),
    ]


async def test_a_phrase_of_common_words_lights_up_none_of_their_forms(world):
    await world.add("ada", "tale.txt", f"{STORY}The rent is due each month. {STORY}")
    ((_, highlighted),) = await moments(world, '"each month"')
    assert highlighted == ["each month"]
    ((_, highlighted),) = await moments(world, "months of rent")
    assert set(highlighted) >= {"month", "rent"}
    assert not {"of", "the"} & set(highlighted)


async def test_codes_and_file_names_are_highlighted_as_a_whole(world):
    await world.add(
        "ada", "a.txt", f"{STORY}Order INV-20417 came with 20417 others, see plan-2024.pdf; INV is no code."
    )
    ((_, highlighted),) = await moments(world, "inv-20417")
    assert highlighted == ["INV-20417"]
    ((_, highlighted),) = await moments(world, "orders in plan-2024.pdf")
    assert highlighted == ["Order", "plan-2024.pdf"]


async def test_of_a_long_text_the_place_with_most_of_the_words_is_shown(world):
    text = "The harbour. " * 30 + STORY + "In that winter even the harbour was frozen, said the pilot. " + STORY
    await world.add("ada", "a.txt", text)
    ((_, highlighted),) = await moments(world, "frozen harbour pilot")
    assert highlighted == ["harbour", "frozen", "pilot"]


async def test_words_of_misspelt_names_are_highlighted_as_they_are_spelt(world):
    await world.add("ada", "lighthouse.txt", "The keeper of the lighthouse slept.")
    ((_, highlighted),) = await moments(world, "keeper lighthuose")
    assert highlighted == ["keeper", "lighthouse"]


@pytest.mark.parametrize(
    ("query", "text", "highlighted"),
    [
        ("買いました", "本を買いました。それでした。まして食べました。", ["買いました"]),
        ("東京都庁", "昨日は東京都庁へ行った。京都ではない。", ["東京都庁"]),
        ('"東京都庁"', "昨日は東京都庁へ行った。東京都。", ["東京都庁"]),
        ("北京天气预报", "今天北京的天气预报说很好。", ["北京", "天气预报"]),
    ],
)
async def test_runs_without_spaces_are_highlighted_where_they_follow_each_other(world, query, text, highlighted):
    await world.add("ada", "a.txt", text, language="ja")
    assert await moments(world, query, mode="keyword") == [(text, highlighted)]


async def test_a_sentence_in_two_overlapping_passages_is_one_moment(world):
    text = f"{STORY}{RAINBOW}" * 4
    segment = AnalyzedSegment(text=text, locator=Locator(page=1), source=TextSource.TEXT)
    passages = cut(FileDescription("tale.txt", "Tale", "", ()), [segment]).passages
    sentence = "In the shed behind the mill stood a lighthouse made of matches."
    # Into the part that two passages share.
    ends = text.index(passages[1].text) + len(passages[1].text)
    text = f"{text[: ends - 90]} {sentence} {text[ends - 90 :]}"
    segment = AnalyzedSegment(text=text, locator=Locator(page=1), source=TextSource.TEXT)
    passages = cut(FileDescription("tale.txt", "Tale", "", ()), [segment]).passages
    assert sum("matches" in passage.text for passage in passages) == 2
    await add(world, "tale.txt", *passages)
    for query in ("lighthouse matches", '"lighthouse made of matches"'):
        shown = [text for text, highlighted in await moments(world, query, mode="keyword") if highlighted]
        assert len(shown) == 1
        assert "lighthouse made of matches" in shown[0]


async def test_what_the_summary_repeats_is_shown_where_it_stands(world):
    said = "The lighthouse of matches stood in the shed behind the mill."
    await add(
        world,
        "film.mp4",
        Passage(index=0, text=f"Film\nmatches\n{said} Nobody lit it.", locator=Locator(), source=TextSource.SUMMARY),
        Passage(
            index=1, text=f"{said} He had built it.", locator=Locator(start_s=4, end_s=9), source=TextSource.SPEECH
        ),
        Passage(index=2, text=f"Again: {said}", locator=Locator(start_s=70, end_s=75), source=TextSource.SPEECH),
        kind=Kind.VIDEO,
    )
    (file,) = (await world.finder.find("ada", SearchRequest(query="lighthouse shed"))).results
    assert sorted((moment.source, moment.start_s) for moment in file.moments) == [("speech", 4), ("speech", 70)]


async def test_files_like_another_highlight_nothing(world):
    one = await world.add("ada", "a.txt", "The harbour froze in January.")
    await world.add("ada", "b.txt", "The harbour froze in January, and the boats lay still.")
    (file,) = (await world.finder.similar("ada", one, 5)).results
    assert [moment.highlights for moment in file.moments] == [[]]


async def test_a_code_is_found_however_its_parts_are_joined(world):
    await world.add("ada", "apart.txt", "Order PO-88012 left the harbour.")
    await world.add("ada", "joined.txt", "Order PO88012 is on its way.")
    await world.add("ada", "other.txt", "Order PO-88013 waits.")
    for query in ("PO-88012", "po88012", "PO/88012"):
        answer = await world.finder.find("ada", SearchRequest(query=query, mode="keyword"))
        marked = {
            moment.text[start:end]
            for file in answer.results
            for moment in file.moments
            for start, end in moment.highlights
        }
        assert {file.filename for file in answer.results} == {"apart.txt", "joined.txt"}, query
        assert marked == {"PO-88012", "PO88012"}
