"""MediaFailedV1 → the upload is failed, with reason and advice."""

from contracts.events import MediaFailedV1
from eventing.handlers import Projection
from upload_gateway.handlers.projecting import status_projection


def projection() -> Projection[MediaFailedV1]:
    """For the runtime."""
    return status_projection(MediaFailedV1)
