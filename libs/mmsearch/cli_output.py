"""What every command shares: where it prints, how it reaches the API, and the options that mean the same everywhere."""

import json
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import BaseModel
from rich.console import Console, RenderableType

from mmsearch import settings
from mmsearch.client import Client

FAILED, USAGE, UNREACHABLE = 1, 2, 3
"""Exit codes: refused or failed, wrong usage, nobody answers."""

_PIPED_WIDTH = 100_000
_WORTH_SAYING_S = 10.0


def console(*, stderr: bool = False) -> Console:
    """As wide as the terminal; what goes into a file or a pipe is not broken into lines."""
    is_terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, width=None if is_terminal else _PIPED_WIDTH)


OPERATORS = "Operators"
"""The part of the help that is for who runs the installation."""

out = console()
err = console(stderr=True)

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where the local system keeps everything.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
UploadIds = Annotated[list[str], typer.Argument(help="Uploads by their ids.")]

ModelT = TypeVar("ModelT", bound=BaseModel)


@contextmanager
def connected(data_dir: Path | None) -> Generator[Client]:
    """The client of the system that the options and the environment name."""
    connection = settings.connection(data_dir)
    with Client(connection.url, connection.api_key) as client:
        yield client.pausing(pause)


def pause(seconds: float) -> None:
    """Waits, and says so where a person would wonder."""
    if seconds >= _WORTH_SAYING_S:
        hint(f"The server is busy or away for the moment: waiting {seconds:.0f} s.")
    time.sleep(seconds)


def directory(given: Path | None) -> str:
    """The data directory meant, as an absolute path."""
    return str((given or settings.data_dir()).absolute())


def show(answer: ModelT, as_json: bool, render: Callable[[ModelT], RenderableType]) -> None:
    """An answer for a program or for a person."""
    if as_json:
        print_json(answer.model_dump(mode="json"))
    else:
        out.print(render(answer))


def print_json(value: Any) -> None:
    """One JSON document."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def print_json_line(value: Any) -> None:
    """One line of a stream of JSON documents, at once."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def hint(line: str) -> None:
    """What to do next, beside the answer and not in it."""
    err.print(line, style="dim", markup=False, highlight=False, soft_wrap=True)


def say(line: str) -> None:
    """A line as it is: nothing in it is markup."""
    out.print(line, markup=False, highlight=False, soft_wrap=True)
