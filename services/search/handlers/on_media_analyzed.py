"""media.analyzed.v1 → title, summary and texts: the file can be found by its words."""

import asyncio
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import Analysis, Service
from contracts.envelope import Envelope, EventData
from contracts.events import MediaAnalyzedV1
from eventing.handlers import Projection, StageInputs
from search.indexing import has_own_text, segment_rows
from search.lifecycle import ANALYZED
from search.store import files, passages


def projection() -> Projection[MediaAnalyzedV1]:
    """The handler with its event and tenant."""
    return Projection(Service.SEARCH, MediaAnalyzedV1, lambda event: event.upload.user_id, handle)


async def handle(
    envelope: Envelope[MediaAnalyzedV1], session: AsyncSession, inputs: StageInputs
) -> Sequence[EventData]:
    """Writes the texts of the analysis, unless passages of the same run are stored: they hold the same words."""
    event = envelope.data
    # Checked before the artifact is read: that of a deleted upload may be gone. No lock is held while it is fetched.
    if not (await files.state(session, event.upload)).wants(event.upload, ANALYZED):
        return ()
    rows = await asyncio.to_thread(segment_rows, await inputs.read_model(event.analysis, Analysis))
    known = await files.lock(session, event.upload)
    if not known.wants(event.upload, ANALYZED):
        return ()
    await files.replace_generation(session, known, event.upload)
    indexed_for = await files.config_of(session, event.upload.upload_id)
    config = await files.write_analyzed(session, event, has_text=has_own_text(rows))
    if config != indexed_for:
        await passages.reindex(session, event.upload, config)
    if known.after(event.upload, ANALYZED).needs_analysis_texts:
        await passages.replace_unembedded(session, event.upload, config, rows)
    return ()
