"""Object bytes on disk: a body is written under a random id, hashed as it passes and synced; the row that
names it makes it an object. Files no row names are removed at start."""

import os
import secrets
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from localcloud.storage.checksums import RunningChecksum
from localcloud.storage.model import Body

BLOCK_BYTES = 1024 * 1024


class BodyWriter:
    """Appends to one body file. Blocking: use it from a thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: FileIO | None = None
        self.checksum = RunningChecksum()
        self.size = 0

    @property
    def body_id(self) -> str:
        """The random id the file lies under."""
        return self._path.name

    def write(self, block: bytes | bytearray) -> None:
        """Append and hash; the file is opened by the first block."""
        # The checksum library takes bytes only.
        whole = bytes(block)
        file, rest = self._opened(), memoryview(whole)
        while rest:
            rest = rest[file.write(rest) :]
        self.checksum.update(whole)
        self.size += len(whole)

    def sync(self) -> None:
        """Everything written so far, and the file's name, are on the disk when this returns; closes the file."""
        os.fsync(self._opened().fileno())
        self.close()
        _sync_directory(self._path.parent)

    def close(self) -> None:
        """Close the file; the next write opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def body(self) -> Body:
        """What has been written, as the object's body."""
        return Body(self.body_id, self.size, self.checksum.crc32c, self.checksum.md5)

    def discard(self) -> None:
        """Remove the file."""
        self.close()
        self._path.unlink(missing_ok=True)

    def recover(self, size: int) -> None:
        """Take up the first `size` bytes of the file; what follows them was never promised to a client."""
        with self._path.open("a+b") as file:
            file.truncate(size)
            file.seek(0)
            while block := file.read(BLOCK_BYTES):
                self.checksum.update(block)
                self.size += len(block)

    def _opened(self) -> FileIO:
        if self._file is None:
            # Unbuffered: no byte may reach the file after its writer was given up for another one.
            self._file = self._path.open("ab", buffering=0)
        return self._file


class BodyStore:
    """The directory of bodies, two hex digits of the id wide so that no directory grows large."""

    def __init__(self, root: Path) -> None:
        self._root = root
        for number in range(256):
            (root / f"{number:02x}").mkdir(parents=True, exist_ok=True)
        _sync_directory(root)

    def create(self) -> BodyWriter:
        """A writer for a new body."""
        return BodyWriter(self._path(secrets.token_hex(16)))

    def resume(self, body_id: str, size: int) -> BodyWriter:
        """A writer that goes on after the first `size` bytes, which are read once to hash them again."""
        writer = BodyWriter(self._path(body_id))
        writer.recover(size)
        return writer

    def open(self, body_id: str) -> BinaryIO:
        """The file for reading; an open file outlives its removal."""
        return self._path(body_id).open("rb")

    def remove(self, body_id: str) -> None:
        """Delete the file if it is there."""
        self._path(body_id).unlink(missing_ok=True)

    def remove_orphans(self, is_known: Callable[[str], bool]) -> int:
        """Delete every file whose id is not known; how many there were."""
        orphans = [path for path in self._files() if not is_known(path.name)]
        for path in orphans:
            path.unlink()
        return len(orphans)

    def _files(self) -> Iterator[Path]:
        return self._root.glob("??/*")

    def _path(self, body_id: str) -> Path:
        return self._root / body_id[:2] / body_id


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
