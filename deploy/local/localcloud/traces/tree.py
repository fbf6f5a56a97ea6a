"""The spans of a trace into a tree in the order a reader wants it, and into what each stage waited and worked."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from localcloud.traces.spans import Kind, TraceSpan

_DEEPEST = 60


@dataclass(frozen=True)
class Row:
    """A span at its place; ``waited_ns`` is how long its message lay in the queue before it began."""

    span: TraceSpan
    depth: int
    waited_ns: int = 0


@dataclass(frozen=True)
class StageTime:
    """What one service did with one event."""

    service: str
    name: str
    waited_ns: int
    worked_ns: int
    failed: bool


def rows_of(spans: Sequence[TraceSpan]) -> list[Row]:
    """Parents before children, children by start; a span whose parent is missing stands at the top."""
    by_id = {span.span_id: span for span in spans}
    children: defaultdict[str, list[TraceSpan]] = defaultdict(list)
    for span in spans:
        children[span.parent_id if span.parent_id in by_id and span.parent_id != span.span_id else ""].append(span)
    rows = list(_walk(children, by_id))
    shown = {row.span.span_id for row in rows}
    # Spans that are their own ancestors hang below nothing; they are shown all the same.
    return rows + [Row(span, 0) for span in spans if span.span_id not in shown]


def stage_times(rows: Sequence[Row]) -> list[StageTime]:
    """One for each delivery, in the order they began."""
    consumers = [row for row in rows if row.span.kind is Kind.CONSUMER]
    return [
        StageTime(row.span.service, row.span.name, row.waited_ns, row.span.duration_ns, row.span.failed)
        for row in sorted(consumers, key=lambda row: row.span.start_ns)
    ]


def _walk(children: dict[str, list[TraceSpan]], by_id: dict[str, TraceSpan]) -> Iterator[Row]:
    waiting = [(span, 0) for span in reversed(children[""])]
    while waiting:
        span, depth = waiting.pop()
        yield Row(span, depth, _waited_ns(span, by_id.get(span.parent_id)))
        below = children.get(span.span_id, [])
        waiting += [(child, min(depth + 1, _DEEPEST)) for child in reversed(below)]


def _waited_ns(span: TraceSpan, parent: TraceSpan | None) -> int:
    if span.kind is not Kind.CONSUMER:
        return 0
    queued = span.attributes.get("mmsearch.queued_ms")
    if isinstance(queued, int | float):
        return max(int(queued * 1e6), 0)
    return max(span.start_ns - parent.end_ns, 0) if parent and parent.kind is Kind.PRODUCER else 0
