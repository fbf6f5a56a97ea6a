"""The bodies of undelivered messages: counted references, a bounded cache in memory, the rest on disk.

Turns message ids into bodies; a message nobody refers to any more is deleted.
"""

import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from localcloud.pubsub.changes import Batch
from localcloud.pubsub.journal import Journal

CACHE_BYTES = 64 * 1024 * 1024
"""Bodies kept in memory; older ones are read back from disk when they are delivered."""


class MessageStore:
    """Message ids, reference counts and bodies."""

    def __init__(self, journal: Journal, cache_bytes: int = CACHE_BYTES) -> None:
        self._journal = journal
        self._cache_bytes = cache_bytes
        self._cache: OrderedDict[int, bytes] = OrderedDict()
        self._cached = 0
        self._references: dict[int, int] = {}
        self._last_id = 0

    @property
    def cached_bytes(self) -> int:
        """Bodies in memory now."""
        return self._cached

    def next_id(self) -> int:
        """A new id: the publish time in microseconds, moved on so that no two are equal."""
        self._last_id = max(self._last_id + 1, time.time_ns() // 1000)
        return self._last_id

    def hold(self, message_id: int, references: int, body: bytes) -> None:
        """A durable message that so many subscriptions wait for."""
        self._references[message_id] = references
        self._cache[message_id] = body
        self._cached += len(body)
        while self._cached > self._cache_bytes:
            _, evicted = self._cache.popitem(last=False)
            self._cached -= len(evicted)

    def restore(self, message_id: int) -> None:
        """One more reference to a message read back at start; its body stays on disk."""
        self._references[message_id] = self._references.get(message_id, 0) + 1
        self._last_id = max(self._last_id, message_id)

    def release(self, message_ids: Iterable[int], batch: Batch) -> None:
        """One reference less to each; what became superfluous is deleted with the batch."""
        superfluous: list[int] = []
        for message_id in message_ids:
            left = self._references[message_id] - 1
            if left:
                self._references[message_id] = left
                continue
            del self._references[message_id]
            superfluous.append(message_id)
            self._cached -= len(self._cache.pop(message_id, b""))
        batch.remove_messages(superfluous)

    async def bodies(self, message_ids: Sequence[int]) -> dict[int, bytes]:
        """Bodies by id; a message deleted meanwhile is missing from the answer."""
        found = {i: self._cache[i] for i in message_ids if i in self._cache}
        if len(found) < len(message_ids):
            found |= await self._journal.read_bodies([i for i in message_ids if i not in found])
        return found
