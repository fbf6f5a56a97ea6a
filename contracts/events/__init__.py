"""Every event of the system, one module each."""

from contracts.envelope import EventData
from contracts.events.dead_letter_v1 import DeadLetterV1
from contracts.events.media_analyzed_v1 import MediaAnalyzedV1
from contracts.events.media_embedded_v1 import MediaEmbeddedV1
from contracts.events.media_failed_v1 import MediaFailedV1
from contracts.events.media_indexed_v1 import MediaIndexedV1
from contracts.events.media_processed_v1 import MediaProcessedV1
from contracts.events.object_deleted_v1 import ObjectDeletedV1
from contracts.events.object_finalized_v1 import ObjectFinalizedV1
from contracts.events.upload_deleted_v1 import UploadDeletedV1
from contracts.events.upload_reembed_v1 import UploadReembedV1
from contracts.events.upload_reprocess_v1 import UploadReprocessV1
from contracts.events.user_changed_v1 import UserChangedV1

EVENTS: tuple[type[EventData], ...] = (
    ObjectFinalizedV1,
    ObjectDeletedV1,
    MediaProcessedV1,
    MediaAnalyzedV1,
    MediaEmbeddedV1,
    MediaIndexedV1,
    MediaFailedV1,
    UploadDeletedV1,
    UploadReprocessV1,
    UploadReembedV1,
    UserChangedV1,
    DeadLetterV1,
)

__all__ = [
    "EVENTS",
    "DeadLetterV1",
    "MediaAnalyzedV1",
    "MediaEmbeddedV1",
    "MediaFailedV1",
    "MediaIndexedV1",
    "MediaProcessedV1",
    "ObjectDeletedV1",
    "ObjectFinalizedV1",
    "UploadDeletedV1",
    "UploadReembedV1",
    "UploadReprocessV1",
    "UserChangedV1",
]
