"""``mmsearch``: what a person types into calls of the client, and answers into text or JSON.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 nobody answers. Each ``cli_*`` module holds some commands.
"""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from mmsearch import cli_files, cli_keys, cli_operations, cli_reembed, cli_system, cli_trace, cli_uploading, rendering
from mmsearch.cli_output import FAILED, UNREACHABLE, USAGE, err, hint, say
from mmsearch.errors import ApiError, MmsearchError, NotConfiguredError, UnreachableError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Find files, and the moment inside them, by meaning.",
    epilog="Which system is meant: --data-dir, else MMSEARCH_URL and MMSEARCH_API_KEY, else the one of .mmsearch here. "
    "Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 nobody answers.",
)
for commands in (cli_uploading, cli_files, cli_keys, cli_system, cli_trace, cli_operations, cli_reembed):
    commands.register(app)


def _say_version(wanted: bool) -> None:
    if wanted:
        say(f"mmsearch {version('mmsearch')}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """Find files, and the moment inside them, by meaning."""


def main() -> None:
    """The command line: failures of the library become a sentence and an exit code."""
    try:
        app()
    except UnreachableError as error:
        rendering.problem(err, str(error))
        hint("Is it running? “mmsearch status” tells of a system on this machine; MMSEARCH_URL says where to go.")
        sys.exit(UNREACHABLE)
    except NotConfiguredError as error:
        rendering.problem(err, str(error))
        sys.exit(USAGE)
    except (MmsearchError, TimeoutError, OSError) as error:
        rendering.problem(err, _sentence(error))
        sys.exit(FAILED)


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    if not isinstance(error, ApiError):
        return str(error)
    if error.code == "unauthenticated":
        return "This API key is not valid there. The page makes one, under “Usage and settings”, for MMSEARCH_API_KEY."
    trace = f", trace {error.trace_id}" if error.trace_id else ""
    fields = [": ".join(filter(None, (f["field"], f["problem"]))) for f in error.details.get("fields", [])]
    return "\n  ".join([f"{error.message} ({error.code}{trace})", *fields])


if __name__ == "__main__":
    main()
