"""The port every encoder fills: texts in, L2-normalised float32 vectors out, and the ways it may fail.

Vectors of two encoders with different ``model_id`` must never be compared.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from providers.errors import ProviderAnswerInvalid, ProviderError, ProviderRefused, ProviderUnavailable

Vector = NDArray[np.float32]
"""One embedding, shape ``(dimensions,)``, length 1."""

Vectors = NDArray[np.float32]
"""One embedding a row, shape ``(n, dimensions)``, each of length 1."""


class EncoderError(ProviderError):
    """Base of everything an encoder raises on purpose."""


class EncoderUnavailable(EncoderError, ProviderUnavailable):
    """Not now: network, timeout, an overloaded provider, a quota, refused credentials. The same call may work later.

    ``retry_after_s`` is what the provider asked for, in seconds, or None. ``quota`` tells a spent quota or rate
    limit from an outage.
    """


class EncoderRefused(EncoderError, ProviderRefused):
    """The provider will never take these texts (malformed, too long, against its policy)."""


class EncoderAnswerInvalid(EncoderError, ProviderAnswerInvalid):
    """The answer has the wrong count, order, dimensions or a value that is not finite; nothing of it may be kept."""


@dataclass(frozen=True)
class Encoded:
    """Vectors, and what each of them cost: ``tokens`` int64 and ``cost_usd`` float64, both of shape ``(n,)``.

    A text that was remembered, or encoded on this machine, cost nothing. A request's tokens are shared out among its
    texts by their length, so that the sum over files is what was paid.
    """

    vectors: Vectors
    tokens: NDArray[np.int64]
    cost_usd: NDArray[np.float64]

    @classmethod
    def free(cls, vectors: Vectors) -> "Encoded":
        """What nobody is paid for."""
        return cls(vectors, np.zeros(len(vectors), np.int64), np.zeros(len(vectors), np.float64))

    @classmethod
    def joined(cls, parts: Sequence["Encoded"], dimensions: int) -> "Encoded":
        """The parts one after another; no parts give no rows of ``dimensions`` columns."""
        if not parts:
            return cls.free(np.empty((0, dimensions), np.float32))
        return cls(
            np.concatenate([part.vectors for part in parts]),
            np.concatenate([part.tokens for part in parts]),
            np.concatenate([part.cost_usd for part in parts]),
        )

    def of(self, rows: Sequence[int]) -> "Encoded":
        """The chosen rows, in that order."""
        return Encoded(self.vectors[list(rows)], self.tokens[list(rows)], self.cost_usd[list(rows)])


class Encoder(ABC):
    """Encodes documents and queries into one vector space.

    Remote encoders also raise ``providers.errors.ProviderPausedError`` while nobody may call their provider.
    """

    @property
    @abstractmethod
    def model_id(self) -> str:
        """Names the vector space: model and everything that changes its vectors. Stored with every vector."""

    @property
    @abstractmethod
    def dimensions(self) -> int:
        """Length of every vector."""

    @abstractmethod
    async def encode(self, texts: Sequence[str]) -> Encoded:
        """Row i is of text i; no texts give vectors of shape ``(0, dimensions)``. Raises :class:`EncoderError`."""

    async def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """The vectors alone. Raises :class:`EncoderError`."""
        return (await self.encode(texts)).vectors

    async def encode_query(self, text: str) -> Vector:
        """The vector to compare documents with; most models treat both alike. Raises :class:`EncoderError`."""
        return (await self.encode_documents([text]))[0]


def normalised(rows: Vectors) -> Vectors:
    """Each row scaled to length 1.

    Raises :class:`EncoderAnswerInvalid` when a row is not finite or has no direction.
    """
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or (lengths == 0).any():
        raise EncoderAnswerInvalid("a vector is not finite or has length 0")
    return (rows / lengths).astype(np.float32)
