"""Encodes a query within a time limit; without a vector the search goes by words alone."""

import numpy as np
import structlog
from pydantic_core import to_json

from embeddings.encoder import Encoder, EncoderAnswerInvalid, EncoderError
from providers.errors import ProviderPausedError
from providers.patience import patience
from telemetry import spans

_log = structlog.get_logger()


async def query_vector(encoder: Encoder, text: str, timeout_s: float) -> str | None:
    """Returns the query's vector as a ``halfvec`` literal; None if the encoder fails or takes over ``timeout_s``."""
    try:
        with spans.internal("encode query", **{"mmsearch.model": encoder.model_id}):
            async with patience(timeout_s):
                vector = await encoder.encode_query(text)
            if vector.shape != (encoder.dimensions,) or not np.isfinite(vector).all():
                raise EncoderAnswerInvalid(f"no vector of {encoder.dimensions} finite numbers")
    except (EncoderError, ProviderPausedError, TimeoutError, OSError) as error:
        _log.warning("query not encoded", action="search", reason=f"{type(error).__name__}: {error}")
    except Exception:
        _log.exception("query not encoded", action="search")
    else:
        return to_json(vector.tolist()).decode()
    return None
