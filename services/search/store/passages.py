"""Writes the texts and vectors of a file: the whole set of one model at a time, as arrays in a few statements.

COPY would be faster still, but Postgres refuses it for tables under row-level security.
"""

import asyncio
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import UploadRef
from search.catenation import unbroken
from search.cues import stored
from search.folding import heeds_accents, spelt_text
from search.indexing import PassageRow, has_meaning
from search.store import graph, stems
from search.store.statements import statement
from search.tables import UNEMBEDDED, VECTOR_TABLES
from search.word_index import index_text

_ROWS_AT_ONCE = 500

# Phrases are searched as they are spelt, so only unstemmed words need positions.
_WORDS = f"""to_tsvector('simple', r.words) || CASE WHEN CAST(:config AS text) = 'simple' THEN CAST('' AS tsvector)
    ELSE strip(to_tsvector(CAST(CAST(:config AS text) AS regconfig), r.words)) END
    || {stems.indexed(":config", "r.spelt")}"""

_INSERT_TEXTS = f"""WITH r AS MATERIALIZED (SELECT * FROM unnest(CAST(:ordinals AS int[]), CAST(:texts AS text[]),
        CAST(:sources AS text[]), CAST(:pages AS int[]), CAST(:starts AS float8[]), CAST(:ends AS float8[]),
        CAST(:sections AS text[]), CAST(:words AS text[]), CAST(:spelt AS text[]), CAST(:cues AS text[]),
        CAST(:overlaps AS int[]))
        AS r(ordinal, text, source, page, start_s, end_s, section, words, spelt, cues, overlap)),
    indexed AS (INSERT INTO words (upload_id, model_id, user_id, ordinal, words)
        SELECT :upload_id, :model_id, :user_id, r.ordinal, {_WORDS} FROM r)
    INSERT INTO passages (upload_id, model_id, user_id, ordinal, text, source, page, start_s, end_s, section, cues,
        overlap)
    SELECT :upload_id, :model_id, :user_id, r.ordinal, r.text, r.source, r.page, r.start_s, r.end_s, r.section,
        CAST(r.cues AS jsonb), r.overlap FROM r"""  # noqa: S608 - constants only

_INSERT_VECTORS = """INSERT INTO {table} (upload_id, model_id, user_id, ordinal, in_graph, embedding)
    SELECT :upload_id, :model_id, :user_id, r.ordinal, :in_graph, r.vector
    FROM unnest(CAST(:ordinals AS int[]), CAST(:vectors AS halfvec[])) AS r(ordinal, vector)"""

_REINDEX = f"""UPDATE words SET words = {_WORDS}
    FROM unnest(CAST(:models AS text[]), CAST(:ordinals AS int[]), CAST(:words AS text[]), CAST(:spelt AS text[]))
        AS r(model_id, ordinal, words, spelt)
    WHERE words.upload_id = :upload_id AND words.model_id = r.model_id AND words.ordinal = r.ordinal
    """  # noqa: S608 - constants only

_SET = """INSERT INTO passage_sets (upload_id, model_id, user_id, run, dimensions, passage_count, text_bytes)
    VALUES (:upload_id, :model_id, :user_id, :run, :dimensions, :count, :text_bytes)
    ON CONFLICT (upload_id, model_id) DO UPDATE SET run = excluded.run, dimensions = excluded.dimensions,
        passage_count = excluded.passage_count, text_bytes = excluded.text_bytes"""


# The words of name and summary (ordinals below 0) belong to the file, not to a model.
_REMOVE = f"""WITH {
    ", ".join(
        f"{table} AS (DELETE FROM {table} WHERE upload_id = :upload_id AND model_id = :model_id)"
        for table in ("passages", "passage_sets", *VECTOR_TABLES.values())
    )
} DELETE FROM words WHERE upload_id = :upload_id AND model_id = :model_id AND ordinal >= 0"""  # noqa: S608 - constants only


