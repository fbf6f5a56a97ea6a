"""The port every encoder fills: texts in, L2-normalised float32 vectors out, and the ways it may fail.

Vectors of two encoders with different ``model_id`` must never be compared.
"""

from collections.abc import Sequence
from typing import Protocol

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


class Encoder(Protocol):
    """Encodes documents and queries into one vector space.

    Remote encoders also raise ``providers.errors.ProviderPausedError`` while nobody may call their provider.
    """

    @property
    def model_id(self) -> str:
        """Names the vector space: model and everything that changes its vectors. Stored with every vector."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of every vector."""
        ...

    async def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """Row i is the vector of text i; no texts give shape ``(0, dimensions)``. Raises :class:`EncoderError`."""
        ...

    async def encode_query(self, text: str) -> Vector:
        """The vector to compare documents with. Raises :class:`EncoderError`."""
        ...


def normalised(rows: Vectors) -> Vectors:
    """Each row scaled to length 1.

    Raises :class:`EncoderAnswerInvalid` when a row is not finite or has no direction.
    """
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or (lengths == 0).any():
        raise EncoderAnswerInvalid("a vector is not finite or has length 0")
    return (rows / lengths).astype(np.float32)
