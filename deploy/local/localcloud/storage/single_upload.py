"""Uploads that arrive in one request (media, multipart, XML PUT) into objects."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass

from localcloud.storage.bodies import BodyStore, BodyWriter
from localcloud.storage.checksums import ExpectedChecksums
from localcloud.storage.errors import StorageError
from localcloud.storage.intake import Intake
from localcloud.storage.model import StoredObject
from localcloud.storage.object_store import NewObject, ObjectStore


@dataclass(frozen=True)
class SizeLimits:
    """What the signer of a URL allows (``x-goog-content-length-range``), in bytes, both inclusive."""

    least: int
    most: int

    def check(self, size: int, *, ended: bool) -> None:
        """Raise 400 when `size` bytes are too many, or too few although the body has ended."""
        if size > self.most:
            details = {"Details": f"Content-length exceeds upper bound on range: {self.most}"}
            raise StorageError(400, "invalid", "Your proposed upload is too large.", "EntityTooLarge", details)
        if ended and size < self.least:
            details = {"Details": f"Content-length smaller than lower bound on range: {self.least}"}
            raise StorageError(400, "invalid", "Your proposed upload is too small.", "EntityTooSmall", details)


@dataclass(frozen=True)
class Upload:
    """What the bytes are to become, and what they should hash to."""

    new: NewObject
    expected: ExpectedChecksums


class SingleUpload:
    """Writes a body, then makes it an object; nothing is left of one that fails."""

    def __init__(self, objects: ObjectStore, bodies: BodyStore) -> None:
        self._objects = objects
        self._bodies = bodies

    async def store(
        self, media: AsyncIterator[bytes], describe: Callable[[], Upload], limits: SizeLimits | None = None
    ) -> StoredObject:
        """Take all of `media`; `describe` is asked after it, when a multipart body has told its metadata."""
        writer = self._bodies.create()
        intake = Intake(writer)
        try:
            async for chunk in media:
                await intake.take(chunk)
                if limits:
                    limits.check(intake.received, ended=False)
            if limits:
                limits.check(intake.received, ended=True)
            rest = await intake.drain()
            upload = describe()
        except BaseException:
            with suppress(OSError):
                await intake.settle()
            await asyncio.to_thread(writer.discard)
            raise
        return await asyncio.to_thread(self._commit, writer, rest, upload)

    def _commit(self, writer: BodyWriter, rest: bytes, upload: Upload) -> StoredObject:
        try:
            writer.write(rest)
            upload.expected.verify(writer.checksum)
            writer.sync()
            return self._objects.insert(upload.new, writer.body())
        except BaseException:
            writer.discard()
            raise
