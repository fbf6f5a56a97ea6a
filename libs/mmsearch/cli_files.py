"""The commands on files that are there: search, list, open, download, rm, restore, retry."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from mmsearch import rendering
from mmsearch.cli_output import FAILED, AsJson, DataDir, UploadIds, connected, err, print_json, say, show
from mmsearch.client import Client
from mmsearch.errors import ApiError

FileType = Annotated[str | None, typer.Option("--type", help="image, video, audio or document")]
_PAGE = 100


def register(app: typer.Typer) -> None:
    """Adds these commands to the command line."""
    for command in (search, download, restore, retry):
        app.command()(command)
    app.command(name="list")(list_uploads)
    app.command(name="open")(open_file)
    app.command(name="rm")(remove)


def search(
    query: Annotated[str, typer.Argument(help="What you are looking for, in your own words.")],
    limit: Annotated[int, typer.Option(min=1, max=100)] = 10,
    mode: Annotated[str, typer.Option(help="hybrid, semantic or keyword")] = "hybrid",
    file_type: Annotated[list[str] | None, typer.Option("--type", help="image, video, audio, document")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Find files and the moments inside them."""
    with connected(data_dir) as client:
        answer = client.search(query, limit=limit, mode=mode, file_types=tuple(file_type or ()))
    show(answer, as_json, rendering.search_results)


def list_uploads(
    limit: Annotated[int, typer.Option(min=1, max=100)] = 20,
    offset: Annotated[int, typer.Option(min=0)] = 0,
    file_type: FileType = None,
    state: Annotated[
        str | None, typer.Option("--status", help="pending, processing, completed, failed or deleted")
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List your uploads, newest first."""
    with connected(data_dir) as client:
        page = client.uploads(limit=limit, offset=offset, file_type=file_type, status=state)
    show(page, as_json, rendering.uploads_table)


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
    if print_url or typer.launch(url) != 0:
        say(url)


def download(
    upload_id: str,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where to write it; else its own name.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Fetch an original."""
    with connected(data_dir) as client:
        # A name from a server must not choose a directory.
        path = output or Path(Path(client.status(upload_id).filename or upload_id).name)
        if output is None and path.exists():
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
        typer.confirm(f"Remove {len(upload_ids)} file(s) for ever?", abort=True)
    _each(upload_ids, data_dir, as_json, "Deleted", lambda client, upload_id: client.delete(upload_id, purge=purge))


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
