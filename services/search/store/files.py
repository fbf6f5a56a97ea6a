"""The row of each file: locks its state for one event, and writes each part of it as a whole."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import UploadRef
from contracts.events import MediaAnalyzedV1, MediaProcessedV1
from search.folding import SIMPLE, heeds_accents, spelt_text, text_config
from search.indexing import storable
from search.lifecycle import ANALYZED, FAILED, PROCESSED, FileState, embedded_by
from search.relaxation import name_words
from search.store import names, passages, stems
from search.store.arrivals import SETTLED
from search.store.statements import statement
from search.tables import UNEMBEDDED
from search.word_index import index_text, name_text

_COLUMNS = "generation, deleted_generation, deleted_run, processed_run, analyzed_run, failed_run"

_SETS = "SELECT model_id, run FROM passage_sets WHERE upload_id = :upload_id"

_STATE = f"""SELECT {_COLUMNS}, s.model_id, s.run FROM files LEFT JOIN passage_sets s USING (upload_id)
    WHERE upload_id = :upload_id"""  # noqa: S608 - constants only

# On conflict the update is there to lock the row, so that the events of a file are handled one after the other.
_LOCK = f"""WITH settled AS ({SETTLED})
    INSERT INTO files (upload_id, user_id, generation) VALUES (:upload_id, :user_id, :generation)
    ON CONFLICT (upload_id) DO UPDATE SET touched_at = now()
    RETURNING {_COLUMNS}"""  # noqa: S608 - constants only

_FORGET_PROCESSED = """UPDATE files SET processed_run = NULL, filename = NULL, kind = NULL, media_type = NULL,
    size_bytes = NULL, created_at = NULL, has_thumbnail = NULL, has_storyboard = NULL, name_words = NULL, look = NULL
    WHERE upload_id = :upload_id"""

_FORGET_ANALYZED = """UPDATE files SET analyzed_run = NULL, title = NULL, summary = NULL,
    language = NULL, flagged = NULL, has_text = NULL, text_config = 'english', about_words = NULL
    WHERE upload_id = :upload_id"""

_FORGET_FAILED = "UPDATE files SET failed_run = NULL WHERE upload_id = :upload_id"

_FAILED = "UPDATE files SET failed_run = :run WHERE upload_id = :upload_id"

# Pub/Sub keeps a message for 31 days: no event of these can come any more. A few at a time, oldest first: whoever
# deletes thousands lets go of thousands.
_LET_GO = """DELETE FROM files WHERE upload_id IN (
    SELECT f.upload_id FROM files f WHERE f.user_id = :user_id AND f.touched_at < now() - interval '32 days'
        AND f.deleted_generation > 0 AND f.processed_run IS NULL AND f.analyzed_run IS NULL AND f.failed_run IS NULL
        AND NOT EXISTS (SELECT FROM passage_sets s WHERE s.upload_id = f.upload_id)
    ORDER BY f.touched_at LIMIT 10 FOR UPDATE SKIP LOCKED)"""

_CONFIG = "SELECT text_config FROM files WHERE upload_id = :upload_id"

_KEEP = """UPDATE files SET generation = :generation, deleted_generation = :deleted_generation,
    deleted_run = :deleted_run WHERE upload_id = :upload_id"""

_PROCESSED = """UPDATE files SET processed_run = :run, filename = :filename, kind = :kind, media_type = :media_type,
    size_bytes = :size_bytes, created_at = :created_at, has_thumbnail = :has_thumbnail,
    has_storyboard = :has_storyboard, look = :look, name_words = setweight(to_tsvector('simple', :name), 'A')
        || strip(to_tsvector('english', :name)) || setweight(to_tsvector('simple', :facts), 'C')
    WHERE upload_id = :upload_id"""

_ANALYZED = f"""UPDATE files SET analyzed_run = :run, title = :title, summary = :summary,
    language = :language, flagged = :flagged, has_text = :has_text, text_config = :config,
    about_words = to_tsvector('simple', :about) || CASE WHEN CAST(:config AS text) = 'simple' THEN CAST('' AS tsvector)
        ELSE strip(to_tsvector(CAST(CAST(:config AS text) AS regconfig), :about)) END
        || {stems.indexed(":config", "CAST(:about_spelt AS text)")}
    WHERE upload_id = :upload_id"""  # noqa: S608 - constants only


async def state(session: AsyncSession, upload: UploadRef) -> FileState:
    """Returns the file's state without locking it; an empty state for an unknown file."""
    rows = (await session.execute(statement(_STATE), {"upload_id": upload.upload_id})).all()
    sets = {row.model_id: row.run for row in rows if row.model_id is not None}
    return _state(rows[0], sets) if rows else FileState(upload.generation)


