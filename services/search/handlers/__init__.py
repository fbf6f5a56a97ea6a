"""The event handlers of search; each file is named for its event."""

from typing import Any

from eventing.handlers import Projection
from search.handlers import (
    on_media_analyzed,
    on_media_embedded,
    on_media_failed,
    on_media_processed,
    on_object_finalized,
    on_upload_deleted,
    on_user_changed,
)
from search.handlers.index_version import bumping_index_version


def projections(current_model_id: str | None = None) -> tuple[Projection[Any], ...]:
    """Returns every projection; vectors of the current model are written even if its index was dropped before."""
    return (
        bumping_index_version(on_object_finalized.projection()),
        bumping_index_version(on_media_processed.projection()),
        bumping_index_version(on_media_analyzed.projection()),
        bumping_index_version(on_media_embedded.projection(current_model_id)),
        bumping_index_version(on_media_failed.projection()),
        bumping_index_version(on_upload_deleted.projection()),
        on_user_changed.projection(),
    )
