"""Which traces are recorded: everything that changes something, and of requests that only read so many a second.

A trace that is not recorded has its id all the same, in the answer and in every log line.
"""

import threading
import time
from collections.abc import Callable, Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind
from opentelemetry.trace.span import TraceState
from opentelemetry.util.types import Attributes

_BURST_S = 2.0
_READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_READING_POSTS = frozenset({"/api/v1/search", "/api/v1/search/image"})


def own_sampler(reads_per_second: float) -> Sampler:
    """Returns what decides for a process: once for each request or event, and so for everything it does about it.

    What a caller records of its own part decides nothing: Cloud Run puts a ``traceparent`` on every request, and hardly
    one of them is recorded there (https://cloud.google.com/run/docs/trace).
    """
    rationed = ReadsRationed(ALWAYS_ON, reads_per_second)
    return ParentBased(rationed, remote_parent_sampled=rationed, remote_parent_not_sampled=rationed)


class ReadsRationed(Sampler):
    """Hands at most ``per_second`` reading requests on to ``inner``, and everything else.

    Reading requests come by the hundreds a second and look alike; an upload's trace must never be missing.
    """

    def __init__(self, inner: Sampler, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._inner = inner
        self._per_second = per_second
        self._clock = clock
        self._most = max(per_second * _BURST_S, 1.0)
        self._left = self._most
        self._filled_at = clock()
        self._counting = threading.Lock()

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """See :class:`Sampler`."""
        if kind is SpanKind.SERVER and _only_reads(attributes) and not self._take():
            return SamplingResult(Decision.DROP, trace_state=trace_state)
        return self._inner.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        """See :class:`Sampler`."""
        return f"ReadsRationed({self._per_second:g}/s, {self._inner.get_description()})"

    def _take(self) -> bool:
        with self._counting:
            now = self._clock()
            self._left = min(self._most, self._left + (now - self._filled_at) * self._per_second)
            self._filled_at = now
            if self._left < 1:
                return False
            self._left -= 1
            return True


def _only_reads(attributes: Attributes) -> bool:
    found = attributes or {}
    method = found.get("http.request.method")
    return method in _READING_METHODS or (method == "POST" and found.get("url.path") in _READING_POSTS)
