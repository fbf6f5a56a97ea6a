"""Words of a tenant of many files: a sample says which passages are worth reading, and none that counts is missed."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from search import query as queries
from search.request import Filters
from search.store import by_words, filtering, retrieval, sampling
from search.store.term_queries import term_queries
from search.thresholds import READ_WHOLE, sample_for

FILES = 900
MODEL = "m"

# Of each thousand files all hold "report", 500 "half", 100 "tenth", 10 "hundredth"; "tenth" and "hundredth" lie in
# the second passage with "report", so that what is common to both passages never tells them apart.
_FILES = """INSERT INTO files (upload_id, user_id, generation, processed_run, analyzed_run, filename, kind, name_words)
    SELECT :user || '_' || i, :user, 1, 0, 0, 'scan' || i || '.txt',
    CASE WHEN i % 300 = 0 THEN 'image' ELSE 'document' END,
    to_tsvector('simple', 'scan' || i || CASE WHEN i % 50 = 7 THEN ' minutes' ELSE '' END)
    FROM generate_series(1, CAST(:files AS int)) AS i"""
_SETS = """INSERT INTO passage_sets (upload_id, model_id, user_id, run, dimensions, passage_count)
    SELECT :user || '_' || i, :model, :user, 0, 384, 2 FROM generate_series(1, CAST(:files AS int)) AS i"""
_WORDS = """INSERT INTO words (upload_id, model_id, ordinal, user_id, words)
    SELECT :user || '_' || i, :model, p, :user, to_tsvector('simple', concat_ws(' ', 'report',
        CASE WHEN p = 0 AND i % 2 = 0 THEN 'half' END, CASE WHEN p = 1 AND i % 10 = 0 THEN 'tenth' END,
        CASE WHEN p = 1 AND i % 100 = 0 THEN 'hundredth' END, CASE WHEN p = 1 AND i = 333 THEN 'canary island' END))
    FROM generate_series(1, CAST(:files AS int)) AS i, generate_series(0, 1) AS p"""


@pytest.fixture
async def large(world):
    """Two tenants of the same many files."""
    for user in ("ada", "bob"):
        async with world.database.transaction(user) as session:
            for statement in (_FILES, _SETS, _WORDS):
                values = {"user": user, "files": FILES, "model": MODEL}
                await session.execute(text(statement), {k: v for k, v in values.items() if f":{k}" in statement})
    return world


async def found(world, query, user="ada", depth=50, filters=Filters()):
    parsed = queries.parse(query)
    required = tuple(term.tsquery for term in parsed.required)
    excluded = tuple(term.tsquery for term in parsed.excluded)
    wanted = replace(filters, required=required, excluded=excluded)
    async with world.database.reading(user, retrieval.SEARCH_TERMS) as reading:
        hits = await by_words.matching(reading, user, wanted, parsed, ["english"], depth, FILES, MODEL)
    return [hit._replace(passages=tuple(hit.passages())) for hit in hits]


def numbers(hits):
    return [int(hit.upload_id.partition("_")[2]) for hit in hits]


def test_these_tenants_are_sampled():
    assert sample_for(FILES) == 16
    assert FILES > READ_WHOLE


async def test_the_files_that_hold_every_word_come_first(large):
    hits = await found(large, "report tenth hundredth")
    assert sorted(numbers(hits)[:9]) == list(range(100, FILES + 1, 100))
    assert [hit.coverage for hit in hits[:9]] == pytest.approx([1.0] * 9)
    assert all(number % 10 == 0 for number in numbers(hits))
    assert len(hits) == 50


async def test_a_word_of_one_file_finds_it_wherever_the_sample_lies(large):
    assert numbers(await found(large, "canary")) == [333]
    assert numbers(await found(large, "report half canary"))[0] == 333


async def test_a_phrase_is_found_in_full_and_one_that_must_not_occur_is_left_out(large):
    assert numbers(await found(large, '"canary island" report')) == [333]
    hits = await found(large, "tenth -hundredth")
    assert len(hits) == 50
    assert not {number for number in numbers(hits) if number % 100 == 0}


async def test_names_count_of_files_found_by_a_passage(large):
    hits = await found(large, "half minutes")
    named = [number for number in range(1, FILES + 1) if number % 50 == 7]
    assert sorted(numbers(hits)[: len(named)]) == named


async def test_a_filter_that_leaves_few_files_finds_all_of_them(large):
    few = Filters(kinds=("image",))
    hits = await found(large, "report half tenth", filters=few)
    assert sorted(numbers(hits)) == [300, 600, 900]
    assert await found(large, "report half tenth", filters=few, depth=2000) == hits


async def test_reading_deeper_only_appends(large):
    first = numbers(await found(large, "half tenth"))
    deeper = numbers(await found(large, "half tenth", depth=200))
    deepest = numbers(await found(large, "half tenth", depth=2000))
    assert deeper[:50] == first
    assert deepest[:200] == deeper
    assert len(set(deepest)) == len(deepest) == FILES / 2


async def test_a_sample_is_of_its_tenant_and_tells_how_common_words_are(large):
    async with large.database.reading("ada", retrieval.SEARCH_TERMS) as reading:
        terms = await term_queries(reading, queries.parse("report half tenth"), ["english"])
        sample = await sampling.sample(reading, "ada", Filters(), terms, one_in=4, files=FILES)
        report, half, tenth = sample.weights(3)
        assert report < half < tenth
        assert sum(group.files for group in sample.groups) == pytest.approx(FILES / 4, rel=0.3)
        owners = await reading.execute(text("SELECT DISTINCT user_id FROM words"), {})
        assert [row.user_id for row in owners] == ["ada"]


async def test_the_sample_goes_through_the_index(large):
    async with large.database.reading("ada", retrieval.SEARCH_TERMS) as reading:
        sampled = filtering.word_scope_parameters(["'report'"], one_in=4)
        await reading.execute(text(f"WITH {filtering.SET_WORD_SCOPE} SELECT FROM word_scope"), sampled)
        plan = await reading.execute(text("EXPLAIN SELECT upload_id FROM words WHERE user_id = 'ada'"), {})
        assert any("words_by_tenant" in row[0] for row in plan)


async def test_what_is_sought_is_told_before_the_index_is_asked(large):
    """One round trip for both: or every passage of the tenant would be read."""
    async with large.database.reading("ada", retrieval.SEARCH_TERMS) as reading:
        explained = text(
            f"""EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) WITH {filtering.SET_WORD_SCOPE}
            SELECT w.upload_id FROM words w WHERE w.user_id = 'ada' AND {filtering.AFTER_WORD_SCOPE}"""
        )
        plan = await reading.execute(explained, filtering.word_scope_parameters(["'canary'"]))
        (scan,) = [row[0] for row in plan if "Bitmap Index Scan on words_by_tenant" in row[0]]
        assert "rows=1.00" in scan
