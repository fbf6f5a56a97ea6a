"""What was done to the system and when, printed as it happens, so that a failure can be told and played again."""

import time
from collections.abc import Callable


class History:
    """Lines with the seconds since the beginning."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._began = time.monotonic()
        self.lines: list[str] = []

    def add(self, what: str) -> None:
        line = f"{time.monotonic() - self._began:7.1f} s  {what}"
        self.lines.append(line)
        self._say(line)
