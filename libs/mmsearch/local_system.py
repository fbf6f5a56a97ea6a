"""``mmsearch up``, ``down`` and ``status`` into the embedded cloud's own command, where it is installed."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import httpx2

from mmsearch import settings
from mmsearch.errors import NotConfiguredError

_PACKAGE = "localcloud"


def become(arguments: Sequence[str]) -> None:
    """Replaces this process by the embedded cloud's command, so that signals and the terminal are its own."""
    command = _command(arguments)
    os.execv(command[0], command)  # noqa: S606 - our own interpreter


def ask(arguments: Sequence[str]) -> int:
    """Runs the embedded cloud's command; its exit code."""
    return subprocess.run(_command(arguments), check=False).returncode


def start(arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    """Starts the embedded cloud's command beside this process, in the same terminal."""
    return subprocess.Popen(_command(arguments))


def output_of(module: str, *arguments: str) -> str:
    """What another module of the local installation prints. Raises ``subprocess.CalledProcessError``."""
    command = [sys.executable, "-P", "-m", module, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def drop(data_dir: Path, paths: Sequence[Path]) -> None:
    """Writes files into the running system's uploads bucket, as any storage client may."""
    known = settings.exported(data_dir / "env")
    bucket, user = known["UPLOADS_BUCKET"], known["MMSEARCH_USER_ID"]
    with httpx2.Client(base_url=known["STORAGE_EMULATOR_HOST"], trust_env=False, timeout=60) as http:
        for path in paths:
            name = quote(f"{user}/drops/{path.name}", safe="")
            address = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}"
            http.post(address, content=path.read_bytes()).raise_for_status()


def _command(arguments: Sequence[str]) -> list[str]:
    if importlib.util.find_spec(_PACKAGE) is None:
        raise NotConfiguredError("This installation has only the client; the local system comes with the repository.")
    return [sys.executable, "-P", "-m", _PACKAGE, *arguments]
