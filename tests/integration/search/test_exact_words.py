"""What is quoted or excluded is the word itself, not another with the same stem; an asterisk begins any word."""

import pytest

from search.request import SearchRequest

TEXTS = {
    "customs.txt": "It is important that goods are declared.",
    "trade.txt": "Import duties rose again.",
    "board.txt": "The manager of two organizations resigned.",
    "organ.txt": "The manager played the organ.",
    "boats.txt": "Boats left the harbour early.",
    "orders.txt": "Order 70415233 and part KX4410B were shipped.",
    "short.txt": "Order 7041 and part KX44 were not.",
    "spaced.txt": "Invoice PO88012 of the manager.",
}

FOUND = {
    '"import"': {"trade.txt"},
    "manager -organ": {"board.txt", "spaced.txt"},
    "manager -organization": {"board.txt", "organ.txt", "spaced.txt"},
    'manager -"organizations"': {"organ.txt", "spaced.txt"},
    '"boat left"': set(),
    '"boats left"': {"boats.txt"},
    "704*": {"orders.txt", "short.txt"},
    "70415*": {"orders.txt"},
    "KX44*": {"orders.txt", "short.txt"},
    "manager -org*": {"spaced.txt"},
    "manager -PO-88012": {"board.txt", "organ.txt"},
}


@pytest.fixture
async def shelf(world):
    for name, text in TEXTS.items():
        await world.add("ada", name, text, summary=text, title=text)
    return world


async def found(world, query):
    answer = await world.finder.find("ada", SearchRequest(query=query, mode="keyword", limit=100))
    return {file.filename for file in answer.results}


async def test_only_the_word_itself_counts(shelf):
    assert {query: await found(shelf, query) for query in FOUND} == FOUND


@pytest.mark.parametrize("mode", ["hybrid", "keyword"])
@pytest.mark.parametrize("typed", ["2024.txt", '"2024.TXT"', "Übersicht 1.txt"])
async def test_the_file_that_is_called_so_comes_first(world, typed, mode):
    names = ["Vertrag 2024.txt", "2024.txt", "2024 (2024.txt).txt", "Übersicht 1.txt", "Neue Übersicht 1.txt"]
    for place, name in enumerate(names):
        await world.add("ada", name, "2024 txt Übersicht 1 txt " * (1 + abs(2 - place)))
    answer = await world.finder.find("ada", SearchRequest(query=typed, mode=mode))
    assert answer.results[0].filename.casefold() == typed.strip('"').casefold()
    assert len(answer.results) > 1


async def test_none_of_many_quoted_or_excluded_words_is_forgotten(shelf):
    assert await found(shelf, "manager " + " ".join(f"-q{n}" for n in range(12)) + " -organ") == FOUND["manager -organ"]
    assert await found(shelf, " ".join('"manager"' for _ in range(9)) + ' "absent"') == set()


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("docker build --no-cache", "option.txt"),
        ("chmod -R", "modes.txt"),
        ("is_at_block_end", "code.txt"),
        ("18 September 2024", "minutes.txt"),
        ("2024-09-18", "minutes.txt"),
        ("white board", "whiteboard.png"),
        ("scan0007.jpg", "scan0007.png"),
        ("lecture_volcanos.srt", "lecture_volcanoes.srt"),
        ("chip 977 2000 09123", "chip.txt"),
    ],
)
async def test_options_identifiers_dates_and_names_are_found_as_they_are_meant(world, typed, first):
    texts = {
        "option.txt": "Run docker build with --no-cache to build all layers.",
        "layers.txt": "docker build docker build: there is no place for a cache of what docker builds",
        "modes.txt": "chmod -R g+w changes modes below a directory. Option -R goes down.",
        "blocks.txt": "At the end of a block it is at its end: block, end, block.",
        "code.txt": "if parser.is_at_block_end(): stop",
        "minutes.txt": "Minutes of 18.09.2024, beginning at nine.",
        "autumn.txt": "September 2024 had 18 days of rain.",
        "whiteboard.png": "a picture",
        "scan0007.png": "a picture",
        "beach.jpg": "a picture",
        "lecture_volcanoes.srt": "Lava and ash.",
        "lectures.txt": "Lectures on history.",
        "chip.txt": "Microchip 977200009123, cat.",
    }
    for name, text in texts.items():
        await world.add("ada", name, text)
    answer = await world.finder.find("ada", SearchRequest(query=typed, mode="keyword"))
    assert answer.results[0].filename == first


async def test_a_code_that_is_nowhere_is_not_answered_by_meaning(world):
    await world.add("ada", "changes.txt", "CVE-2017-1000250 was mended.")
    for query, names in (("CVE-2017-1000251", []), ("CVE-2017-1000250", ["changes.txt"])):
        answer = await world.finder.find("ada", SearchRequest(query=query))
        assert [file.filename for file in answer.results] == names


async def test_versions_and_dates_are_found_among_signs(world):
    await world.add("ada", "notes.txt", "What changed in v2.3.1 of the tool.")
    await world.add("ada", "minutes.txt", "Minutes of 12.03.2024, beginning at nine.")
    await world.add("ada", "letter.txt", "Dated 05 March 2024 in Rome.")
    await world.add("ada", "born.txt", "She was born on the 14th of May 1987, they say.")
    await world.add("ada", "receipt.txt", "Paid 11/23/2024 in cash.")
    for name, queries in (
        ("notes.txt", ("2.3.1", "2.3.1?", "(2.3.1)")),
        ("minutes.txt", ("2024-03-12", "(2024-03-12)", "12th of March 2024", "12 de marzo de 2024")),
        ("letter.txt", ("2024-03-05", "March 5, 2024")),
        ("born.txt", ("14.05.1987", "14 May 1987", "1987-05-14")),
        ("receipt.txt", ("23.11.2024", "23 November 2024")),
    ):
        for query in queries:
            answer = await world.finder.find("ada", SearchRequest(query=query, mode="keyword"))
            assert [file.filename for file in answer.results][:1] == [name], query
