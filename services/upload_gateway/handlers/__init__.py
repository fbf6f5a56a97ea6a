"""What upload-gateway hears; each module is named for its event."""

from typing import Any

from eventing.handlers import Projection
from upload_gateway.handlers.on_dead_letter import dead_letter
from upload_gateway.handlers.on_media_analyzed import media_analyzed
from upload_gateway.handlers.on_media_embedded import media_embedded
from upload_gateway.handlers.on_media_failed import media_failed
from upload_gateway.handlers.on_media_indexed import media_indexed
from upload_gateway.handlers.on_media_processed import media_processed
from upload_gateway.handlers.on_object_deleted import object_deleted
from upload_gateway.handlers.on_object_finalized import object_finalized

PROJECTIONS: tuple[Projection[Any], ...] = (
    object_finalized(),
    object_deleted(),
    media_processed(),
    media_analyzed(),
    media_embedded(),
    media_indexed(),
    media_failed(),
    dead_letter(),
)
"""All of them, for the runtime."""
