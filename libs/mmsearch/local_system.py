"""``mmsearch up``, ``down`` and ``status`` into the embedded cloud's own command, where it is installed."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence

from mmsearch.errors import NotConfiguredError

_PACKAGE = "localcloud"


def become(arguments: Sequence[str]) -> None:
    """Replaces this process by the embedded cloud's command, so that signals and the terminal are its own."""
    command = _command(arguments)
    os.execv(command[0], command)  # noqa: S606 - our own interpreter


def ask(arguments: Sequence[str]) -> int:
    """Runs the embedded cloud's command; its exit code."""
    return subprocess.run(_command(arguments), check=False).returncode


def _command(arguments: Sequence[str]) -> list[str]:
    if importlib.util.find_spec(_PACKAGE) is None:
        raise NotConfiguredError("This installation has only the client; the local system comes with the repository.")
    return [sys.executable, "-P", "-m", _PACKAGE, *arguments]
