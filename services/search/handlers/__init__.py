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
from search.handlers.index_version import changing_the_index


def projections(current_model_id: str | None = None) -> tuple[Projection[Any], ...]:
    """Every projection of the service; the current model's vectors are written even if its index was dropped once."""
    return (
        changing_the_index(on_media_processed.projection()),
        changing_the_index(on_media_analyzed.projection()),
        changing_the_index(on_media_embedded.projection(current_model_id)),
        changing_the_index(on_media_failed.projection()),
        changing_the_index(on_upload_deleted.projection()),
        on_user_changed.projection(),
    )
