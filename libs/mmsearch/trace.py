"""Turns a trace, as the local system keeps it, into a tree with bars for the terminal, or Jaeger's JSON in a file."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mmsearch.errors import MmsearchError, UnreachableError

_BAR, _FIGURES = 20, 9
_TIMEOUT_S = 30.0
_STYLES = {
    "upload-gateway": "blue",
    "media-processor": "dark_orange",
    "analyzer": "magenta",
    "embedder": "cyan",
    "search": "green",
}


class TraceNotKeptError(MmsearchError):
    """This system does not keep the trace (any more)."""


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Reference(_Read):
    """The span another one belongs below."""

    kind: str = Field(alias="refType")
    span_id: str = Field(alias="spanID")


class Tag(_Read):
    """An attribute."""

    key: str
    value: Any


class JaegerSpan(_Read):
    """One span; times in microseconds."""

    span_id: str = Field(alias="spanID")
    name: str = Field(alias="operationName")
    start: int = Field(alias="startTime")
    duration: int
    process: str = Field(alias="processID")
    references: tuple[Reference, ...] = ()
    tags: tuple[Tag, ...] = ()

    @property
    def parent_id(self) -> str | None:
        """None for a root."""
        return next((reference.span_id for reference in self.references if reference.kind == "CHILD_OF"), None)

    def tag(self, key: str) -> Any:
        """An attribute's value, or None."""
        return next((tag.value for tag in self.tags if tag.key == key), None)


class Process(_Read):
    """Who a span comes from."""

    service: str = Field(alias="serviceName")


class JaegerTrace(_Read):
    """One trace in Jaeger's own format."""

    trace_id: str = Field(alias="traceID")
    spans: tuple[JaegerSpan, ...]
    processes: dict[str, Process]


class _Document(_Read):
    data: tuple[JaegerTrace, ...]


def is_trace_id(text: str) -> bool:
    """32 hex digits."""
    return re.fullmatch("[0-9a-f]{32}", text) is not None


def fetch(url: str, trace_id: str) -> bytes:
    """The trace as Jaeger's JSON from the system at ``url``. Raises ``TraceNotKeptError``, ``UnreachableError``."""
    try:
        answer = httpx2.get(f"{url.rstrip('/')}/traces/{trace_id}.json", timeout=_TIMEOUT_S, trust_env=False)
    except httpx2.TransportError as error:
        raise UnreachableError(f"{url} does not answer: {type(error).__name__}") from error
    if answer.status_code != 200 or "json" not in answer.headers.get("content-type", ""):
        raise TraceNotKeptError(
            f"The trace {trace_id} is not kept here. It may be too new (try again in two seconds), too old, or this "
            "system sends its traces elsewhere."
        )
    return answer.content


def save(document: bytes, path: Path) -> None:
    """Writes what Jaeger's page loads under “Upload”."""
    path.write_bytes(document)


def parsed(document: bytes) -> JaegerTrace:
    """The trace in the document. Raises :class:`TraceNotKeptError` when there is none in it."""
    try:
        return _Document.model_validate_json(document).data[0]
    except (ValidationError, IndexError) as error:
        raise TraceNotKeptError("The answer holds no trace.") from error


def tree(trace: JaegerTrace, *, statements: bool, fill: bool) -> RenderableType:
    """Every span below its parent, how long it waited in the queue and took, and a bar over the whole trace.

    Database statements are most of the spans and say least: they are left out unless asked for. ``fill``: as wide as
    the console, names cut off where they do not fit.
    """
    first = min(span.start for span in trace.spans)
    whole = max(max(span.start + span.duration for span in trace.spans) - first, 1)
    table = Table(box=None, header_style="bold", pad_edge=False, expand=fill)
    table.add_column("span", overflow="ellipsis", no_wrap=True, ratio=1)
    for column in ("waited", "took"):
        table.add_column(column, justify="right", no_wrap=True, min_width=_FIGURES)
    table.add_column("", no_wrap=True, min_width=_BAR, max_width=_BAR)
    shown = [(span, depth) for span, depth in _in_order(trace) if statements or not span.tag("db.system.name")]
    for span, depth in shown:
        service = trace.processes[span.process].service
        style = _STYLES.get(service, "")
        name = Text.assemble(" " * depth, (service, style), " ", (span.name, "red" if span.tag("error") else ""))
        waited = span.tag("mmsearch.queued_ms")
        table.add_row(
            name,
            _ms(int(float(waited) * 1000)) if waited else "",
            _ms(span.duration),
            Text(_bar(span.start - first, span.duration, whole), style),
        )
    services = len({process.service for process in trace.processes.values()})
    hidden = len(trace.spans) - len(shown)
    foot = f"trace {trace.trace_id}: {len(trace.spans)} spans of {services} services in {_ms(whole)}"
    foot += f", {hidden} database statements not shown (--sql)" if hidden else ""
    return Group(table, Text(foot, "dim"))


def _in_order(trace: JaegerTrace) -> Iterator[tuple[JaegerSpan, int]]:
    known = {span.span_id for span in trace.spans}
    below: defaultdict[str, list[JaegerSpan]] = defaultdict(list)
    for span in sorted(trace.spans, key=lambda span: span.start):
        below[span.parent_id if span.parent_id in known and span.parent_id else ""].append(span)
    waiting = [(span, 0) for span in reversed(below[""])]
    while waiting:
        span, depth = waiting.pop()
        yield span, depth
        waiting += [(child, depth + 1) for child in reversed(below.get(span.span_id, []))]


def _bar(offset: int, duration: int, whole: int) -> str:
    left = min(offset * _BAR // whole, _BAR - 1)
    return " " * left + "█" * max(1, min(round(duration * _BAR / whole), _BAR - left))


def _ms(microseconds: int) -> str:
    return f"{microseconds / 1000:.1f} ms" if microseconds < 1_000_000 else f"{microseconds / 1_000_000:.2f} s"
