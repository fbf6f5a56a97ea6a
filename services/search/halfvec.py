"""Vectors as the bytes in which pgvector sends and receives ``halfvec``. Pure."""

import struct

import numpy as np
from numpy.typing import NDArray

_HEADER = struct.Struct(">HH")
"""Number of dimensions and a zero, before the numbers as big-endian float16 (``halfvec_recv`` of pgvector)."""


def packed(vectors: NDArray[np.floating]) -> list[bytes]:
    """Returns each row as a ``halfvec`` of length 1.

    Raises ``ValueError`` for a row that is not finite or has no direction.
    """
    rows = vectors.astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or (lengths == 0).any():
        raise ValueError("a vector is not finite or has length 0")
    header = _HEADER.pack(rows.shape[1], 0)
    return [header + row.tobytes() for row in (rows / lengths).astype(">f2")]
