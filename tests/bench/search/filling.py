"""A plan of tenants into a database full of their files, passages, words and vectors, as the service leaves it.

Rows come as files do in life: those of all tenants mixed, one file's passages together.
"""

import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import numpy as np
from numpy.typing import NDArray

from search.planner import CROSSOVERS
from search.store.graph import GRAPHS
from tests.bench.search.corpus import SUBJECTS, Matrix, Mixer, Sentences

MODEL = "all-minilm-l6-v2@bench"
PASSAGES_A_FILE = 12
FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 1000
LANGUAGES = ("en", "de", "fr", "es")

_AT_ONCE = 20_000
_OWN_SUBJECT = 0.8
_SMALL_TENANT = 400


@dataclass(frozen=True)
class Tenant:
    """A user and how many passages they have."""

    user_id: str
    passages: int


@dataclass(frozen=True)
class File:
    """A file of the plan; ``day`` counts from ``FIRST_DAY``."""

    upload_id: str
    user_id: str
    passages: int
    subject: int
    kind: str
    day: float


@dataclass
class Stored:
    """What lies in the database: per tenant ids and vectors of all passages, for exact search outside it."""

    tenants: Sequence[Tenant]
    files: Sequence[File]
    vectors: dict[str, Matrix]
    file_of: dict[str, list[File]]
    large: set[str]
    timings: dict[str, float]


def tenants_of(total: int, sizes: Sequence[int]) -> list[Tenant]:
    """One tenant of each size, and small ones until there are ``total`` passages."""
    left = [min(_SMALL_TENANT, total - sum(sizes) - at) for at in range(0, total - sum(sizes), _SMALL_TENANT)]
    return [Tenant(f"usr_bench_{i:05}", size) for i, size in enumerate((*sizes, *left))]


def files_of(tenants: Sequence[Tenant], seed: int) -> list[File]:
    """Every tenant's files in the order they came in; sizes are geometric, each tenant has favourite subjects."""
    random = np.random.default_rng(seed)
    files: list[File] = []
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz234567"))
    for tenant in tenants:
        favourites = random.choice(SUBJECTS, min(SUBJECTS, 3 + int(np.log10(tenant.passages) * 3)), replace=False)
        left = tenant.passages
        while left:
            count = int(min(left, random.geometric(1 / PASSAGES_A_FILE)))
            left -= count
            upload_id = "upl_" + "".join(random.choice(letters, 26))
            kind = str(random.choice(["document", "image", "video", "audio"], p=[0.6, 0.25, 0.1, 0.05]))
            day = float(random.uniform(0, DAYS))
            files.append(File(upload_id, tenant.user_id, count, int(random.choice(favourites)), kind, day))
    return [files[i] for i in random.permutation(len(files))]


async def fill(
    admin_url: str, source: Sentences, tenants: Sequence[Tenant], dimensions: int, graph_from: int | None = None
) -> Stored:
    """Bulk loading: rows by COPY without the HNSW index, then the index at once, then vacuum.

    Tenants of more than ``graph_from`` passages have theirs in a graph.
    """
    least = CROSSOVERS[dimensions].graph_from if graph_from is None else graph_from
    files = files_of(tenants, seed=5)
    stored = Stored(tenants, files, {}, {}, {t.user_id for t in tenants if t.passages > least}, {})
    connection = await asyncpg.connect(
        admin_url, server_settings={"search_path": "search,public"}, command_timeout=3600
    )
    try:
        graphs = await _without_graphs(connection, f"vectors_{dimensions}")
        await _copy_files(connection, files, dimensions)
        parts: dict[str, list[Matrix]] = {}
        for some, texts, vectors in _passages(files, Mixer(source, dimensions, seed=1)):
            await _copy_passages(connection, some, texts, vectors, dimensions, stored, parts)
        stored.vectors = {user: np.concatenate(found) for user, found in parts.items()}
        started = time.perf_counter()
        for definition in graphs:
            await connection.execute(definition)
        stored.timings["index"] = time.perf_counter() - started
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
    return stored


