"""MediaAnalyzedV1 → the upload's title, summary and labels."""

from contracts.events import MediaAnalyzedV1
from eventing.handlers import Projection
from upload_gateway.handlers.projecting import status_projection


def projection() -> Projection[MediaAnalyzedV1]:
    """For the runtime."""
    return status_projection(MediaAnalyzedV1)
