"""Every way to the nearest files agrees with the exact one, and none answers with fewer than there are."""

import json

import numpy as np
import pytest
from sqlalchemy import text

from search import halfvec, planner
from search.planner import Counts, Crossovers, ScanMethod, choose_scan
from search.request import Filters
from search.store import by_meaning, filtering, graph
from tests.integration.search.conftest import set_for_searching

FILES = 30


@pytest.fixture
async def filled(world):
    for i in range(FILES):
        await world.add(
            "ada", f"f{i:02}.txt", f"harbour ice number{i}", "harbour gulls", kind="image" if i < 3 else "document"
        )
        await world.add("bob", f"f{i:02}.txt", f"harbour ice number{i}")
    return world


async def add_to_graph(world, user, rows):
    async with world.database.transaction(user) as session:
        return await graph.add(session, user, world.encoder.model_id, 384, rows)


async def counts(world, user):
    async with world.database.transaction(user) as session:
        return await graph.counts(session, user, world.encoder.model_id, 384)


async def nearest(world, method, **asked):
    async with world.database.transaction("ada") as session:
        await set_for_searching(session)
        return await of_ada(session, world, method=method, **asked)


async def of_ada(transaction, world, *, filters=Filters(), cutoff=0.2, depth=20, method=None):
    (vector,) = halfvec.packed((await world.encoder.encode_query("harbour ice number7"))[np.newaxis])
    counted = await graph.counts(transaction, "ada", world.encoder.model_id, 384)
    return await by_meaning.nearest(
        transaction,
        "ada",
        filters,
        counted,
        model_id=world.encoder.model_id,
        dimensions=384,
        vector=vector,
        cutoff=cutoff,
        depth=depth,
        method=method,
    )


@pytest.mark.parametrize("in_graph", [0, 20, 2 * FILES])
async def test_every_way_agrees_whatever_part_is_in_the_graph(filled, in_graph):
    assert await add_to_graph(filled, "ada", in_graph) == in_graph
    for depth in (1, 5, 20, 100):
        exact = await nearest(filled, ScanMethod.EXACT, depth=depth)
        assert exact[0].upload_id == filled.upload("ada", "f07.txt").upload_id
        assert len(exact) == min(depth, FILES)
        for method in (ScanMethod.CODES, ScanMethod.GRAPH):
            found = await nearest(filled, method, depth=depth)
            assert np.allclose([hit.similarity for hit in exact], [hit.similarity for hit in found])
            assert found[0].passages()[0] == exact[0].passages()[0]


class Counted:
    """A transaction that counts its statements."""

    def __init__(self, transaction):
        self._transaction = transaction
        self.statements = 0

    async def execute(self, statement, values):
        self.statements += 1
        return await self._transaction.execute(statement, values)


@pytest.mark.parametrize("kinds", [(), ("image",), ("document",)])
@pytest.mark.parametrize("crossovers", [(100, 100), (50, 100), (3, 100), (50, 20), (3, 5), (0, 100), (100, 0), (0, 0)])
async def test_one_statement_answers_unless_filters_leave_too_many_to_read(filled, monkeypatch, crossovers, kinds):
    monkeypatch.setattr(planner, "CROSSOVERS", {384: Crossovers(0, *crossovers)})
    await add_to_graph(filled, "ada", 2 * FILES)
    there_are = Counts(2 * FILES, 2 * FILES, FILES)
    method = choose_scan(there_are, {(): None, ("image",): 3, ("document",): FILES - 3}[kinds], 384).method
    async with filled.database.transaction("ada") as session:
        await set_for_searching(session)
        transaction = Counted(session)
        found = await of_ada(transaction, filled, filters=Filters(kinds=kinds or None))
    counting = 1
    assert transaction.statements - counting == (1 if method is ScanMethod.EXACT or not kinds else 2)
    assert len(found) == {(): 20, ("image",): 3, ("document",): 20}[kinds]


@pytest.mark.parametrize("goes_on", [True, False])
async def test_a_walk_goes_on_until_it_has_enough_and_is_not_believed_when_it_cannot(filled, goes_on):
    await add_to_graph(filled, "ada", 2 * FILES)
    async with filled.database.transaction("ada") as session:
        await set_for_searching(session)
        await session.execute(text("SET LOCAL hnsw.ef_search = 1"))
        if not goes_on:
            await session.execute(text("SET LOCAL hnsw.iterative_scan = off"))
        transaction = Counted(session)
        found = await of_ada(transaction, filled, method=ScanMethod.GRAPH, depth=FILES)
    assert len(found) == FILES
    counting, walking, by_codes = 1, 1, 0 if goes_on else 1
    assert transaction.statements == counting + walking + by_codes


