"""The JSON API's uploads: media, multipart and resumable requests in, object resources and session
addresses out."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from localcloud.storage.checksums import ExpectedChecksums
from localcloud.storage.errors import StorageError, invalid
from localcloud.storage.model import ObjectAttributes, StoredObject
from localcloud.storage.multipart import RelatedParser, boundary_of
from localcloud.storage.names import check_object_name
from localcloud.storage.object_store import NewObject
from localcloud.storage.routing import Call, Route
from localcloud.storage.sessions import SessionRequests
from localcloud.storage.single_upload import SingleUpload, Upload
from localcloud.storage.uploads import UploadRequest, UploadStore

_PATHS = ("/upload/storage/v1/b/{bucket}/o", "/resumable/upload/storage/v1/b/{bucket}/o")


class UploadRoutes:
    """Handlers of ``/upload`` (and of ``/resumable/upload``, where gsutil sends resumable ones)."""

    def __init__(self, single: SingleUpload, uploads: UploadStore, sessions: SessionRequests) -> None:
        self._single = single
        self._uploads = uploads
        self._sessions = sessions

    def routes(self) -> list[Route]:
        """What it answers."""
        handlers = {"POST": self.start, "PUT": self.put, "DELETE": self.cancel}
        return [Route(method, path, handler) for path in _PATHS for method, handler in handlers.items()]

    async def start(self, call: Call) -> Response:
        """``objects.insert`` in the form of ``uploadType``."""
        _refuse_packed(call)
        kind = call.query.get("uploadType")
        if kind == "resumable":
            # Some clients send the chunks by POST.
            return await self.put(call) if "upload_id" in call.query else await self._start_session(call)
        if kind == "multipart":
            return await self._multipart(call)
        if kind == "media":
            resource = {"contentType": call.headers.get("content-type")}
            upload = _upload(call, resource)
            stored = await self._single.store(call.request.stream(), lambda: upload)
            return call.reply(call.resources.object(stored))
        raise invalid(f"Invalid uploadType: '{kind}'")

    async def put(self, call: Call) -> Response:
        """A chunk or a status query of a session."""
        if "upload_id" not in call.query:
            raise StorageError(400, "required", "Required parameter: upload_id")
        _refuse_packed(call)

        def finished(stored: StoredObject) -> Response:
            return call.reply(call.resources.object(stored))

        return await self._sessions.put(call, finished)

    async def cancel(self, call: Call) -> Response:
        """Cancel a session. Without its id there is nothing to cancel: the official client sends that too."""
        if "upload_id" not in call.query:
            return Response(status_code=204)
        return await self._sessions.delete(call)

    async def _multipart(self, call: Call) -> Response:
        parser = RelatedParser(boundary_of(call.headers.get("content-type")))

        async def media() -> AsyncIterator[bytes]:
            async for chunk in call.request.stream():
                yield parser.feed(chunk)
            parser.close()

        def describe() -> Upload:
            return _upload(call, {"contentType": parser.media_type, **parser.resource})

        stored = await self._single.store(media(), describe)
        return call.reply(call.resources.object(stored))

    async def _start_session(self, call: Call) -> Response:
        resource = {"contentType": call.headers.get("x-upload-content-type"), **await call.json()}
        upload = _upload(call, resource)
        announced = call.headers.get("x-upload-content-length", "")
        size = int(announced) if announced.isdecimal() else None
        request = UploadRequest(upload.new, upload.expected, call.headers.get("origin"), size)
        session = await asyncio.to_thread(self._uploads.start, request)
        query = urlencode({"uploadType": "resumable", "upload_id": session.upload_id})
        location = f"{call.base}/upload/storage/v1/b/{call.bucket}/o?{query}"
        return Response(None, 200, {"Location": location, "X-GUploader-UploadID": session.upload_id})


def _refuse_packed(call: Call) -> None:
    # gsutil cp -J; stored as it is, the object would hold the packed bytes.
    if call.headers.get("content-encoding", "identity") != "identity":
        raise invalid("Compressed request bodies are not supported by this emulator.")


def _upload(call: Call, resource: dict[str, Any]) -> Upload:
    name = call.query.get("name") or resource.get("name") or ""
    if not isinstance(name, str):
        raise invalid("The name of an object is text.")
    encoding = call.query.get("contentEncoding")
    attributes = ObjectAttributes.parse({"contentEncoding": encoding, **resource})
    said = ExpectedChecksums.from_resource(resource.get("crc32c"), resource.get("md5Hash"))
    expected = ExpectedChecksums.from_headers(call.headers).over(said)
    return Upload(NewObject(call.bucket, check_object_name(name), attributes, call.conditions), expected)
