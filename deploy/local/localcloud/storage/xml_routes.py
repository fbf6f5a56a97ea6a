"""The XML API under signed URLs (``/bucket/object``): GET, HEAD, PUT, DELETE and the start of a resumable
upload, each only with a valid signature; a session's own address needs none."""

import asyncio
from datetime import UTC, datetime

from starlette.responses import Response

from localcloud.storage.bucket_store import BucketStore
from localcloud.storage.checksums import ExpectedChecksums
from localcloud.storage.cors import parse_rules, rule_headers, session_headers
from localcloud.storage.download import DownloadRequest, download
from localcloud.storage.errors import StorageError, invalid
from localcloud.storage.model import ObjectAttributes, StoredObject
from localcloud.storage.names import check_object_name, decode_segment
from localcloud.storage.object_store import NewObject, ObjectStore
from localcloud.storage.preconditions import Preconditions, whole_number
from localcloud.storage.resources import etag
from localcloud.storage.routing import Call
from localcloud.storage.sessions import SessionRequests
from localcloud.storage.signing import SignedRequest, Signer, is_signed, verify
from localcloud.storage.single_upload import SingleUpload, SizeLimits, Upload
from localcloud.storage.uploads import UploadRequest, UploadStore

_OVERRIDES = {
    "response-content-type": "Content-Type",
    "response-content-disposition": "Content-Disposition",
}
_ATTRIBUTES = {
    "content-type": "contentType",
    "content-encoding": "contentEncoding",
    "content-disposition": "contentDisposition",
    "content-language": "contentLanguage",
    "cache-control": "cacheControl",
    "x-goog-storage-class": "storageClass",
}
_META = "x-goog-meta-"
_LENGTH_RANGE = "x-goog-content-length-range"


class XmlRoutes:
    """Handlers of every path that is no JSON route."""

    def __init__(
        self,
        buckets: BucketStore,
        objects: ObjectStore,
        single: SingleUpload,
        uploads: UploadStore,
        sessions: SessionRequests,
        signer: Signer,
        public_hosts: list[str],
    ) -> None:
        self._buckets = buckets
        self._objects = objects
        self._single = single
        self._uploads = uploads
        self._sessions = sessions
        self._signer = signer
        self._public_hosts = public_hosts

    async def respond(self, call: Call) -> Response:
        """The answer, with the bucket's CORS headers where its rules allow the origin."""
        bucket, _, name = call.raw_path.lstrip(b"/").partition(b"/")
        call.path.update(bucket=decode_segment(bucket), object=decode_segment(name))
        cors = await self._cors(call)
        if call.request.method == "OPTIONS":
            return Response(None, 200, cors)
        try:
            response = await self._respond(call)
        except StorageError as error:
            response = error.xml_response()
        response.headers.update(cors)
        return response

    async def _respond(self, call: Call) -> Response:
        method = call.request.method
        if "upload_id" in call.query:
            if method == "PUT":
                return await self._sessions.put(call, _uploaded)
            if method == "DELETE":
                return await self._sessions.delete(call)
        self._authenticate(call)
        check_object_name(call.name)
        if method in ("GET", "HEAD"):
            return await self._get(call)
        if method == "PUT":
            return await self._put(call)
        if method == "DELETE":
            await asyncio.to_thread(self._objects.delete, call.key, Preconditions.from_headers(call.headers))
            return Response(status_code=204)
        if method == "POST" and call.headers.get("x-goog-resumable") == "start":
            return await self._start_session(call)
        raise StorageError(405, "methodNotAllowed", "The specified method is not allowed against this resource.")

    def _authenticate(self, call: Call) -> None:
        raw_query = call.request.url.query
        if not is_signed(raw_query):
            details = {"Details": "Anonymous caller does not have access to the Google Cloud Storage object."}
            raise StorageError(403, "forbidden", "Access denied.", "AccessDenied", details)
        request = SignedRequest(call.request.method, call.raw_path, raw_query, call.headers)
        verify(request, self._signer, self._public_hosts, datetime.now(UTC))

    async def _get(self, call: Call) -> Response:
        overrides = {header: call.query[name] for name, header in _OVERRIDES.items() if name in call.query}
        head = call.request.method == "HEAD"
        conditions = Preconditions.from_headers(call.headers)
        return await download(self._objects, DownloadRequest(call.key, conditions, call.headers, head, overrides))

    async def _put(self, call: Call) -> Response:
        upload = Upload(_new_object(call), ExpectedChecksums.from_headers(call.headers))
        limits = _limits(call.headers.get(_LENGTH_RANGE))
        return _uploaded(await self._single.store(call.request.stream(), lambda: upload, limits))

    async def _start_session(self, call: Call) -> Response:
        if _LENGTH_RANGE in call.headers:
            raise invalid(f"{_LENGTH_RANGE} is not supported for resumable uploads by this emulator.")
        request = UploadRequest(_new_object(call), ExpectedChecksums(), call.headers.get("origin"))
        session = await asyncio.to_thread(self._uploads.start, request)
        location = f"{call.base}{call.raw_path.decode('ascii')}?upload_id={session.upload_id}"
        return Response(None, 201, {"Location": location, "X-GUploader-UploadID": session.upload_id})

    async def _cors(self, call: Call) -> dict[str, str]:
        if "origin" not in call.headers:
            return {}
        preflight = call.request.method == "OPTIONS"
        try:
            if "upload_id" in call.query:
                origin = await self._sessions.origin(call.query["upload_id"])
                return session_headers(origin, call.headers, preflight=preflight)
            bucket = await asyncio.to_thread(self._buckets.get, call.bucket, Preconditions())
        except StorageError:
            return {}
        return rule_headers(parse_rules(bucket.config.get("cors")), call.headers, call.request.method)


def _new_object(call: Call) -> NewObject:
    resource: dict[str, object] = {
        member: call.headers[header] for header, member in _ATTRIBUTES.items() if header in call.headers
    }
    metadata = {name[len(_META) :]: text for name, text in call.headers.items() if name.startswith(_META)}
    if metadata:
        resource["metadata"] = metadata
    attributes = ObjectAttributes.parse(resource)
    return NewObject(call.bucket, call.name, attributes, Preconditions.from_headers(call.headers))


def _limits(header: str | None) -> SizeLimits | None:
    if header is None:
        return None
    least, comma, most = header.partition(",")
    if not comma:
        raise invalid(f"Malformed {_LENGTH_RANGE}: '{header}'")
    return SizeLimits(whole_number(least.strip(), _LENGTH_RANGE) or 0, whole_number(most.strip(), _LENGTH_RANGE) or 0)


def _uploaded(stored: StoredObject) -> Response:
    body = stored.body
    headers = {
        "ETag": f'"{etag(stored.generation, stored.metageneration)}"',
        "X-Goog-Hash": f"crc32c={body.crc32c},md5={body.md5}",
        "X-Goog-Generation": str(stored.generation),
        "X-Goog-Metageneration": str(stored.metageneration),
        "X-Goog-Stored-Content-Length": str(body.size),
    }
    return Response(None, 200, headers)