async def test_vectors_of_a_tenant_past_the_crossover_enter_the_graph_as_they_are_written(world, monkeypatch):
    monkeypatch.setattr(planner, "CROSSOVERS", {384: Crossovers(graph_from=5, graph_scan_from=5, exact_up_to=5)})
    held = []
    for i in range(10):
        await world.add("ada", f"f{i:02}.txt", f"harbour ice number{i}")
        there_are = await counts(world, "ada")
        held.append((there_are.passages, there_are.in_graph))
    assert held == [(n, n if n > 5 else 0) for n in range(1, 11)]
    assert len(await nearest(world, None)) == 10


async def test_filters_and_cut_off_hold_every_way(filled):
    await add_to_graph(filled, "ada", 20)
    for method in (*ScanMethod, None):
        assert len(await nearest(filled, method, filters=Filters(kinds=("image",)))) == 3
        assert len(await nearest(filled, method, filters=Filters(kinds=("image",), excluded=("'number1'",)))) == 2
        assert len(await nearest(filled, method, filters=Filters(required=("'number2'",)))) == 1
        assert await nearest(filled, method, filters=Filters(kinds=("video",))) == []
        assert len(await nearest(filled, method, cutoff=0.99)) == 1
        assert await nearest(filled, method, cutoff=1.01) == []


async def test_a_filter_that_leaves_too_many_files_to_list_is_asked_inside(filled, monkeypatch):
    monkeypatch.setattr(filtering, "MOST_LISTED", 2)
    await add_to_graph(filled, "ada", 20)
    for method in (*ScanMethod, None):
        assert len(await nearest(filled, method, filters=Filters(kinds=("image",)))) == 3


async def test_files_held_out_do_not_take_the_places_of_others(world):
    for i in range(12):
        upload = world.upload("ada", f"f{i}.txt")
        words = ["harbour ice number7"] if i < 8 else [f"harbour ice page{i}"]
        await world.apply(await world.processed(upload), await world.embedded(upload, words))
    async with world.database.transaction("ada") as session:
        await session.execute(text("UPDATE files SET flagged = true WHERE filename < 'f8' AND filename <> 'f10.txt'"))
    for method in ScanMethod:
        assert len(await nearest(world, method, depth=2)) == 2


async def test_many_passages_of_one_file_do_not_push_others_out(world):
    await world.add("ada", "book.txt", *["harbour ice number7"] * 300)
    for i in range(5):
        await world.add("ada", f"f{i}.txt", f"harbour ice page{i}")
    await add_to_graph(world, "ada", 200)
    for method in ScanMethod:
        assert len(await nearest(world, method, depth=6)) == 6


async def test_counts_follow_what_is_written_and_deleted(filled):
    await add_to_graph(filled, "ada", 7)
    ada, bob = await counts(filled, "ada"), await counts(filled, "bob")
    assert ada == Counts(2 * FILES, 7, FILES, of_graph=1.0, graph=ada.graph)
    assert bob == Counts(FILES, 0, FILES, of_graph=0.0, graph=bob.graph)
    await filled.apply(await filled.embedded(filled.upload("ada", "f05.txt"), ["one now"]))
    await filled.delete("ada", "f00.txt")
    left = await counts(filled, "ada")
    assert (left.passages, left.files) == (2 * FILES - 3, FILES - 1)
    async with filled.database.transaction("ada") as session:
        seen = await session.scalar(text("SELECT count(*) FILTER (WHERE in_graph) FROM vectors_384"))
    assert left.in_graph == seen


async def test_a_plan_prepared_for_anyone_walks_the_graph_of_the_user(filled):
    async with filled.database.transaction("ada") as session:
        await set_for_searching(session)
        of_ada = await session.scalar(text(f"SELECT {graph.OF_USER}"), {"user_id": "ada"})
        in_graph = graph.predicate(of_ada)
        walk = f"SELECT id FROM vectors_384 v WHERE user_id = $1 AND {in_graph} ORDER BY embedding <=> $2"
        await session.execute(text(f"PREPARE walk(text, halfvec) AS {walk} LIMIT 5"))
        vector = json.dumps([1.0] + [0.0] * 383)
        plan = await session.scalars(text(f"EXPLAIN EXECUTE walk('ada', '{vector}')"))
        assert f"vectors_384_graph_{of_ada} " in "\n".join(plan)
        await session.execute(text("DEALLOCATE walk"))
