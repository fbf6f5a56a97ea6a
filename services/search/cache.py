"""Caches answers for a few minutes, each for one user and one exact request, until that user's index changes."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from search.answers import SearchAnswer
from search.request import SearchRequest

KEPT_S = 300.0

MOST_RESULTS = 20_000
"""Files in all cached answers together, about 50 MB; an answer without files counts as two."""

_WEIGHT_OF_ANY = 2

_Key = tuple[str, str]


@dataclass(frozen=True)
class _Kept:
    answer: SearchAnswer
    version: Hashable
    until: float

    @property
    def weight(self) -> int:
        return _WEIGHT_OF_ANY + len(self.answer.results)


class AnswerCache:
    """Evicts the least recently used answers. For one event loop; each instance of the service has its own."""

    def __init__(self, *, most_results: int = MOST_RESULTS, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most_results
        self._clock = clock
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        self._weight = 0

    def holds(self, user_id: str, request: SearchRequest) -> bool:
        """True if an answer is cached, so that reading the version of the user's index may save a search."""
        kept = self._kept.get(_key(user_id, request))
        return kept is not None and kept.until > self._clock()

    def get(self, user_id: str, request: SearchRequest, version: Hashable) -> SearchAnswer | None:
        """Returns the cached answer; None if it is too old or the index has another version now."""
        key = _key(user_id, request)
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.version != version or kept.until <= self._clock():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept.answer

    def put(self, user_id: str, request: SearchRequest, version: Hashable, answer: SearchAnswer) -> None:
        """Caches an answer that was found at this version of the index."""
        key = _key(user_id, request)
        self._drop(key)
        self._kept[key] = _Kept(answer, version, self._clock() + KEPT_S)
        self._weight += self._kept[key].weight
        while self._weight > self._most:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: _Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._weight -= kept.weight


def _key(user_id: str, request: SearchRequest) -> _Key:
    return (user_id, request.model_dump_json())
