"""Bytes a process prints into whole lines: in its own rotated file, and on the console under its coloured name."""

import contextlib
import logging
import logging.handlers
from collections import deque
from collections.abc import Callable
from pathlib import Path

_FILE_BYTES, _FILES_KEPT = 10 * 1024 * 1024, 3
_LINE_BYTES = 256 * 1024
_TAIL_LINES = 15
_COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
_NAME_WIDTH = 18

Console = Callable[[str], None]
"""Shows one line, or several, to the person at the terminal."""


class _File(logging.handlers.RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's names
        """A line for which the disk has no room is missing in the file; a traceback for each would help nobody."""

    def close(self) -> None:
        with contextlib.suppress(OSError):
            super().close()


class ProcessLog:
    """The log of one process; ``colour`` is any number, the same number gives the same colour, None gives none."""

    def __init__(self, name: str, directory: Path, console: Console | None = None, colour: int | None = None) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = _File(directory / f"{name}.log", maxBytes=_FILE_BYTES, backupCount=_FILES_KEPT, encoding="utf-8")
        self._console = console
        self._prefix = _prefix(name, colour)
        self._rest = b""
        self.tail: deque[str] = deque(maxlen=_TAIL_LINES)

    def feed(self, data: bytes) -> list[str]:
        """Takes bytes as they come; returns the lines they completed. A line without end is cut at 256 KiB."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LINE_BYTES:
            lines.append(self._rest)
            self._rest = b""
        texts = [line.decode("utf-8", "replace").rstrip("\r") for line in lines]
        if texts:
            self._log(texts)
        return texts

    def write(self, text: str) -> None:
        """Logs one line."""
        self._log([text.replace("\n", " ")])

    def _log(self, lines: list[str]) -> None:
        # Together: to write a line, or to look whether the file is full, costs more than the line itself.
        self.tail.extend(lines)
        self._file.emit(logging.LogRecord("", logging.INFO, "", 0, "\n".join(lines), None, None))
        if self._console is not None:
            self._console("\n".join(self._prefix + line for line in lines))

    def close(self) -> None:
        """Logs what is left without a line end, and closes the file."""
        if self._rest:
            self.feed(b"\n")
        self._file.close()


def _prefix(name: str, colour: int | None) -> str:
    label = f"{name:<{_NAME_WIDTH}}| "
    return label if colour is None else f"\x1b[{_COLOURS[colour % len(_COLOURS)]}m{label}\x1b[0m"
