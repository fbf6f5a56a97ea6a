"""Encodes a query within a time limit; without a vector the search goes by words alone."""

import numpy as np
import structlog

from embeddings.encoder import Encoder, EncoderAnswerInvalid, EncoderError, Vector
from providers.errors import ProviderPausedError
from providers.patience import patience
from search import halfvec
from telemetry import spans

_log = structlog.get_logger()


async def query_vector(encoder: Encoder, text: str, timeout_s: float) -> bytes | None:
    """Returns the query's vector as ``halfvec``; None if the encoder fails or takes over ``timeout_s`` seconds."""
    try:
        with spans.internal("encode query", **{"mmsearch.model": encoder.model_id}):
            async with patience(timeout_s):
                vector = await encoder.encode_query(text)
            return _packed(vector, encoder.dimensions)
    except (EncoderError, ProviderPausedError, TimeoutError, OSError) as error:
        _log.warning("query not encoded", action="search", reason=f"{type(error).__name__}: {error}")
    except Exception:
        _log.exception("query not encoded", action="search")
    return None


def _packed(vector: Vector, dimensions: int) -> bytes:
    if vector.shape != (dimensions,):
        raise EncoderAnswerInvalid(f"no vector of {dimensions} numbers")
    try:
        return halfvec.packed(vector[np.newaxis])[0]
    except ValueError as error:
        raise EncoderAnswerInvalid(str(error)) from error
