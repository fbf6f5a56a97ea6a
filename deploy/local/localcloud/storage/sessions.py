"""Requests to a resumable session (chunks, status queries, cancellation) into 308, 200 and 499, the same for
the JSON and the XML API."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from weakref import WeakValueDictionary

from starlette.requests import ClientDisconnect
from starlette.responses import Response

from localcloud.storage.checksums import ExpectedChecksums
from localcloud.storage.errors import invalid
from localcloud.storage.intake import Intake
from localcloud.storage.model import StoredObject
from localcloud.storage.ranges import ChunkRange, chunk_range
from localcloud.storage.routing import Call
from localcloud.storage.uploads import GRANULE_BYTES, UploadSession, UploadStore

_CLIENT_CLOSED = 499


class SessionRequests:
    """Handlers over an `UploadStore`, one request per session at a time."""

    def __init__(self, uploads: UploadStore) -> None:
        self._uploads = uploads
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def origin(self, upload_id: str) -> str | None:
        """The browser origin the session was opened for."""
        session = await asyncio.to_thread(self._uploads.load, upload_id)
        return session.request.origin

    async def put(self, call: Call, finished: Callable[[StoredObject], Response]) -> Response:
        """A chunk or a status query; `finished` renders the object once the session is complete."""
        upload_id = call.query["upload_id"]
        async with self._locks.setdefault(upload_id, asyncio.Lock()):
            session = await asyncio.to_thread(self._uploads.load, upload_id)
            asked = chunk_range(call.headers.get("content-range"))
            if session.finished_generation is not None:
                return finished(await asyncio.to_thread(self._uploads.result, session))
            if asked.total is not None:
                session.request.check_size(asked.total)
            expected = ExpectedChecksums.from_headers(call.headers)
            try:
                if asked.first is None:
                    stored = await self._finish_if_complete(session, asked, expected)
                else:
                    stored = await self._receive(call, session, asked, expected)
            except ClientDisconnect:
                # Nobody reads this answer; what arrived is kept and the client asks for it with its next request.
                return Response(status_code=_CLIENT_CLOSED)
            except BaseException:
                self._uploads.unload(session)
                raise
            return finished(stored) if stored is not None else _resume_incomplete(session)

    async def delete(self, call: Call) -> Response:
        """Cancel the session."""
        upload_id = call.query["upload_id"]
        async with self._locks.setdefault(upload_id, asyncio.Lock()):
            session = await asyncio.to_thread(self._uploads.load, upload_id)
            await asyncio.to_thread(self._uploads.cancel, session)
        return Response(status_code=_CLIENT_CLOSED)

    async def _finish_if_complete(
        self, session: UploadSession, asked: ChunkRange, expected: ExpectedChecksums
    ) -> StoredObject | None:
        if asked.total is None or asked.total != session.persisted:
            return None
        return await asyncio.to_thread(self._uploads.finish, session, expected)

    async def _receive(
        self, call: Call, session: UploadSession, asked: ChunkRange, expected: ExpectedChecksums
    ) -> StoredObject | None:
        """Take a chunk; the object when it was the last one."""
        first = asked.first or 0
        already = session.persisted - first
        if already < 0:
            raise invalid(f"The chunk starts at byte {first}, but only {session.persisted} bytes have been received.")
        intake = Intake(session.writer, GRANULE_BYTES)
        carried = 0
        try:
            async for chunk in call.request.stream():
                carried += len(chunk)
                fresh = chunk[already:]
                already -= len(chunk) - len(fresh)
                await intake.take(fresh)
                if session.due_for_checkpoint():
                    await intake.settle()
                    await asyncio.to_thread(self._uploads.checkpoint, session)
        except ClientDisconnect:
            await self._keep(session, intake)
            raise
        except BaseException:
            with suppress(OSError):
                await intake.settle()
            raise
        if asked.length is not None and carried != asked.length:
            await self._keep(session, intake)
            raise invalid(f"Content-Range announces {asked.length} bytes, the body has {carried}.")
        if asked.length is not None and asked.total != first + carried:
            await self._keep(session, intake)
            return None
        rest = await intake.drain()
        return await asyncio.to_thread(self._finish, session, rest, expected)

    def _finish(self, session: UploadSession, rest: bytes, expected: ExpectedChecksums) -> StoredObject:
        session.writer.write(rest)
        return self._uploads.finish(session, expected)

    async def _keep(self, session: UploadSession, intake: Intake) -> None:
        await intake.flush()
        await asyncio.to_thread(self._uploads.checkpoint, session)


def _resume_incomplete(session: UploadSession) -> Response:
    headers = {"Range": f"bytes=0-{session.persisted - 1}"} if session.persisted else {}
    return Response(status_code=308, headers=headers)
