"""Passages through the service's own writer into the index: segments a second, and where the time goes."""

import time

import asyncpg
import numpy as np

from contracts.artifacts import Locator, TextSource, UploadRef
from database.engine import Database
from search.indexing import PassageRow, vector_rows
from search.planner import CROSSOVERS
from search.store import passages
from search.word_index import index_text
from tests.bench.search.corpus import SUBJECTS, Mixer, Sentences
from tests.bench.search.filling import MODEL
from tests.bench.search.tables import say

PASSAGES_A_FILE = 50


async def measured(database: Database, admin_url: str, source: Sentences, dimensions: int, count: int) -> None:
    """A tenant below the crossover, then one far above it whose vectors go into the graph as they come."""
    mixer = Mixer(source, dimensions, seed=9)
    random = np.random.default_rng(2)
    say(f"\nwriting {count} passages, {dimensions} dims, {PASSAGES_A_FILE} a file, one writer")
    for name, grows in (("small tenants", False), ("one tenant beyond the crossover", True)):
        if grows:
            await _pretend_large(admin_url, dimensions)
        preparing = storing = 0.0
        for at in range(0, count, PASSAGES_A_FILE):
            texts, vectors = mixer.segments(random.integers(0, SUBJECTS, PASSAGES_A_FILE))
            user = "usr_writer_large" if grows else f"usr_writer_{at // 2000}"
            upload = UploadRef(
                upload_id="upl_" + "".join(random.choice(list("abcdefghijklmnopqrstuvwxyz234567"), 26)),
                user_id=user, bucket="bench", object_name="o", generation=1, run=0,
            )  # fmt: skip
            started = time.perf_counter()
            rows = [PassageRow(i, t, TextSource.TEXT, Locator(page=i + 1), index_text(t)) for i, t in enumerate(texts)]
            packed = vector_rows(vectors.astype("<f4").tobytes(), dimensions)
            prepared = time.perf_counter()
            async with database.transaction(user) as session:
                await passages.replace_embedded(session, upload, MODEL, dimensions, "english", rows, packed)
            preparing += prepared - started
            storing += time.perf_counter() - prepared
        total = preparing + storing
        say(f"  {name}: {count / total:6.0f} passages/s ({preparing / total:.0%} folding and packing, the rest SQL)")
    await _remove(admin_url, dimensions)


async def _remove(admin_url: str, dimensions: int) -> None:
    """A kept database is left as it was."""
    connection = await asyncpg.connect(admin_url, command_timeout=600)
    try:
        for table in (f"vectors_{dimensions}", "passages", "words", "passage_sets", "vector_counts"):
            await connection.execute(f"DELETE FROM search.{table} WHERE starts_with(user_id, 'usr_writer_')")
            await connection.execute(f"VACUUM ANALYZE search.{table}")
    finally:
        await connection.close()


async def _pretend_large(admin_url: str, dimensions: int) -> None:
    """As if that tenant had enough vectors in the graph already: every new one goes there."""
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute(
            "INSERT INTO search.vector_counts VALUES ('usr_writer_large', $1, 99, $2, $2, $3)",
            MODEL,
            CROSSOVERS[dimensions].graph_from + 1,
            100,
        )
    finally:
        await connection.close()
