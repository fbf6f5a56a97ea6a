"""What search does on each event it hears; the file is named for the event."""

from typing import Any

from eventing.handlers import Projection
from search.handlers import (
    on_media_analyzed,
    on_media_embedded,
    on_media_failed,
    on_media_processed,
    on_upload_deleted,
    on_user_changed,
)


def projections() -> tuple[Projection[Any], ...]:
    """Every projection of the service."""
    return (
        on_media_processed.projection(),
        on_media_analyzed.projection(),
        on_media_embedded.projection(),
        on_media_failed.projection(),
        on_upload_deleted.projection(),
        on_user_changed.projection(),
    )
