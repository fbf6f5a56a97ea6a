"""A deterministic stand-in for an encoder: hashes words, so texts that share words are similar and others are not.

Passes the same conformance suite as the real encoders.
"""

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from embeddings.encoder import Encoded, Encoder, EncoderError, Vector, normalised


class FakeEncoder(Encoder):
    """Each word (case ignored) adds a fixed pseudo-random direction; no model, no I/O.

    ``encoded`` records every text asked for. While ``failure`` is set, encoding raises it.
    """

    def __init__(self, dimensions: int = 64, *, model_id: str | None = None) -> None:
        self._dimensions = dimensions
        self._model_id = model_id or f"fake-{dimensions}"
        self.encoded: list[str] = []
        self.failure: EncoderError | None = None

    @property
    def model_id(self) -> str:
        """``fake-64`` unless told otherwise."""
        return self._model_id

    @property
    def dimensions(self) -> int:
        """As constructed."""
        return self._dimensions

    async def encode(self, texts: Sequence[str]) -> Encoded:
        """Free; row i is the normalised sum of text i's word directions."""
        if self.failure is not None:
            raise self.failure
        self.encoded.extend(texts)
        rows = [self._embed(text) for text in texts]
        return Encoded.free(normalised(np.stack(rows)) if rows else np.empty((0, self._dimensions), np.float32))

    def _embed(self, text: str) -> Vector:
        words = re.findall(r"\w+", text.lower()) or [""]
        return np.stack([self._direction(word) for word in words]).sum(axis=0, dtype=np.float32)

    def _direction(self, word: str) -> Vector:
        seed = int.from_bytes(hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()[:8], "little")
        return np.random.default_rng(seed).standard_normal(self._dimensions).astype(np.float32)
