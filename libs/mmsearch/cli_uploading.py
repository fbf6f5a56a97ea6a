"""``mmsearch upload``: folders and files, several at once, with bars; ``mmsearch watch``: what becomes of them."""

import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TransferSpeedColumn,
)
from rich.table import Column

from mmsearch import rendering, settings
from mmsearch.cli_output import (
    FAILED,
    UNREACHABLE,
    AsJson,
    DataDir,
    connected,
    err,
    hint,
    out,
    print_json,
    print_json_line,
    say,
)
from mmsearch.client import Client
from mmsearch.errors import ApiError
from mmsearch.journal import Journal
from mmsearch.models import Upload, UploadStatus
from mmsearch.sending import DUPLICATE, Outcome, Refusal, Sender, files_in, printable
from mmsearch.sending import UNREACHABLE as UNREACHABLE_CODE

_NAME_WIDTH = 32
_STOPPED = 130
_UNFINISHED = "unfinished"

_WAIT = "Return when every file is findable; of one that takes longer than five minutes it is said."

_NAME = TextColumn(
    "{task.description}",
    markup=False,
    table_column=Column(no_wrap=True, overflow="ellipsis", max_width=_NAME_WIDTH),
)
_BARS = (
    _NAME,
    BarColumn(bar_width=20),
    DownloadColumn(table_column=Column(no_wrap=True)),
    TransferSpeedColumn(table_column=Column(no_wrap=True)),
)
_COUNT = (_NAME, BarColumn(bar_width=20), MofNCompleteColumn())


def register(app: typer.Typer) -> None:
    """Adds these commands to the command line."""
    app.command()(upload)
    app.command()(watch)


def upload(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders whose files are sent.", exists=True)],
    wait: Annotated[bool, typer.Option("--wait", help=_WAIT)] = False,
    allow_duplicate: Annotated[bool, typer.Option("--allow-duplicate", help="Send what is there already.")] = False,
    parallel: Annotated[int, typer.Option(min=1, max=32, help="So many files at once.")] = 4,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Send files; one that is refused does not stop the others, and what broke off goes on the next time."""
    files = list(files_in(paths))
    connection = settings.connection(data_dir)
    try:
        with connected(data_dir) as client:
            with _bars(sum(path.stat().st_size for path in files), quiet=as_json, briefly=wait) as bars:
                journal = Journal(settings.state_dir(), connection.url)
                outcomes = Sender(client, journal, bars, allow_duplicates=allow_duplicate).send_all(files, parallel)
            if wait:
                _wait_for(client, outcomes, quiet=as_json)
    except KeyboardInterrupt:
        hint("Stopped. The same command again skips what is there and goes on where it broke off.")
        raise typer.Exit(_STOPPED) from None
    if as_json:
        print_json([outcome.model_dump() for outcome in outcomes])
    elif len(outcomes) != 1:
        say(summary(outcomes))
    if any(outcome.error and outcome.error.code == UNREACHABLE_CODE for outcome in outcomes):
        hint("The server stopped answering. The same command again skips what is there and goes on.")
        raise typer.Exit(UNREACHABLE)
    if any(outcome.error for outcome in outcomes):
        raise typer.Exit(FAILED)


def summary(outcomes: list[Outcome]) -> str:
    """What became of all files, in one line."""
    if not outcomes:
        return "There is no file in it."
    counts = Counter(_word(outcome) for outcome in outcomes)
    return f"{len(outcomes)} files: " + ", ".join(f"{count} {word}" for word, count in counts.most_common()) + "."


def _word(outcome: Outcome) -> str:
    if outcome.error and outcome.error.code == _UNFINISHED:
        return "still being read"
    if outcome.error:
        return "failed" if outcome.upload_id else "refused"
    return "there already" if outcome.status == DUPLICATE else outcome.status or "sent"


def watch(
    upload_ids: Annotated[list[str] | None, typer.Argument(help="These, until they have ended; else all.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say what becomes of uploads as it happens; of all, until Ctrl-C."""
    failed = False
    if not upload_ids and not as_json:
        hint("What changes is shown as it happens; Ctrl-C ends it.")
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
    taken = [outcome for outcome in outcomes if outcome.upload_id]
    with Progress(*_COUNT, console=out, transient=True, disable=quiet or not out.is_terminal) as progress:
        for outcome in progress.track(taken, description="being read"):
            was_there = outcome.status == DUPLICATE
            _learn_end(client, outcome)
            if not quiet and (outcome.error or not was_there):
                _say(outcome)


def _learn_end(client: Client, outcome: Outcome) -> None:
    try:
        ended = client.wait(outcome.upload_id or "")
    except ApiError as error:
        outcome.error = Refusal(code=error.code, message=error.message)
    except TimeoutError as error:
        outcome.error = Refusal(code=_UNFINISHED, message=str(error))
    else:
        if outcome.status != DUPLICATE:
            outcome.status = ended.status
        if ended.error is not None:
            outcome.error = Refusal.model_validate(ended.error.model_dump(include={"code", "message", "advice"}))


def _say(outcome: Outcome) -> None:
    if outcome.error:
        words = " ".join(filter(None, (outcome.error.message, outcome.error.advice)))
        known = ", ".join(filter(None, (outcome.error.code, outcome.upload_id)))
        # On a terminal, what is not printed through the bars' console is printed into the bars.
        rendering.problem(out if out.is_terminal else err, f"{outcome.path}: {words} ({known})")
    else:
        say(f"{outcome.upload_id}  {outcome.status}  {outcome.path}")


class _Bars:
    """A bar for each file under way and one for all; a line for each file that has ended."""

    def __init__(self, progress: Progress, whole: TaskID, *, quiet: bool, briefly: bool) -> None:
        """``briefly``: what was sent without trouble is not worth a line yet."""
        self._progress = progress
        self._whole = whole
        self._quiet = quiet
        self._briefly = briefly
        self._lock = threading.Lock()
        self._under_way: dict[Path, tuple[TaskID, int]] = {}

    def begin(self, path: Path, size: int) -> Callable[[int], None]:
        """See :class:`mmsearch.sending.Watcher`."""
        bar = self._progress.add_task(printable(Path(path.name)), total=size)
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
            on_its_way = outcome.error is None and outcome.status != DUPLICATE
            if not self._quiet and not (self._briefly and on_its_way):
                _say(outcome)


@contextmanager
def _bars(total: int, *, quiet: bool, briefly: bool) -> Generator[_Bars]:
    with Progress(*_BARS, console=out, transient=True, disable=quiet or not out.is_terminal) as progress:
        yield _Bars(progress, progress.add_task("all", total=total), quiet=quiet, briefly=briefly)
