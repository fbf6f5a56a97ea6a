"""Turns any encoder into one that never encodes the same text twice while it, or the store beside it, remembers it.

Keys are the model id and the text's hash, so the cache holds vectors, never contents.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import numpy as np
from prometheus_client import Counter

from embeddings.encoder import Encoded, Encoder, Vector
from embeddings.shared_cache import SharedVectorCache

_TEXTS = Counter("embedding_texts", "Texts of files, by where their vectors came from", ["model", "source"])


_AT_A_TIME = 100
"""Texts in one call of the inner encoder, a whole request of a remote one; what a caller who gives up loses at most."""


class CachingEncoder(Encoder):
    """An encoder with a bounded memory of its last answers (least recently used goes first).

    It asks for few texts at a time and remembers each answer as it comes: who gives up in between, or meets a failure,
    goes on from there the next time. ``max_texts`` vectors are kept: 10,000 of 384 dimensions are 15 MB, of 1536 they
    are 61. What is not among them is looked for in ``kept``, which other processes share.
    """

    def __init__(self, encoder: Encoder, *, max_texts: int = 10_000, kept: SharedVectorCache | None = None) -> None:
        self._encoder = encoder
        self._max_texts = max_texts
        self._kept = kept
        self._known: OrderedDict[bytes, Vector] = OrderedDict()

    @property
    def model_id(self) -> str:
        """The inner encoder's."""
        return self._encoder.model_id

    @property
    def dimensions(self) -> int:
        """The inner encoder's."""
        return self._encoder.dimensions

    async def encode(self, texts: Sequence[str]) -> Encoded:
        """Asks the inner encoder only for texts not seen before, each once; what is remembered costs nothing."""
        keys = [self._key("document", text) for text in texts]
        found = await self._remembered(keys)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        asked = await self._asked(missing)
        rows = {key: row for row, key in enumerate(missing)}
        parts: list[Encoded] = []
        for key in keys:
            # Of a text that comes twice the first one is paid for.
            part = asked.of([rows.pop(key)]) if key in rows else Encoded.free(found[key][np.newaxis])
            parts.append(part)
            found[key] = part.vectors[0]
            self._remember(key, part.vectors[0])
        return Encoded.joined(parts, self.dimensions)

    async def encode_query(self, text: str) -> Vector:
        """Kept apart from documents: some models encode the two differently."""
        key = self._key("query", text)
        vector = self._known.get(key)
        if vector is None:
            vector = await self._encoder.encode_query(text)
        self._remember(key, vector)
        return vector.copy()

    async def _remembered(self, keys: Sequence[bytes]) -> dict[bytes, Vector]:
        wanted = dict.fromkeys(keys)
        found = {key: self._known[key] for key in wanted if key in self._known}
        for key in found:
            self._known.move_to_end(key)  # what is new must not push out what it is to be joined with
        self._count("memory", len(found))
        if self._kept is not None and len(found) < len(wanted):
            kept = await self._kept.find([key for key in wanted if key not in found], self.dimensions)
            self._count("store", len(kept))
            found |= kept
        return found

    async def _asked(self, missing: Mapping[bytes, str]) -> Encoded:
        keys = list(missing)
        slices = [keys[i : i + _AT_A_TIME] for i in range(0, len(keys), _AT_A_TIME)]
        parts = [await self._slice({key: missing[key] for key in some}) for some in slices]
        return Encoded.joined(parts, self.dimensions)

    async def _slice(self, missing: Mapping[bytes, str]) -> Encoded:
        asked = await self._encoder.encode(list(missing.values()))
        self._count("encoder", len(missing))
        vectors = dict(zip(missing, asked.vectors, strict=True))
        for key, vector in vectors.items():
            self._remember(key, vector.copy())
        if self._kept is not None:
            await self._kept.keep(vectors)
        return asked

    def _count(self, source: str, texts: int) -> None:
        _TEXTS.labels(self.model_id, source).inc(texts)

    def _key(self, role: str, text: str) -> bytes:
        return hashlib.sha256(f"{self._encoder.model_id}\x00{role}\x00{text}".encode("utf-8", "surrogatepass")).digest()

    def _remember(self, key: bytes, vector: Vector) -> None:
        self._known[key] = vector
        self._known.move_to_end(key)
        while len(self._known) > self._max_texts:
            self._known.popitem(last=False)
