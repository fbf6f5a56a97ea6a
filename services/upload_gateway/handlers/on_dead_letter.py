"""DeadLetterV1 → the message is kept whole, to be sent again; the upload it spoke of is visibly failed.

Of an upload that is deleted, overwritten or run again there is nothing to send: a purge takes the artifacts from
under the stages still at work, and their letters wait for nobody.
"""

from collections.abc import Mapping, Sequence

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import FailureCode, Service, UploadRef
from contracts.envelope import Envelope, EventData
from contracts.events import (
    DeadLetterV1,
    MediaAnalyzedV1,
    MediaEmbeddedV1,
    MediaFailedV1,
    MediaIndexedV1,
    MediaProcessedV1,
    ObjectFinalizedV1,
    UploadReprocessV1,
)
from contracts.topology import Subscription, subscription_named
from database.engine import NO_TENANT
from eventing.handlers import Projection, StageInputs
from upload_gateway.handlers.projecting import project
from upload_gateway.metrics import UNKNOWN, count_dead_letter
from upload_gateway.repair.dead_letters import superseded
from upload_gateway.store import dead_letters, uploads
from upload_gateway.store.dead_letters import LetterStatus

_GENERAL_MESSAGE = "Processing failed repeatedly and was given up."
_INTERNAL_REASONS = (FailureCode.INTERNAL, FailureCode.TIMEOUT)
"""Their reasons are written for operators."""

_UNSEEN_STAGE: Mapping[type[EventData], Service] = {
    ObjectFinalizedV1: Service.MEDIA_PROCESSOR,
    MediaProcessedV1: Service.MEDIA_PROCESSOR,
    MediaAnalyzedV1: Service.ANALYZER,
    MediaEmbeddedV1: Service.EMBEDDER,
    MediaIndexedV1: Service.SEARCH,
    MediaFailedV1: Service.UPLOAD_GATEWAY,
}
"""When this service itself could not take in an event: the stage whose end stays unseen."""

_log = structlog.get_logger()


async def on_dead_letter(
    envelope: Envelope[DeadLetterV1], session: AsyncSession, _inputs: StageInputs
) -> Sequence[EventData]:
    """Announces the failure, so that search no longer counts the file as being processed.

    Not that of a failure nobody could take in: it would die of the same, for ever.
    """
    letter = envelope.data
    source = subscription_named(letter.source_subscription)
    count_dead_letter(session, source.name if source else UNKNOWN)
    upload_id = letter.upload.upload_id if letter.upload else None
    _log.error("dead letter", subscription=letter.source_subscription, upload_id=upload_id, code=letter.code.value)
    await dead_letters.keep(session, letter, await _fate(source, letter.upload, session))
    stage = _failed_stage(source) if source else None
    if letter.upload is None or stage is None:
        return ()
    failed = MediaFailedV1(
        upload=letter.upload,
        stage=stage,
        code=letter.code,
        message=_GENERAL_MESSAGE if letter.code in _INTERNAL_REASONS else letter.reason[:1000],
        retryable=True,
        attempts=letter.attempts,
    )
    await project(_as_failure(envelope, failed), letter.upload, session)
    return () if source is None or source.event is MediaFailedV1 else (failed,)


def projection() -> Projection[DeadLetterV1]:
    """For the runtime."""
    return Projection(
        service=Service.UPLOAD_GATEWAY,
        event=DeadLetterV1,
        tenant_of=lambda event: event.upload.user_id if event.upload else NO_TENANT,
        handle=on_dead_letter,
    )


async def _fate(source: Subscription | None, upload: UploadRef | None, session: AsyncSession) -> LetterStatus:
    if source is None or upload is None:
        return LetterStatus.WAITING
    state = await uploads.find_state(session, upload.user_id, upload.upload_id)
    return LetterStatus.DISCARDED if superseded(source, upload.version, state) else LetterStatus.WAITING


def _failed_stage(source: Subscription) -> Service | None:
    """The stage the upload stopped at; None for events that do not carry an upload forward."""
    if source.service is Service.UPLOAD_GATEWAY:
        return _UNSEEN_STAGE.get(source.event)
    return source.service if source.event in _UNSEEN_STAGE or source.event is UploadReprocessV1 else None


def _as_failure(letter: Envelope[DeadLetterV1], failed: MediaFailedV1) -> Envelope[MediaFailedV1]:
    return Envelope[MediaFailedV1](
        id=letter.id,
        source=letter.source,
        time=letter.time,
        data=failed,
        traceparent=letter.traceparent,
        tracestate=letter.tracestate,
    )