async def replace_unembedded(session: AsyncSession, upload: UploadRef, config: str, rows: Sequence[PassageRow]) -> None:
    """Replaces the texts of the analysis, which have no vectors yet."""
    await remove(session, upload, UNEMBEDDED)
    await _insert_texts(session, upload, UNEMBEDDED, config, rows)


async def replace_embedded(
    session: AsyncSession,
    upload: UploadRef,
    model_id: str,
    dimensions: int,
    config: str,
    rows: Sequence[PassageRow],
    vectors: Sequence[bytes],
) -> None:
    """Replaces one model's passages of a file and the vectors of those that mean anything."""
    await remove(session, upload, model_id)
    await _insert_texts(session, upload, model_id, config, rows)
    found = [(row.ordinal, vector) for row, vector in zip(rows, vectors, strict=True) if has_meaning(row)]
    in_graph = await graph.grow(session, upload.user_id, model_id, dimensions, len(found))
    insert = statement(_INSERT_VECTORS.format(table=VECTOR_TABLES[dimensions]))
    for start in range(0, len(found), _ROWS_AT_ONCE):
        ordinals, part = zip(*found[start : start + _ROWS_AT_ONCE], strict=True)
        values = {"ordinals": list(ordinals), "vectors": list(part), "in_graph": in_graph}
        await session.execute(insert, _key(upload, model_id) | values)
    size = sum(len(row.text.encode("utf-8", "replace")) for row in rows)
    written = {"run": upload.run, "dimensions": dimensions, "count": len(rows), "text_bytes": size}
    await session.execute(statement(_SET), _key(upload, model_id) | written)


async def reindex(session: AsyncSession, upload: UploadRef, config: str) -> None:
    """Indexes the words of the file's passages again, because its language became known after they were written."""
    found = await session.execute(
        statement("SELECT model_id, ordinal, text FROM passages WHERE upload_id = :upload_id"),
        {"upload_id": upload.upload_id},
    )
    rows = found.all()
    words = await asyncio.to_thread(lambda: [index_text(row.text) for row in rows])
    values = {
        "upload_id": upload.upload_id,
        "user_id": upload.user_id,
        "config": config,
        "models": [row.model_id for row in rows],
        "ordinals": [row.ordinal for row in rows],
        "words": words,
        "spelt": await _spelt([row.text for row in rows], config),
    }
    await session.execute(statement(_REINDEX), values)


async def _insert_texts(
    session: AsyncSession, upload: UploadRef, model_id: str, config: str, rows: Sequence[PassageRow]
) -> None:
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = rows[start : start + _ROWS_AT_ONCE]
        values = {
            "config": config,
            "ordinals": [row.ordinal for row in part],
            "texts": [row.text for row in part],
            "sources": [row.source.value for row in part],
            "pages": [row.locator.page for row in part],
            "starts": [row.locator.start_s for row in part],
            "ends": [row.locator.end_s for row in part],
            "sections": [row.locator.section for row in part],
            "words": [row.words for row in part],
            "spelt": await _spelt([row.text for row in part], config),
            "cues": [stored(row.cues) for row in part],
            "overlaps": [row.overlap for row in part],
        }
        await session.execute(statement(_INSERT_TEXTS), _key(upload, model_id) | values)


async def remove(session: AsyncSession, upload: UploadRef, model_id: str) -> None:
    """Removes one model's passages and vectors, or with ``UNEMBEDDED`` the texts of the analysis."""
    await session.execute(statement(_REMOVE), _key(upload, model_id))


async def _spelt(texts: Sequence[str], config: str) -> list[str]:
    """Returns the words of each text that are stemmed as they are spelt; '' if the stemmer ignores accents."""
    if not heeds_accents(config):
        return [""] * len(texts)
    return await asyncio.to_thread(lambda: [spelt_text(unbroken(text)) for text in texts])


def _key(upload: UploadRef, model_id: str) -> dict[str, object]:
    return {"upload_id": upload.upload_id, "user_id": upload.user_id, "model_id": model_id}
