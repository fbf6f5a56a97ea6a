"""Typed answers into tables and sentences on a terminal."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mmsearch.models import (
    ApiKey,
    Deployment,
    FoundFile,
    Moment,
    Place,
    SearchAnswer,
    TextPart,
    Upload,
    UploadPage,
    UploadStatus,
)

_STATUS_STYLE = {"completed": "green", "failed": "red", "deleted": "dim"}
_SHOWN_MOMENTS = 2
_OF_THE_WHOLE = frozenset({"summary", "metadata"})
_BREAKS = re.compile(r"[\r\n\t]")


def status_lines(status: UploadStatus) -> RenderableType:
    """One upload's state, what could not be read of it, its failure with advice, and its trace id."""
    table = Table.grid(padding=(0, 2))
    rows = [("upload", status.upload_id), ("file", status.filename), ("stage", f"{status.stage} ({status.progress} %)")]
    rows += [("message", None if status.error else status.message), ("trace id", status.trace_id)]
    table.add_row("status", _status(status.status))
    for label, value in rows:
        if value:
            table.add_row(label, Text(value))
    for one in status.result.degradations if status.result else ():
        table.add_row("left out", Text(f"{one.step}: {one.reason}"))
    if status.error is not None:
        table.add_row("error", Text(f"{status.error.code}: {status.error.message}", "red"))
        if status.error.advice:
            table.add_row("advice", Text(status.error.advice))
        if status.error.retryable:
            table.add_row("next", Text(f"mmsearch retry {status.upload_id}"))
    return table


def deployment(found: Deployment) -> RenderableType:
    """Whether a system is ready, what it cannot reach, and what the caller has in it."""
    table = Table.grid(padding=(0, 2))
    down = ", ".join(found.readiness.down) or "it does not say of what"
    ready = Text("ready", "green") if found.stats is not None else Text(f"not ready for want of: {down}", "red")
    table.add_row("system", Text(found.url))
    table.add_row("status", ready)
    table.add_row("version", Text(f"{found.release.version} ({found.release.revision})"))
    for notice in found.readiness.notices:
        table.add_row("without", Text(notice))
    if found.stats is not None:
        states = ", ".join(f"{number} {status}" for status, number in sorted(found.stats.uploads_by_status.items()))
        size = in_bytes(found.stats.total_storage_bytes)
        table.add_row("files", Text(f"{found.stats.total_uploads}, {size}" + (f" ({states})" if states else "")))
        quota = found.stats.quota
        table.add_row(
            "today", Text(f"{quota.used} of {quota.limit} uploads" if quota.limit else f"{quota.used} uploads")
        )
    return table


def uploads_table(page: UploadPage, *, wide: bool) -> RenderableType:
    """A list of uploads; where there is room, with the time of each."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("upload", "status", "size", *(["created"] if wide else [])):
        table.add_column(column, no_wrap=True, justify="right" if column == "size" else "left")
    table.add_column("file", overflow="fold")
    for upload in page.uploads:
        size = "" if upload.size_bytes is None else in_bytes(upload.size_bytes)
        created = [upload.created_at.astimezone().strftime("%m-%d %H:%M")] if wide else []
        why = (f"  {upload.error.message}", "red") if upload.error else ""
        table.add_row(upload.upload_id, _status(upload.status), size, *created, Text.assemble(upload.filename, why))
    shown = len(page.uploads)
    return Group(table, Text(f"{shown} of {page.total}", "dim"))


def change(found: Upload | UploadStatus) -> RenderableType:
    """One line: where an upload is now, in words."""
    words = found.error.message if found.error else found.message
    return Text.assemble(
        (f"{found.upload_id}  ", "dim"), _status(found.status), f"  {found.progress:>3} %  ", found.filename or "",
        (f"  {words}", "dim"),
    )  # fmt: skip


def keys_table(keys: Sequence[ApiKey]) -> RenderableType:
    """A list of API keys."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("key", "name", "created", "last used"):
        table.add_column(column, no_wrap=column != "name")
    for key in keys:
        table.add_row(key.key_id, Text(key.name), _day(key.created_at), _day(key.last_used_at))
    return table


def search_results(answer: SearchAnswer) -> RenderableType:
    """Found files with their best moments, or a sentence that there is none."""
    parts: list[RenderableType] = []
    for number, found in enumerate(answer.results, 1):
        parts.append(_found(number, found))
    if not parts:
        parts.append(Text("There are no more." if answer.total else "No good match."))
    shown, total = len(answer.results), answer.total or len(answer.results)
    more = "at least " if answer.total_relation == "gte" else ""
    footer = f"{total if total == shown else f'{shown} of {more}{total}'} found in {answer.processing_time_ms:.0f} ms"
    if answer.processing:
        footer += f"; {answer.processing} still being processed"
    footer += "".join(f"; “{word}” taken for “{meant}”" for word, meant in answer.corrections.items())
    if answer.degraded:
        footer += "; by words only: search by meaning is away just now"
    return Group(*parts, Text(footer, "dim"))


def text_lines(parts: Iterable[TextPart]) -> Iterator[str]:
    """A file's text as paragraphs below the page or section they stand on; spoken lines behind their time."""
    place = ""
    for paragraph in _paragraphs(parts):
        here = _place(paragraph)
        if paragraph.start_s is not None and paragraph.page is None:
            yield f"{here}{paragraph.text}"
        else:
            if here and here != place:
                yield f"[{here.removesuffix(': ')}]"
            yield f"{paragraph.text}\n"
        place = here


def counted(number: int, one: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{number} {one}" if number == 1 else f"{number} {one}s"


def in_bytes(size: int) -> str:
    """``1.5 MB``; 1 MB is 2^20 bytes."""
    value = float(size)
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1024 or unit == "GB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError("the last unit takes every size")


def problem(console: Console, message: str) -> None:
    """A failure, for a person."""
    console.print(f"[red]{escape(message)}[/red]", soft_wrap=True)


def _found(number: int, found: FoundFile) -> RenderableType:
    head = Text.assemble(
        (f"{number:>2}. ", "dim"), (found.filename, "bold"), f"  {found.file_type}", (f"  {found.upload_id}", "dim")
    )
    inside = [moment for moment in found.moments if moment.source not in _OF_THE_WHOLE]
    below = [_moment(moment) for moment in inside[:_SHOWN_MOMENTS]]
    if not below and found.summary:
        below.append(Text(found.summary))
    return Group(head, *(Padding(line, (0, 0, 0, 4), expand=False) for line in below))


def _moment(moment: Moment) -> Text:
    text = Text(_BREAKS.sub(" ", moment.text))
    for start, end in moment.highlights:
        text.stylize("bold", start, end)
    return Text.assemble(("→ " + _place(moment), "cyan"), text)


def _paragraphs(parts: Iterable[TextPart]) -> Iterator[TextPart]:
    """Puts together what was one until it was cut."""
    before: TextPart | None = None
    for part in parts:
        if before is not None and part.continues:
            before = before.model_copy(update={"text": before.text + part.text})
            continue
        if before is not None:
            yield before
        before = part
    if before is not None:
        yield before


def _place(moment: Place) -> str:
    if moment.page is not None:
        return f"page {moment.page}: "
    if moment.start_s is not None:
        return f"{int(moment.start_s) // 60}:{int(moment.start_s) % 60:02d}: "
    if moment.section and not moment.text.startswith(moment.section):
        return f"{moment.section}: "
    return ""


def _day(moment: datetime | None) -> str:
    return moment.astimezone().strftime("%Y-%m-%d") if moment else ""


def _status(status: str) -> Text:
    return Text(status, _STATUS_STYLE.get(status, "yellow"))
