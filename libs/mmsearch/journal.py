"""Remembers which files are on their way in which session, so that the next run goes on instead of starting anew."""

import hashlib
import json
from contextlib import suppress
from pathlib import Path


class Journal:
    """One small file per unfinished upload, named by server, path, size and time of change of the file sent."""

    def __init__(self, directory: Path, url: str) -> None:
        self._directory = directory
        self._url = url

    def upload_id(self, path: Path) -> str | None:
        """The unfinished upload of this very file, if there is one."""
        with suppress(OSError, ValueError, KeyError):
            return str(json.loads(self._entry(path).read_text())["upload_id"])
        return None

    def remember(self, path: Path, upload_id: str) -> None:
        """Raises ``OSError`` when nothing can be written."""
        entry = self._entry(path)
        entry.parent.mkdir(parents=True, exist_ok=True)
        fresh = entry.with_suffix(".new")
        fresh.write_text(json.dumps({"upload_id": upload_id, "path": str(path.absolute())}))
        fresh.replace(entry)

    def forget(self, path: Path) -> None:
        """The file has arrived, or its session is gone."""
        self._entry(path).unlink(missing_ok=True)

    def _entry(self, path: Path) -> Path:
        found = path.stat()
        identity = f"{self._url}\0{path.absolute()}\0{found.st_size}\0{found.st_mtime_ns}"
        name = hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()
        return self._directory / f"{name[:32]}.json"