def _passages(files: Sequence[File], mixer: Mixer) -> Iterator[tuple[list[File], list[str], Matrix]]:
    random = np.random.default_rng(11)
    some: list[File] = []
    for i, file in enumerate(files):
        some.append(file)
        count = sum(f.passages for f in some)
        if count >= _AT_ONCE or i == len(files) - 1:
            own = np.repeat([f.subject for f in some], [f.passages for f in some])
            foreign: NDArray[np.int64] = random.integers(0, SUBJECTS, count)
            texts, vectors = mixer.segments(np.where(random.random(count) < _OWN_SUBJECT, own, foreign))
            yield some, texts, vectors
            some = []


async def _without_graphs(connection: asyncpg.Connection, table: str) -> list[str]:
    """Drops the HNSW indexes; answers how to build them again."""
    names: list[str] = [f"{table}_graph_{graph}" for graph in range(GRAPHS)]
    built = [await connection.fetchval("SELECT pg_get_indexdef($1::regclass)", name) for name in names]
    await connection.execute(f"DROP INDEX {', '.join(names)}")
    return built


async def _copy_files(connection: asyncpg.Connection, files: Sequence[File], dimensions: int) -> None:
    rows = [
        (f.upload_id, f.user_id, 1, 0, 0, f"{f.kind} {i}.bin", f.kind, "application/octet-stream", 1000 + i * 10,
         FIRST_DAY + timedelta(days=f.day), FIRST_DAY + timedelta(days=f.day), LANGUAGES[i % 4], "A title", True)
        for i, f in enumerate(files)
    ]  # fmt: skip
    names = (
        "upload_id user_id generation processed_run analyzed_run filename kind media_type size_bytes created_at "
        "touched_at language title has_text"
    )
    await connection.copy_records_to_table("files", records=rows, columns=names.split())
    # Names' words arrive through the same trigger as the service's.
    await connection.execute("UPDATE files SET name_words = to_tsvector('simple', filename)")
    sets = [(f.upload_id, MODEL, f.user_id, 0, dimensions, f.passages) for f in files]
    names = "upload_id model_id user_id run dimensions passage_count"
    await connection.copy_records_to_table("passage_sets", records=sets, columns=names.split())


async def _copy_passages(
    connection: asyncpg.Connection,
    files: Sequence[File],
    texts: Sequence[str],
    vectors: Matrix,
    dimensions: int,
    stored: Stored,
    parts: dict[str, list[Matrix]],
) -> None:
    keys = [(f.upload_id, MODEL, o, f.user_id) for f in files for o in range(f.passages)]
    halves = vectors.astype(np.float16)
    lines: list[str] = []
    at = 0
    for file in files:
        parts.setdefault(file.user_id, []).append(halves[at : at + file.passages].astype(np.float32))
        stored.file_of.setdefault(file.user_id, []).extend([file] * file.passages)
        for i in range(at, at + file.passages):
            upload_id, model, ordinal, user = keys[i]
            graph = "t" if user in stored.large else "f"
            vector = ",".join(map(str, halves[i].tolist()))
            lines.append(f"{upload_id}\t{model}\t{ordinal}\t{user}\t{graph}\t[{vector}]")
        at += file.passages
    started = time.perf_counter()
    names = ["upload_id", "model_id", "ordinal", "user_id", "in_graph", "embedding"]
    source = io.BytesIO(("\n".join(lines) + "\n").encode())
    await connection.copy_to_table(f"vectors_{dimensions}", source=source, columns=names)
    stored.timings["vectors"] = stored.timings.get("vectors", 0) + time.perf_counter() - started
    started = time.perf_counter()
    rows = [(*key, text, "text") for key, text in zip(keys, texts, strict=True)]
    names = ["upload_id", "model_id", "ordinal", "user_id", "text", "source"]
    await connection.copy_records_to_table("passages", records=rows, columns=names)
    await connection.execute(
        """INSERT INTO words SELECT upload_id, model_id, ordinal, user_id,
        to_tsvector('simple', text) || strip(to_tsvector('english', text))
        FROM passages WHERE upload_id = ANY($1::text[])""",
        [file.upload_id for file in files],
    )
    stored.timings["words"] = stored.timings.get("words", 0) + time.perf_counter() - started
