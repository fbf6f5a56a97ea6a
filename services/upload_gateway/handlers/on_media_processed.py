"""MediaProcessedV1 → the upload's kind, properties, thumbnail, preview and storyboard."""

from contracts.events import MediaProcessedV1
from eventing.handlers import Projection
from upload_gateway.handlers.projecting import status_projection


def projection() -> Projection[MediaProcessedV1]:
    """For the runtime."""
    return status_projection(MediaProcessedV1)
