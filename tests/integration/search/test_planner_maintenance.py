"""What an operator does to the index: nothing found before is lost."""

import argparse

import numpy as np
import pytest

from search import halfvec, maintenance
from search.planner import ScanMethod
from search.request import Filters
from search.store import by_meaning, graph
from tests.integration.search.conftest import set_for_searching


@pytest.fixture
async def filled(world):
    for i in range(20):
        await world.add("o'neil", f"f{i:02}.txt", f"harbour ice number{i}")
        await world.add("bob", f"f{i:02}.txt", f"harbour ice number{i}")
    return world


async def found(world, method):
    (vector,) = halfvec.packed((await world.encoder.encode_query("harbour ice number7"))[np.newaxis])
    async with world.database.transaction("o'neil") as session:
        await set_for_searching(session)
        counts = await graph.counts(session, "o'neil", world.encoder.model_id, 384)
        hits = await by_meaning.nearest(
            session, "o'neil", Filters(), counts, model_id=world.encoder.model_id, dimensions=384, vector=vector,
            cutoff=0.2, depth=50, method=method,
        )  # fmt: skip
    return [hit.upload_id for hit in hits]


async def do(admin_url, what, world):
    arguments = argparse.Namespace(what=what, user="o'neil", model=world.encoder.model_id, dimensions=384)
    return await maintenance.run(admin_url, arguments)


async def test_merging_moves_one_tenant(filled, admin_url):
    before = await found(filled, ScanMethod.EXACT)
    assert await do(admin_url, "merge", filled) == "20 vectors moved"
    assert await do(admin_url, "merge", filled) == "0 vectors moved"
    for user, in_graph in (("bob", 0), ("o'neil", 20)):
        async with filled.database.transaction(user) as session:
            assert (await graph.counts(session, user, filled.encoder.model_id, 384)).in_graph == in_graph
    assert await found(filled, ScanMethod.GRAPH) == before


async def test_ordering_and_vacuum_lose_nothing(filled, admin_url):
    before = await found(filled, ScanMethod.EXACT)
    for what in ("order", "vacuum"):
        assert await do(admin_url, what, filled) == "done"
        for method in (ScanMethod.EXACT, ScanMethod.CODES):
            assert await found(filled, method) == before


async def test_the_address_may_be_that_of_the_env_file(filled, admin_url):
    plain = admin_url.replace("postgresql+asyncpg://", "postgresql://")
    assert plain != admin_url
    assert await do(plain, "vacuum", filled) == "done"
