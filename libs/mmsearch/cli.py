"""``mmsearch``: what a person types into calls of the client, and answers into text or JSON.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 nobody answers. Each ``cli_*`` module holds some commands.
"""

import sys

import typer

from mmsearch import cli_files, cli_keys, cli_operations, cli_reembed, cli_system, cli_trace, cli_uploading, rendering
from mmsearch.cli_output import FAILED, UNREACHABLE, USAGE, err
from mmsearch.errors import ApiError, MmsearchError, NotConfiguredError, UnreachableError

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Find files, and the moment inside them, by meaning."
)
for commands in (cli_system, cli_uploading, cli_files, cli_keys, cli_operations, cli_reembed, cli_trace):
    commands.register(app)


def main() -> None:
    """The command line: failures of the library become a sentence and an exit code."""
    try:
        app()
    except UnreachableError as error:
        rendering.problem(err, str(error))
        sys.exit(UNREACHABLE)
    except NotConfiguredError as error:
        rendering.problem(err, str(error))
        sys.exit(USAGE)
    except (MmsearchError, TimeoutError, OSError) as error:
        rendering.problem(err, _sentence(error))
        sys.exit(FAILED)


def _sentence(error: Exception) -> str:
    if not isinstance(error, ApiError):
        return str(error)
    trace = f", trace {error.trace_id}" if error.trace_id else ""
    return f"{error.message} ({error.code}{trace})"


if __name__ == "__main__":
    main()
