"""The commands on files that are there: search, text, list, open, download, rm, restore, retry."""

import webbrowser
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from contracts.artifacts import Kind
from mmsearch import rendering
from mmsearch.cli_output import (
    FAILED,
    AsJson,
    DataDir,
    UploadIds,
    connected,
    err,
    hint,
    out,
    print_json,
    say,
    show,
)
from mmsearch.client import Client
from mmsearch.errors import ApiError
from mmsearch.models import SearchFilters

FileType = Annotated[Kind | None, typer.Option("--type", help="Only such files.")]
FileTypes = Annotated[list[Kind] | None, typer.Option("--type", help="Only such files; may be given several times.")]
Mode = Annotated[
    Literal["hybrid", "semantic", "keyword"], typer.Option(help="By meaning and words, or by one of them.")
]
Sort = Annotated[
    Literal["relevance", "date", "-date", "size", "-size", "name", "-name"],
    typer.Option(help="In which order; -date: newest first."),
]
Languages = Annotated[
    list[str] | None, typer.Option("--language", help="Only files in it, say de; may be given several times.")
]
State = Annotated[
    Literal["complete", "processing", "failed"] | None,
    typer.Option("--status", help="Only files that far in processing."),
]
HasText = Annotated[
    bool | None, typer.Option("--text/--no-text", help="Only files in which something, or nothing, is written or said.")
]
_MB: dict[str, Any] = {"min": 0, "max": 1e9}
LeastMb = Annotated[float | None, typer.Option("--min-mb", **_MB, help="Only files of so many MB or more.")]
MostMb = Annotated[float | None, typer.Option("--max-mb", **_MB, help="Only files of so many MB or less.")]
Flagged = Annotated[bool, typer.Option("--flagged", help="Also files that moderation objects to.")]
_PAGE = 100
_WIDE = 100


def _moment(text: str) -> date:
    """A day, or an instant where a time is given."""
    with suppress(ValueError):
        return date.fromisoformat(text)
    with suppress(ValueError):
        return datetime.fromisoformat(text).astimezone()
    raise typer.BadParameter(f"{text} is no day such as 2026-11-21 and no time such as 2026-11-21T08:00")


def _day(name: str, meaning: str) -> Any:
    return typer.Option(name, metavar="DAY", parser=_moment, help=meaning)


def register(app: typer.Typer) -> None:
    """Adds these commands to the command line."""
    app.command()(search)
    app.command(name="text")(read_text)
    app.command(name="list")(list_uploads)
    app.command(name="open")(open_file)
    app.command()(download)
    app.command(name="rm")(remove)
    app.command()(restore)
    app.command()(retry)


