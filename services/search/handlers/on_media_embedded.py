"""media.embedded.v1 → passages and vectors: the file can be found by meaning; announces media.indexed.v1."""

import asyncio
from collections.abc import Sequence
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import Passages, Service
from contracts.envelope import Envelope, EventData
from contracts.events import MediaEmbeddedV1, MediaIndexedV1
from eventing.handlers import Projection, StageInputs
from search.indexing import check_embedding, passage_rows, vector_rows
from search.lifecycle import embedded_by
from search.store import files, models, passages
from search.tables import UNEMBEDDED


def projection(current_model_id: str | None) -> Projection[MediaEmbeddedV1]:
    """The handler with its event and tenant."""
    handler = partial(handle, current_model_id=current_model_id)
    return Projection(Service.SEARCH, MediaEmbeddedV1, lambda event: event.upload.user_id, handler)


async def handle(
    envelope: Envelope[MediaEmbeddedV1], session: AsyncSession, inputs: StageInputs, *, current_model_id: str | None
) -> Sequence[EventData]:
    """Replaces the model's passages and vectors, unless those of a later run or generation are stored.

    Vectors of a dropped model are not written, except those of the current one: without them no file would be
    completed. Vectors made ``beside`` the answering model's are stored, but not announced: they do not complete a file.
    """
    event, upload = envelope.data, envelope.data.upload
    part = embedded_by(event.model_id)
    # Checked before the artifacts are read: those of a deleted upload may be gone. No lock is held while fetching.
    if not (await files.state(session, upload)).wants(upload, part):
        return ()
    found = await inputs.read_model(event.passages, Passages)
    packed = await inputs.read(event.vectors)
    check_embedding(event, found, packed)
    rows = await asyncio.to_thread(passage_rows, found)
    vectors = await asyncio.to_thread(vector_rows, packed, event.dimensions)
    known = await files.lock(session, upload)
    if not known.wants(upload, part):
        return ()
    if not await models.may_write(session, event.model_id):
        if event.model_id != current_model_id:
            return ()
        await models.admit(session, event.model_id)
    await files.replace_generation(session, known, upload)
    config = await files.config_of(session, upload.upload_id)
    if not known.after(upload, part).needs_analysis_texts:
        await passages.remove(session, upload, UNEMBEDDED)
    await passages.replace_embedded(session, upload, event.model_id, event.dimensions, config, rows, vectors)
    if event.beside:
        return ()
    return (MediaIndexedV1(upload=upload, model_id=event.model_id, passage_count=len(rows)),)
