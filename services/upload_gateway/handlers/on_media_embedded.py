"""MediaEmbeddedV1 → the upload is nearly there."""

from contracts.events import MediaEmbeddedV1
from eventing.handlers import Projection
from upload_gateway.handlers.projecting import status_projection


def projection() -> Projection[MediaEmbeddedV1]:
    """For the runtime."""
    return status_projection(MediaEmbeddedV1)
