"""``mmsearch``: what a person types into calls of the client, and answers into text or JSON.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 nobody answers.
"""

import json
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from mmsearch import demo as demonstration
from mmsearch import local_system, rendering, settings
from mmsearch.client import Client
from mmsearch.errors import ApiError, MmsearchError, NotConfiguredError, UnreachableError

_FAILED, _USAGE, _UNREACHABLE = 1, 2, 3

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Find files, and the moment inside them, by meaning."
)
_out = Console()
_err = Console(stderr=True)

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where the local system keeps everything.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.command()
def up(
    data_dir: DataDir = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The public port on 127.0.0.1.")] = 8080,
    detach: Annotated[bool, typer.Option("--detach", help="Leave it running in the background.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Log lines go to files only.")] = False,
) -> None:
    """Run the whole system on this machine until Ctrl-C."""
    flags = [flag for flag, given in (("--detach", detach), ("--quiet", quiet)) if given]
    local_system.become(["up", "--data-dir", _directory(data_dir), "--port", str(port), *flags])


@app.command()
def demo(
    data_dir: DataDir = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The public port on 127.0.0.1.")] = 8080,
) -> None:
    """Run the whole system, feed it sample files, show searches that find them; stays up until Ctrl-C."""
    raise typer.Exit(demonstration.run(Path(_directory(data_dir)), port, _out))


@app.command()
def down(data_dir: DataDir = None) -> None:
    """Stop the local system."""
    raise typer.Exit(local_system.ask(["down", "--data-dir", _directory(data_dir)]))


@app.command()
def status(
    upload_id: Annotated[str | None, typer.Argument(help="An upload; without it, the local system.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say how an upload is, or how the local system is."""
    if upload_id is None:
        flags = ["--json"] if as_json else []
        raise typer.Exit(local_system.ask(["status", "--data-dir", _directory(data_dir), *flags]))
    with _client(data_dir) as client:
        found = client.status(upload_id)
    _show(found, as_json, rendering.status_lines)


@app.command()
def upload(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders whose files are sent.", exists=True)],
    wait: Annotated[bool, typer.Option("--wait", help="Return when every file is findable.")] = False,
    allow_duplicate: Annotated[bool, typer.Option("--allow-duplicate", help="Send what is there already.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Send files; one that is refused does not stop the others."""
    outcomes: list[dict[str, Any]] = []
    with _client(data_dir) as client, _progress(hidden=as_json) as progress:
        for path in _files(paths):
            outcome = _send(client, progress, path, allow_duplicate)
            outcomes.append(outcome)
            if not as_json:
                _say_outcome(progress.console, outcome)
        if wait:
            _wait_for(client, outcomes, quiet=as_json)
    if as_json:
        _print_json(outcomes)
    if any(outcome["error"] for outcome in outcomes):
        raise typer.Exit(_FAILED)


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="What you are looking for, in your own words.")],
    limit: Annotated[int, typer.Option(min=1, max=100)] = 10,
    mode: Annotated[str, typer.Option(help="hybrid, semantic or keyword")] = "hybrid",
    file_type: Annotated[list[str] | None, typer.Option("--type", help="image, video, audio, document")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Find files and the moments inside them."""
    with _client(data_dir) as client:
        answer = client.search(query, limit=limit, mode=mode, file_types=tuple(file_type or ()))
    _show(answer, as_json, rendering.search_results)


@app.command(name="list")
def list_uploads(
    limit: Annotated[int, typer.Option(min=1, max=100)] = 20,
    offset: Annotated[int, typer.Option(min=0)] = 0,
    file_type: Annotated[str | None, typer.Option("--type", help="image, video, audio, document")] = None,
    state: Annotated[str | None, typer.Option("--status", help="pending, processing, completed, failed")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List your uploads, newest first."""
    with _client(data_dir) as client:
        page = client.uploads(limit=limit, offset=offset, file_type=file_type, status=state)
    _show(page, as_json, rendering.uploads_table)


@app.command()
def delete(upload_ids: Annotated[list[str], typer.Argument(help="What to delete.")], data_dir: DataDir = None) -> None:
    """Take uploads out of search and lists."""
    with _client(data_dir) as client:
        for upload_id in upload_ids:
            client.delete(upload_id)
            _out.print(f"Deleted {upload_id}.", highlight=False)


def main() -> None:
    """The command line: failures of the library become a sentence and an exit code."""
    try:
        app()
    except UnreachableError as error:
        rendering.problem(_err, str(error))
        sys.exit(_UNREACHABLE)
    except NotConfiguredError as error:
        rendering.problem(_err, str(error))
        sys.exit(_USAGE)
    except (MmsearchError, TimeoutError) as error:
        rendering.problem(_err, _sentence(error))
        sys.exit(_FAILED)


@contextmanager
def _client(data_dir: Path | None) -> Generator[Client]:
    connection = settings.connection(data_dir)
    with Client(connection.url, connection.api_key) as client:
        yield client


def _directory(given: Path | None) -> str:
    return str((given or settings.data_dir()).absolute())


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(found for found in path.rglob("*") if found.is_file())
        else:
            yield path


def _send(client: Client, progress: Progress, path: Path, allow_duplicate: bool) -> dict[str, Any]:
    outcome: dict[str, Any] = {"path": str(path), "upload_id": None, "status": None, "error": None}
    bar = progress.add_task(path.name, total=path.stat().st_size)
    try:
        accepted = client.upload(
            path, allow_duplicate=allow_duplicate, on_progress=lambda sent: progress.update(bar, completed=sent)
        )
    except ApiError as error:
        outcome["error"] = {"code": error.code, "message": error.message, "details": error.details}
    except OSError as error:
        outcome["error"] = {"code": "unreadable", "message": str(error), "details": {}}
    else:
        outcome |= {"upload_id": accepted.upload_id, "status": accepted.status}
    progress.remove_task(bar)
    return outcome


def _wait_for(client: Client, outcomes: list[dict[str, Any]], *, quiet: bool) -> None:
    for outcome in outcomes:
        if outcome["upload_id"] is None:
            continue
        ended = client.wait(outcome["upload_id"])
        outcome["status"] = ended.status
        if ended.error is not None:
            outcome["error"] = ended.error.model_dump()
        if not quiet:
            _say_outcome(_out, outcome)


def _say_outcome(console: Console, outcome: dict[str, Any]) -> None:
    if outcome["error"]:
        rendering.problem(_err, f"{outcome['path']}: {outcome['error']['message']} ({outcome['error']['code']})")
    else:
        console.print(f"{outcome['upload_id']}  {outcome['status']}  {outcome['path']}", markup=False, highlight=False)


def _progress(*, hidden: bool) -> Progress:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    return Progress(*columns, console=_out, transient=True, disable=hidden or not _out.is_terminal)


def _show(answer: BaseModel, as_json: bool, render: Any) -> None:
    if as_json:
        _print_json(answer.model_dump(mode="json"))
    else:
        _out.print(render(answer))


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _sentence(error: Exception) -> str:
    if not isinstance(error, ApiError):
        return str(error)
    trace = f", trace {error.trace_id}" if error.trace_id else ""
    return f"{error.message} ({error.code}{trace})"


if __name__ == "__main__":
    main()
