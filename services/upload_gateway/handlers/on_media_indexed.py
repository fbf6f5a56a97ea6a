"""MediaIndexedV1 → the upload is completed."""

from contracts.events import MediaIndexedV1
from eventing.handlers import Projection
from upload_gateway.handlers.projecting import status_projection


def projection() -> Projection[MediaIndexedV1]:
    """For the runtime."""
    return status_projection(MediaIndexedV1)
