"""The two ways to the nearest files agree, and the index never answers with fewer than there are."""

import json

import numpy as np
import pytest
from sqlalchemy import text

from search.request import Filters
from search.store import by_meaning, retrieval

FILES = 30


@pytest.fixture
async def filled(world):
    for i in range(FILES):
        await world.add(
            "ada", f"f{i:02}.txt", f"harbour ice number{i}", "harbour gulls", kind="image" if i < 3 else "document"
        )
        await world.add("bob", f"f{i:02}.txt", f"harbour ice number{i}")
    return world


async def nearest(world, *, exact_up_to, filters=Filters(), cut_off=0.2, depth=20):
    vector = json.dumps((await world.encoder.encode_query("harbour ice number7")).tolist())
    async with world.database.transaction("ada") as session:
        await retrieval.prepare(session)
        return await by_meaning.nearest(
            session,
            "ada",
            filters,
            model_id=world.encoder.model_id,
            dimensions=384,
            vector=vector,
            cut_off=cut_off,
            depth=depth,
            exact_up_to=exact_up_to,
        )


async def test_index_and_exact_scan_agree(filled):
    for depth in (1, 5, 20, 100):
        exact = await nearest(filled, exact_up_to=10**9, depth=depth)
        indexed = await nearest(filled, exact_up_to=0, depth=depth)
        assert exact[0].upload_id == filled.upload("ada", "f07.txt").upload_id
        assert len(exact) == len(indexed) == min(depth, FILES)
        assert np.allclose([hit.similarity for hit in exact], [hit.similarity for hit in indexed])
        assert indexed[0].passages[0] == exact[0].passages[0]


async def test_filters_and_cut_off_hold_both_ways(filled):
    for exact_up_to in (0, 10**9):
        assert len(await nearest(filled, exact_up_to=exact_up_to, filters=Filters(kinds=("image",)))) == 3
        assert len(await nearest(filled, exact_up_to=exact_up_to, cut_off=0.99)) == 1
        assert await nearest(filled, exact_up_to=exact_up_to, cut_off=1.01) == []


async def test_many_passages_of_one_file_do_not_push_others_out(world):
    await world.add("ada", "book.txt", *["harbour ice number7"] * 300)
    for i in range(5):
        await world.add("ada", f"f{i}.txt", f"harbour ice page{i}")
    for exact_up_to in (0, 10**9):
        assert len(await nearest(world, exact_up_to=exact_up_to, depth=6)) == 6


async def test_the_index_is_there_for_the_indexed_query(world):
    async with world.database.transaction("ada") as session:
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        await session.execute(text("SET LOCAL enable_sort = off"))
        plan = await session.scalars(
            text("EXPLAIN SELECT ordinal FROM vectors_384 ORDER BY embedding <=> CAST(:v AS halfvec) LIMIT 5"),
            {"v": json.dumps([1.0] + [0.0] * 383)},
        )
        assert "vectors_384_by_meaning" in "\n".join(plan)
