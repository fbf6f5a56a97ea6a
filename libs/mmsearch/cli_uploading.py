"""``mmsearch upload``: folders and files, several at once, with bars; ``mmsearch watch``: what becomes of them."""

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from mmsearch import rendering, settings
from mmsearch.cli_output import FAILED, AsJson, DataDir, connected, err, out, print_json, print_json_line, say
from mmsearch.client import Client
from mmsearch.journal import Journal
from mmsearch.models import Upload, UploadStatus
from mmsearch.sending import Outcome, Refusal, Sender, files_in

_BARS = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())


def register(app: typer.Typer) -> None:
    """Adds these commands to the command line."""
    app.command()(upload)
    app.command()(watch)


def upload(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders whose files are sent.", exists=True)],
    wait: Annotated[bool, typer.Option("--wait", help="Return when every file is findable.")] = False,
    allow_duplicate: Annotated[bool, typer.Option("--allow-duplicate", help="Send what is there already.")] = False,
    parallel: Annotated[int, typer.Option(min=1, max=32, help="So many files at once.")] = 4,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Send files; one that is refused does not stop the others, and what broke off goes on the next time."""
    files = list(files_in(paths))
    connection = settings.connection(data_dir)
    with connected(data_dir) as client:
        with _bars(sum(path.stat().st_size for path in files), quiet=as_json) as bars:
            sender = Sender(
                client, Journal(settings.state_dir(), connection.url), bars, allow_duplicates=allow_duplicate
            )
            outcomes = sender.send_all(files, parallel)
        if wait:
            _wait_for(client, outcomes, quiet=as_json)
    if as_json:
        print_json([outcome.model_dump() for outcome in outcomes])
    if any(outcome.error for outcome in outcomes):
        raise typer.Exit(FAILED)


def watch(
    upload_ids: Annotated[list[str] | None, typer.Argument(help="These, until they have ended; else all.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say what becomes of uploads as it happens; of all, until Ctrl-C."""
    failed = False
    with connected(data_dir) as client:
        for found in _changes(client, set(upload_ids or ())):
            failed |= found.status == "failed"
            if as_json:
                print_json_line(found.model_dump(mode="json"))
            else:
                out.print(rendering.change(found))
    if failed and upload_ids:
        raise typer.Exit(FAILED)


def _changes(client: Client, wanted: set[str]) -> Iterator[Upload | UploadStatus]:
    """Where the wanted uploads are, then every change; ends when all wanted have ended."""
    waiting = set(wanted)
    for change in client.changes():
        # The first message says that nothing will be missed from here on; what was before is asked for.
        news = [client.status(upload_id) for upload_id in sorted(waiting)] if change is None else [change]
        for found in news:
            if wanted and found.upload_id not in waiting:
                continue
            yield found
            if found.is_final:
                waiting.discard(found.upload_id)
        if wanted and not waiting:
            return


def _wait_for(client: Client, outcomes: list[Outcome], *, quiet: bool) -> None:
    for outcome in outcomes:
        if outcome.upload_id is None:
            continue
        ended = client.wait(outcome.upload_id)
        outcome.status = ended.status
        if ended.error is not None:
            outcome.error = Refusal.model_validate(ended.error.model_dump(include={"code", "message", "advice"}))
        if not quiet:
            _say(outcome)


def _say(outcome: Outcome) -> None:
    if outcome.error:
        rendering.problem(err, f"{outcome.path}: {outcome.error.message} ({outcome.error.code})")
    else:
        say(f"{outcome.upload_id}  {outcome.status}  {outcome.path}")


class _Bars:
    """A bar for each file under way and one for all; a line for each file that has ended."""

    def __init__(self, progress: Progress, whole: TaskID, *, quiet: bool) -> None:
        self._progress = progress
        self._whole = whole
        self._quiet = quiet
        self._lock = threading.Lock()
        self._under_way: dict[Path, tuple[TaskID, int]] = {}

    def begin(self, path: Path, size: int) -> Callable[[int], None]:
        """See :class:`mmsearch.sending.Watcher`."""
        bar = self._progress.add_task(path.name, total=size)
        with self._lock:
            self._under_way[path] = (bar, size)
        sent = 0

        def on_progress(now: int) -> None:
            nonlocal sent
            self._progress.update(bar, completed=now)
            self._progress.advance(self._whole, now - sent)
            sent = now

        return on_progress

    def end(self, path: Path, outcome: Outcome) -> None:
        """See :class:`mmsearch.sending.Watcher`."""
        with self._lock:
            bar, _ = self._under_way.pop(path, (None, 0))
            if bar is not None:
                self._progress.remove_task(bar)
            if not self._quiet:
                _say(outcome)


@contextmanager
def _bars(total: int, *, quiet: bool) -> Generator[_Bars]:
    with Progress(*_BARS, console=out, transient=True, disable=quiet or not out.is_terminal) as progress:
        yield _Bars(progress, progress.add_task("all", total=total), quiet=quiet)