async def lock(session: AsyncSession, upload: UploadRef) -> FileState:
    """Returns the file's state, locked until the transaction ends; inserts the row of an unknown file."""
    key = {"upload_id": upload.upload_id, "user_id": upload.user_id, "generation": upload.generation}
    row = (await session.execute(statement(_LOCK), key)).one()
    # Read once the lock is held: whoever held it before may have written them.
    sets = await session.execute(statement(_SETS), {"upload_id": upload.upload_id})
    return _state(row, {found.model_id: found.run for found in sets})


async def replace_generation(session: AsyncSession, known: FileState, upload: UploadRef) -> None:
    """If the upload is of a newer generation, removes everything of the one before."""
    if upload.generation > known.generation:
        await apply_state(session, upload, known, FileState(upload.generation, known.tombstone))


async def apply_state(session: AsyncSession, upload: UploadRef, known: FileState, left: FileState) -> None:
    """Removes every part that ``known`` has and ``left`` has not, and writes generation and tombstone of ``left``."""
    for part in known.runs.keys() - left.runs.keys():
        await _forget(session, upload, part)
    if not left.needs_analysis_texts:  # dropping a model may have left its texts where ``known`` needs none
        await passages.remove(session, upload, UNEMBEDDED)
    deleted_generation, deleted_run = left.tombstone
    values = {"generation": left.generation, "deleted_generation": deleted_generation, "deleted_run": deleted_run}
    await session.execute(statement(_KEEP), values | {"upload_id": upload.upload_id})


async def _forget(session: AsyncSession, upload: UploadRef, part: str) -> None:
    key = {"upload_id": upload.upload_id}
    if part == PROCESSED:
        await session.execute(statement(_FORGET_PROCESSED), key)
        await names.forget(session, upload)
    elif part == ANALYZED:
        await session.execute(statement(_FORGET_ANALYZED), key)
    elif part == FAILED:
        await session.execute(statement(_FORGET_FAILED), key)
    else:
        await passages.remove(session, upload, part.removeprefix(embedded_by("")))


async def let_go_of_tombstones(session: AsyncSession, user_id: str) -> None:
    """Deletes the rows of a few of the user's files that were deleted long ago."""
    await session.execute(statement(_LET_GO), {"user_id": user_id})


async def write_processed(session: AsyncSession, event: MediaProcessedV1, image_hash: int | None) -> None:
    """Writes name, metadata and image hash (None if unknown): the file can be found by them from now on."""
    values = {
        "upload_id": event.upload.upload_id,
        "run": event.upload.run,
        "filename": storable(event.filename),
        "kind": event.kind.value,
        "media_type": storable(event.media_type),
        "size_bytes": event.size_bytes,
        "created_at": event.created_at,
        "has_thumbnail": event.thumbnail is not None,
        "has_storyboard": event.storyboard is not None,
        "look": image_hash,
        "name": name_text(event.filename),
        "facts": index_text(" ".join(_facts(event))),
    }
    await session.execute(statement(_PROCESSED), values)
    await names.replace(session, event.upload, name_words(event.filename))


async def write_analyzed(session: AsyncSession, event: MediaAnalyzedV1, *, has_text: bool) -> str:
    """Writes what the analysis says of the file; returns the text search configuration of its language."""
    config = text_config(event.language)
    about = " . ".join((event.title, *event.labels, event.summary))
    values = {
        "upload_id": event.upload.upload_id,
        "run": event.upload.run,
        "title": storable(event.title),
        "summary": storable(event.summary),
        "language": storable(event.language) if event.language else None,
        "flagged": event.moderation.flagged,
        "has_text": has_text,
        "config": config,
        "about": index_text(about),
        "about_spelt": spelt_text(about) if heeds_accents(config) else "",
    }
    await session.execute(statement(_ANALYZED), values)
    return config


async def write_failed(session: AsyncSession, upload: UploadRef) -> None:
    """Records that a stage gave up on this run."""
    await session.execute(statement(_FAILED), {"upload_id": upload.upload_id, "run": upload.run})


async def config_of(session: AsyncSession, upload_id: str) -> str:
    """Returns the text search configuration of the file's language; ``simple`` for an unknown file."""
    found = await session.scalar(statement(_CONFIG), {"upload_id": upload_id})
    return str(found or SIMPLE)


def _state(row: Any, sets: Mapping[str, int]) -> FileState:
    runs = {embedded_by(model_id): run for model_id, run in sets.items()}
    for part, run in ((PROCESSED, row.processed_run), (ANALYZED, row.analyzed_run), (FAILED, row.failed_run)):
        if run is not None:
            runs[part] = run
    return FileState(row.generation, (row.deleted_generation, row.deleted_run), runs)


def _facts(event: MediaProcessedV1) -> Sequence[str]:
    found = event.properties
    named = (found.title, found.author, found.camera, found.video_codec, found.audio_codec)
    return [fact for fact in (*named, *found.tags.values()) if fact]
