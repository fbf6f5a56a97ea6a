"""The JSON API's objects: reading, listing, patching, deleting, composing, copying and moving."""

import asyncio
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from starlette.responses import Response

from localcloud.storage.bucket_routes import page_limit
from localcloud.storage.database import Database
from localcloud.storage.download import DownloadRequest, download
from localcloud.storage.errors import invalid
from localcloud.storage.listing import ListingRequest, list_objects
from localcloud.storage.model import ObjectAttributes, StoredObject, first_reason
from localcloud.storage.names import check_object_name
from localcloud.storage.object_rows import ObjectKey
from localcloud.storage.object_store import NewObject, ObjectStore, Source
from localcloud.storage.preconditions import Preconditions, whole_number
from localcloud.storage.routing import Call, Route

_OBJECTS = "/storage/v1/b/{bucket}/o"
_OBJECT = "/storage/v1/b/{bucket}/o/{object}"
_TARGET = "/b/{target_bucket}/o/{target}"


class _ComposeSource(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore")

    name: str
    generation: int | None = None
    object_preconditions: dict[str, int] = Field(default_factory=dict)


class _ComposeRequest(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore")

    source_objects: list[_ComposeSource]
    destination: dict[str, Any] = Field(default_factory=dict)


class ObjectRoutes:
    """Handlers over an `ObjectStore`."""

    def __init__(self, objects: ObjectStore, database: Database) -> None:
        self._objects = objects
        self._database = database

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            Route("GET", _OBJECTS, self.list),
            Route("GET", _OBJECT, self.get),
            Route("GET", "/download" + _OBJECT, self.media),
            Route("PATCH", _OBJECT, self.patch),
            Route("PUT", _OBJECT, self.update),
            Route("DELETE", _OBJECT, self.delete),
            Route("POST", _OBJECT + "/compose", self.compose),
            Route("POST", _OBJECT + "/rewriteTo" + _TARGET, self.rewrite),
            Route("POST", _OBJECT + "/copyTo" + _TARGET, self.copy),
            Route("POST", _OBJECT + "/moveTo/o/{target}", self.move),
        ]

    async def list(self, call: Call) -> Response:
        """``objects.list``."""
        query = call.query
        request = ListingRequest(
            bucket=call.bucket,
            prefix=query.get("prefix", ""),
            delimiter=query.get("delimiter", ""),
            start=query.get("startOffset", ""),
            end=query.get("endOffset", ""),
            versions=query.get("versions", "").lower() == "true",
            include_trailing_delimiter=query.get("includeTrailingDelimiter", "").lower() == "true",
            limit=page_limit(query.get("maxResults")),
            page_token=query.get("pageToken", ""),
        )
        for name in ("matchGlob", "softDeleted", "filter"):
            if query.get(name, "").lower() not in ("", "false"):
                raise invalid(f"Listing by {name} is not supported by this emulator.")
        page = await asyncio.to_thread(list_objects, self._database, request)
        listing: dict[str, Any] = {"kind": "storage#objects"}
        if page.items:
            listing["items"] = [call.resources.object(stored) for stored in page.items]
        if page.prefixes:
            listing["prefixes"] = page.prefixes
        if page.next_token:
            listing["nextPageToken"] = page.next_token
        return call.reply(listing)

    async def get(self, call: Call) -> Response:
        """``objects.get``, of the resource or with ``alt=media`` of the bytes."""
        if call.query.get("alt") == "media":
            return await self.media(call)
        stored = await asyncio.to_thread(self._objects.get, call.key, call.conditions)
        return _reply(call, stored)

    async def media(self, call: Call) -> Response:
        """``objects.get`` of the bytes."""
        head = call.request.method == "HEAD"
        return await download(self._objects, DownloadRequest(call.key, call.conditions, call.headers, head))

    async def patch(self, call: Call) -> Response:
        """``objects.patch``."""
        return await self._change(call, replace=False)

    async def update(self, call: Call) -> Response:
        """``objects.update``."""
        return await self._change(call, replace=True)

    async def delete(self, call: Call) -> Response:
        """``objects.delete``."""
        await asyncio.to_thread(self._objects.delete, call.key, call.conditions)
        return Response(status_code=204)

    async def compose(self, call: Call) -> Response:
        """``objects.compose``."""
        try:
            request = _ComposeRequest.model_validate(await call.json())
        except ValidationError as error:
            raise invalid(first_reason(error)) from None
        sources = [_source(call.bucket, source) for source in request.source_objects]
        attributes = ObjectAttributes.parse(request.destination)
        new = NewObject(call.bucket, check_object_name(call.name), attributes, call.conditions)
        stored = await asyncio.to_thread(self._objects.compose, sources, new)
        return _reply(call, stored)

    async def rewrite(self, call: Call) -> Response:
        """``objects.rewrite``, always complete at once: no byte is copied."""
        stored = await self._copy(call)
        size = str(stored.body.size)
        result = {"kind": "storage#rewriteResponse", "totalBytesRewritten": size, "objectSize": size, "done": True}
        return call.reply({**result, "resource": call.resources.object(stored)})

    async def copy(self, call: Call) -> Response:
        """``objects.copy``."""
        return _reply(call, await self._copy(call))

    async def move(self, call: Call) -> Response:
        """``objects.move``."""
        source = Source(ObjectKey(call.bucket, call.name), Preconditions.of_source(call.query))
        target = check_object_name(call.path["target"])
        stored = await asyncio.to_thread(self._objects.move, source, target, call.conditions)
        return _reply(call, stored)

    async def _change(self, call: Call, *, replace: bool) -> Response:
        change = await call.json()
        stored = await asyncio.to_thread(self._objects.change, call.key, call.conditions, change, replace=replace)
        return _reply(call, stored)

    async def _copy(self, call: Call) -> StoredObject:
        generation = whole_number(call.query.get("sourceGeneration"), "sourceGeneration")
        source = Source(ObjectKey(call.bucket, call.name, generation), Preconditions.of_source(call.query))
        target = ObjectKey(call.path["target_bucket"], check_object_name(call.path["target"]))
        attributes = _overriding(await call.json())
        return await asyncio.to_thread(self._objects.copy, source, attributes, target, call.conditions)


def _reply(call: Call, stored: StoredObject) -> Response:
    return call.reply(call.resources.object(stored))


def _overriding(resource: dict[str, Any]) -> ObjectAttributes | None:
    """The attributes a copy gets from its request; None, the source's own, when the request names none."""
    attributes = ObjectAttributes.parse(resource)
    return attributes if attributes.model_fields_set else None


def _source(bucket: str, source: _ComposeSource) -> Source:
    conditions = Preconditions(generation_match=source.object_preconditions.get("ifGenerationMatch"))
    return Source(ObjectKey(bucket, source.name, source.generation), conditions)
