"""Turns the words of a query into the vector to compare with, in time, or into nothing: then words alone must do."""

import numpy as np
import structlog
from pydantic_core import to_json

from embeddings.encoder import Encoder, EncoderAnswerInvalid, EncoderError
from providers.errors import ProviderPausedError
from providers.patience import patience
from telemetry import spans

_log = structlog.get_logger()


async def query_vector(encoder: Encoder, text: str, timeout_s: float) -> str | None:
    """As ``halfvec`` reads it; None while the encoder fails or takes longer than ``timeout_s``."""
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
