"""Turns a file that others may be writing to into a body whose length stays as it is told before the bytes."""

import io
from collections.abc import Callable

from mmsearch.errors import ShortenedError


class OpenedFile(io.RawIOBase):
    """A file of the length it had when it was opened; tells how many bytes have been read.

    Reading raises :class:`~mmsearch.errors.ShortenedError` when there is less of it by then.
    """

    def __init__(self, file: io.BufferedReader, on_progress: Callable[[int], None]) -> None:
        self._file = file
        self._on_progress = on_progress
        self._size = file.seek(0, io.SEEK_END)
        file.seek(0)

    def readable(self) -> bool:
        """See :meth:`io.RawIOBase.readable`."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """See :meth:`io.RawIOBase.read`."""
        left = self._size - self._file.tell()
        data = self._file.read(left if size < 0 else min(size, left))
        if left and not data:
            raise ShortenedError
        self._on_progress(self._file.tell())
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """See :meth:`io.RawIOBase.seek`."""
        if whence == io.SEEK_END:
            return self._file.seek(self._size + offset)
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """See :meth:`io.RawIOBase.tell`."""
        return self._file.tell()
