"""Turns one Redis into the vectors of the last week's texts, for all instances and over restarts.

It is a cache: while it is away, or has forgotten, texts are encoded again.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from redis.asyncio import Redis

from embeddings.encoder import Vector
from providers.optional_store import CONNECTION, OptionalStore

_PREFIX = b"mmsearch.vectors/"
_KEPT_S = 7 * 86_400
"""Long enough for a file that is run again or uploaded anew; short, because a deleted file's vectors are in it too."""

_AT_A_TIME = 200
"""Vectors in one request: 1.2 MB of the largest."""


class SharedVectorCache:
    """Vectors by key; a key says model and text. Nothing here raises because the store is away.

    Belongs to one event loop; close it when done.
    """

    def __init__(self, url: str) -> None:
        self._redis: Any = Redis.from_url(url, **CONNECTION)
        self._store = OptionalStore("vectors of all instances")

    async def find(self, keys: Sequence[bytes], dimensions: int) -> dict[bytes, Vector]:
        """Those that are there and whole."""
        found: dict[bytes, Vector] = {}
        for some in _parts(keys):
            values = await self._store.call(partial(self._redis.mget, [_PREFIX + key for key in some]))
            for key, value in zip(some, values or [None] * len(some), strict=True):
                vector = _vector(value, dimensions)
                if vector is not None:
                    found[key] = vector
        return found

    async def keep(self, vectors: Mapping[bytes, Vector]) -> None:
        """For a week."""
        for some in _parts(list(vectors)):
            await self._store.call(partial(self._keep, {key: vectors[key] for key in some}))

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._redis.aclose()

    async def _keep(self, vectors: Mapping[bytes, Vector]) -> None:
        async with self._redis.pipeline(transaction=False) as together:
            for key, vector in vectors.items():
                together.set(_PREFIX + key, vector.astype("<f4").tobytes(), ex=_KEPT_S)
            await together.execute()


def shared_vector_cache(url: str) -> SharedVectorCache | None:
    """None for ``memory://``: then each process remembers its own."""
    return None if url == "memory://" else SharedVectorCache(url)


def _parts(keys: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    return (keys[i : i + _AT_A_TIME] for i in range(0, len(keys), _AT_A_TIME))


def _vector(value: bytes | None, dimensions: int) -> Vector | None:
    """None for what no encoder can have given."""
    if value is None or len(value) != 4 * dimensions:
        return None
    vector = np.frombuffer(value, "<f4").astype(np.float32)
    return vector if abs(float(np.linalg.norm(vector)) - 1) < 1e-3 else None
