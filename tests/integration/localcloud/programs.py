"""Starts modules of the embedded cloud as processes for tests, and tells when they are ready, gone or refused."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from localcloud.ports import is_free

PATIENCE_S = 60


def command(module: str, *arguments: object) -> list[str]:
    return [sys.executable, "-P", "-m", module, *map(str, arguments)]


@contextmanager
def running(module: str, *arguments: object, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """The process, terminated at the end."""
    process = subprocess.Popen(
        command(module, *arguments),
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def ready_line(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What the process says when it is ready; fails when it ends instead."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):
            return json.loads(line)
    raise AssertionError(f"the process ended with {process.wait()} before it was ready")


def refused(module: str, *arguments: object) -> str:
    """The message of a process that says that it cannot start."""
    result = subprocess.run(
        command(module, *arguments), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert result.returncode == 2, result
    return result.stderr


def child_named(process: subprocess.Popen[str], name: str) -> psutil.Process:
    return next(child for child in psutil.Process(process.pid).children() if child.name() == name)


def wait_gone(*pids: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while left := [pid for pid in pids if is_alive(pid)]:
        assert time.monotonic() < deadline, f"still there: {left}"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for(path: Path) -> str:
    """The content of a file that somebody is about to write."""
    deadline = time.monotonic() + PATIENCE_S
    while not path.exists() or not path.read_text():
        assert time.monotonic() < deadline, f"{path} was not written"
        time.sleep(0.02)
    return path.read_text()


async def ready_when_listening(port: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while is_free(port):
            await asyncio.sleep(0.02)
