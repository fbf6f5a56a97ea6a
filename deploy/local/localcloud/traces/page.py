"""Traces into pages without scripts: a list of recent ones, and one as a waterfall whose bars are SVG."""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from localcloud.traces.spans import TraceSpan
from localcloud.traces.store import Summary
from localcloud.traces.tree import Row, StageTime, rows_of, stage_times

STYLE = Path(__file__).with_name("page.css")
MOST_ROWS = 2000
_SCALE = 10_000
"""Units of a bar's width: SVG attributes are the one way to place something that a strict policy allows."""

_COLOURED = ("upload-gateway", "media-processor", "analyzer", "embedder", "search")
_LONGEST_VALUE = 2000


def list_page(summaries: Sequence[Summary], *, only_events: bool) -> str:
    """Recent traces, newest first."""
    lines = "".join(_line(summary) for summary in summaries)
    table = (
        '<table class="list"><thead><tr><th>began (UTC)</th><th>took</th><th>what</th><th>services</th>'
        f"<th>spans</th><th>upload</th></tr></thead><tbody>{lines}</tbody></table>"
    )
    uploads, every = (' aria-current="page"', "") if only_events else ("", ' aria-current="page"')
    choice = f'<nav><a href="/traces"{uploads}>uploads and events</a> <a href="/traces?show=all"{every}>all</a></nav>'
    nothing = "<p>Nothing has been traced yet. Upload a file or search for something.</p>"
    return _document("Traces", f"<h1>Traces</h1>{choice}{table if summaries else nothing}")


def trace_page(trace_id: str, spans: Sequence[TraceSpan]) -> str:
    """One trace: what each stage waited and worked, then every span in its place."""
    rows = rows_of(spans)
    first = min(span.start_ns for span in spans)
    whole = max(max(span.end_ns for span in spans) - first, 1)
    shown = "".join(_row(row, first, whole) for row in rows[:MOST_ROWS])
    left_out = f"<p>{len(rows) - MOST_ROWS} more spans are not shown.</p>" if len(rows) > MOST_ROWS else ""
    began = datetime.fromtimestamp(first / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S")
    services = len({span.service for span in spans})
    head = (
        f'<nav><a href="/traces">all traces</a> <a href="/traces/{trace_id}.json" download>JSON for Jaeger</a></nav>'
        f"<h1>{escape(rows[0].span.name)}</h1>"
        f"<p><code>{trace_id}</code> · began {began} UTC · <strong>{duration(whole)}</strong> · "
        f"{len(spans)} spans · {services} services</p>"
    )
    ruler = "".join(f"<span>{duration(whole * tick // 4)}</span>" for tick in range(5))
    return _document(
        f"Trace {trace_id[:8]}",
        f'{head}{_stages(stage_times(rows))}<div class="ruler">{ruler}</div><div class="spans">{shown}</div>{left_out}',
    )


def missing_page(trace_id: str) -> str:
    """For a trace that is not (or not any more, or not yet) kept."""
    return _document(
        "No such trace",
        f'<nav><a href="/traces">all traces</a></nav><h1>No such trace</h1><p><code>{escape(trace_id)}</code> is not '
        "kept here. Traces arrive a second or two after the work, and old ones are forgotten.</p>",
    )


def duration(ns: int) -> str:
    """``12 ms``, ``1.25 s``."""
    if ns < 10_000_000:
        return f"{ns / 1e6:.2f} ms"
    return f"{ns / 1e6:.0f} ms" if ns < 1_000_000_000 else f"{ns / 1e9:.2f} s"


def _document(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)} · mmsearch</title><link rel="stylesheet" href="/traces/page.css"></head>'
        f"<body><main>{body}</main></body></html>"
    )


def _line(summary: Summary) -> str:
    began = datetime.fromtimestamp(summary.first_ns / 1e9, UTC).strftime("%m-%d %H:%M:%S")
    services = " ".join(_badge(service) for service in summary.services)
    failed = f' <b class="failed">{summary.errors} failed</b>' if summary.errors else ""
    what = escape(summary.root or "(its beginning is not here)")
    return (
        f"<tr><td>{began}</td><td>{duration(max(summary.last_ns - summary.first_ns, 0))}</td>"
        f'<td><a href="/traces/{summary.trace_id}">{what}</a>{failed}</td><td>{services}</td>'
        f"<td>{summary.spans}</td><td>{escape(summary.upload_id or '')}</td></tr>"
    )


def _stages(times: Sequence[StageTime]) -> str:
    if not times:
        return ""
    lines = "".join(
        f"<tr><td>{_badge(time.service)}</td><td>{escape(time.name)}</td><td>{duration(time.waited_ns)}</td>"
        f"<td>{duration(time.worked_ns)}</td></tr>"
        for time in times
    )
    return (
        "<details><summary>Where the time went: waiting and working, by delivery</summary>"
        '<table class="list"><thead><tr><th>service</th><th>delivery</th><th>waited</th><th>worked</th></tr></thead>'
        f"<tbody>{lines}</tbody></table></details>"
    )


def _row(row: Row, first: int, whole: int) -> str:
    span = row.span
    failed = ' <b class="failed">failed</b>' if span.failed else ""
    return (
        f'<details class="span"><summary><span class="name d{min(row.depth, 12)}">{_badge(span.service)} '
        f"{escape(span.name)}{failed}</span>{_bar(row, first, whole)}"
        f'<span class="took">{duration(span.duration_ns)}</span></summary>{_attributes(row, first)}</details>'
    )


def _bar(row: Row, first: int, whole: int) -> str:
    span = row.span
    left, width = _scaled(span.start_ns - first, whole), max(_scaled(span.duration_ns, whole), 20)
    waited = _scaled(row.waited_ns, whole)
    queue = f'<rect class="queue" x="{max(left - waited, 0)}" y="4" width="{min(waited, left)}" height="4"/>'
    work = f'<rect class="{_class(span.service)}" x="{left}" y="1" width="{width}" height="10"/>'
    return (
        f'<svg class="bar" viewBox="0 0 {_SCALE} 12" preserveAspectRatio="none" aria-hidden="true">'
        f"{queue if waited else ''}{work}</svg>"
    )


def _scaled(ns: int, whole: int) -> int:
    return max(ns, 0) * _SCALE // whole


def _attributes(row: Row, first: int) -> str:
    span = row.span
    pairs: list[tuple[str, object]] = [
        ("kind", span.kind.name.lower()),
        ("starts after", duration(span.start_ns - first)),
    ]
    pairs += [("waited in the queue", duration(row.waited_ns))] if row.waited_ns else []
    pairs += [("failure", span.status_text)] if span.status_text else []
    pairs += sorted(span.attributes.items())
    for happening in span.happenings:
        pairs += [(f"{happening.name}: {key}", value) for key, value in sorted(happening.attributes.items())]
    pairs += [("link", f"{link.trace_id}/{link.span_id}") for link in span.links if link.span_id != span.parent_id]
    pairs.append(("span id", span.span_id))
    lines = "".join(
        f"<tr><th>{escape(key)}</th><td>{escape(str(value)[:_LONGEST_VALUE])}</td></tr>" for key, value in pairs
    )
    return f'<table class="attributes">{lines}</table>'


def _badge(service: str) -> str:
    return f'<i class="badge {_class(service)}">{escape(service)}</i>'


def _class(service: str) -> str:
    return f"s{_COLOURED.index(service) + 1}" if service in _COLOURED else "s0"