def search(
    query: Annotated[str, typer.Argument(help="What you are looking for, in your own words.")],
    limit: Annotated[int, typer.Option(min=1, max=100)] = 10,
    offset: Annotated[int, typer.Option(min=0, help="Leave out so many of the best.")] = 0,
    mode: Mode = "hybrid",
    sort: Sort = "relevance",
    file_type: FileTypes = None,
    language: Languages = None,
    date_from: Annotated[date | None, _day("--from", "Only files since that day or time, say 2026-11-21.")] = None,
    date_to: Annotated[date | None, _day("--to", "Only files until that day, itself included, or that time.")] = None,
    min_mb: LeastMb = None,
    max_mb: MostMb = None,
    text: HasText = None,
    state: State = None,
    flagged: Flagged = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Find files and the moments inside them."""
    filters = SearchFilters(
        file_types=tuple(file_type or ()) or None,
        languages=tuple(language or ()) or None,
        date_from=date_from,
        date_to=date_to,
        min_size_mb=min_mb,
        max_size_mb=max_mb,
        has_text=text,
        status=state,
        include_flagged=flagged or None,
    )
    with connected(data_dir) as client:
        answer = client.search(query, limit=limit, offset=offset, mode=mode, sort=sort, filters=filters)
    show(answer, as_json, rendering.search_results)


def read_text(upload_id: str, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Read what is written or said in a file."""
    with connected(data_dir) as client:
        try:
            parts = [*client.text(upload_id)]
        except ApiError as refusal:
            if refusal.code != "not_found":
                raise
            status = client.status(upload_id)  # refused as well if there is no such upload
            rendering.problem(err, status.error.message if status.error else status.message)
            raise typer.Exit(FAILED) from None
    if as_json:
        print_json([part.model_dump(mode="json") for part in parts])
        return
    for line in rendering.text_lines(parts):
        say(line)
    if not parts:
        hint("Nothing is written or said in it, as far as it has been read.")


def list_uploads(
    limit: Annotated[int, typer.Option(min=1, max=100)] = 20,
    offset: Annotated[int, typer.Option(min=0)] = 0,
    file_type: FileType = None,
    state: Annotated[
        Literal["pending", "processing", "completed", "failed", "deleted"] | None,
        typer.Option("--status", help="Only those; deleted ones are shown only so."),
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List your uploads, newest first."""
    with connected(data_dir) as client:
        page = client.uploads(limit=limit, offset=offset, file_type=file_type, status=state)
    show(page, as_json, lambda found: rendering.uploads_table(found, wide=out.width >= _WIDE))
    if page.has_more and not as_json:
        hint(f"More with --offset {offset + len(page.uploads)}.")


def open_file(
    upload_id: str,
    page: Annotated[int | None, typer.Option(min=1, help="Open a document there.")] = None,
    second: Annotated[float | None, typer.Option(min=0, help="Play from there.")] = None,
    print_url: Annotated[bool, typer.Option("--url", help="Only print the address; it lives five minutes.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Open a file in the browser, at a page or second."""
    with connected(data_dir) as client:
        url = client.download_url(upload_id, inline=True).url
    if page is not None:
        url += f"#page={page}"
    elif second is not None:
        url += f"#t={second:g}"
    if print_url or not webbrowser.open(url):
        say(url)


def download(
    upload_id: str,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file or a folder to write it to; else its own name, here.")
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Fetch an original."""
    with connected(data_dir) as client:
        path = output
        if path is None or path.is_dir():
            # A name from a server must not choose a directory.
            path = (path or Path()) / Path(client.status(upload_id).filename or upload_id).name
        if path != output and path.exists():
            rendering.problem(err, f"{path} is there already; say where to write it with --output.")
            raise typer.Exit(FAILED)
        client.download(upload_id, path)
    if as_json:
        print_json({"upload_id": upload_id, "path": str(path), "size_bytes": path.stat().st_size})
    else:
        say(str(path))


def remove(
    upload_ids: UploadIds,
    purge: Annotated[bool, typer.Option("--purge", help="Remove the bytes at once and for ever.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before a purge.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Take uploads out of search and lists; for 30 days they can be restored."""
    if purge and not yes:
        question = f"Remove {rendering.counted(len(upload_ids), 'file')} for ever?"
        typer.confirm(question, abort=True, err=as_json)
    _each(upload_ids, data_dir, as_json, "Deleted", lambda client, upload_id: client.delete(upload_id, purge=purge))
    if not purge and not as_json:
        hint("“mmsearch restore” brings it back within 30 days; “mmsearch list --status deleted” shows what can be.")


def restore(upload_ids: UploadIds, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Bring deleted uploads back."""
    _each(upload_ids, data_dir, as_json, "Restored", lambda client, upload_id: client.restore(upload_id))


def retry(
    upload_ids: Annotated[list[str] | None, typer.Argument(help="Uploads by their ids.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Everything that failed.")] = False,
    code: Annotated[str | None, typer.Option("--code", help="With --failed: only those of this cause.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Run failed uploads again from where they failed."""
    if bool(upload_ids) == failed:
        raise typer.BadParameter("name the uploads, or say --failed")
    if failed:
        with connected(data_dir) as client:
            upload_ids = _failed(client, code)
        if not upload_ids and not as_json:
            say("Nothing that failed fits.")
    _each(upload_ids or [], data_dir, as_json, "Started", lambda client, upload_id: client.retry(upload_id))


def _failed(client: Client, code: str | None) -> list[str]:
    found: list[str] = []
    offset, more = 0, True
    while more:
        page = client.uploads(limit=_PAGE, offset=offset, status="failed")
        found += [u.upload_id for u in page.uploads if code is None or (u.error and u.error.code == code)]
        offset, more = offset + _PAGE, page.has_more
    return found


def _each(
    upload_ids: list[str], data_dir: Path | None, as_json: bool, done: str, work: Callable[[Client, str], object]
) -> None:
    """One after another; what is refused does not stop the others."""
    refused: dict[str, dict[str, Any]] = {}
    with connected(data_dir) as client:
        for upload_id in upload_ids:
            try:
                work(client, upload_id)
            except ApiError as error:
                refused[upload_id] = {"code": error.code, "message": error.message}
                if not as_json:
                    rendering.problem(err, f"{upload_id}: {error.message} ({error.code})")
            else:
                if not as_json:
                    say(f"{done} {upload_id}.")
    if as_json:
        print_json([{"upload_id": upload_id, "error": refused.get(upload_id)} for upload_id in upload_ids])
    if refused:
        raise typer.Exit(FAILED)
