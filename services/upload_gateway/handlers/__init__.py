"""What upload-gateway hears; each module is named for its event."""

from typing import Any

from eventing.handlers import Projection
from upload_gateway.handlers import (
    on_dead_letter,
    on_media_analyzed,
    on_media_embedded,
    on_media_failed,
    on_media_indexed,
    on_media_processed,
    on_object_deleted,
    on_object_finalized,
)


def projections() -> tuple[Projection[Any], ...]:
    """Every projection of the service, for the runtime."""
    return (
        on_object_finalized.projection(),
        on_object_deleted.projection(),
        on_media_processed.projection(),
        on_media_analyzed.projection(),
        on_media_embedded.projection(),
        on_media_indexed.projection(),
        on_media_failed.projection(),
        on_dead_letter.projection(),
    )
