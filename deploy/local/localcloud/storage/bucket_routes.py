"""The JSON API's buckets, notification configurations and the project's service account: requests in,
resources out."""

import asyncio
from typing import Any

from pydantic import ValidationError
from starlette.responses import Response

from localcloud.storage.bucket_store import BucketStore
from localcloud.storage.cors import parse_rules
from localcloud.storage.errors import StorageError, invalid
from localcloud.storage.model import NotificationConfig, first_reason
from localcloud.storage.names import check_bucket_name
from localcloud.storage.preconditions import whole_number
from localcloud.storage.routing import Call, Route

_MAX_PAGE = 1000
_BUCKET = "/storage/v1/b/{bucket}"
_NOTIFICATIONS = "/storage/v1/b/{bucket}/notificationConfigs"
# Members the service sets; what a client sends for them is ignored.
_OUTPUT_ONLY = frozenset(
    {"kind", "id", "name", "projectNumber", "selfLink", "metageneration", "etag", "timeCreated", "updated"}
    | {"locationType", "acl", "defaultObjectAcl", "owner"}
)


class BucketRoutes:
    """Handlers over a `BucketStore`."""

    def __init__(self, buckets: BucketStore) -> None:
        self._buckets = buckets

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            Route("POST", "/storage/v1/b", self.create),
            Route("GET", "/storage/v1/b", self.list),
            Route("GET", _BUCKET, self.get),
            Route("PATCH", _BUCKET, self.patch),
            Route("PUT", _BUCKET, self.update),
            Route("DELETE", _BUCKET, self.delete),
            Route("POST", _NOTIFICATIONS, self.create_notification),
            Route("GET", _NOTIFICATIONS, self.list_notifications),
            Route("GET", _NOTIFICATIONS + "/{number}", self.get_notification),
            Route("DELETE", _NOTIFICATIONS + "/{number}", self.delete_notification),
            Route("GET", "/storage/v1/projects/{project}/serviceAccount", self.service_account),
        ]

    async def create(self, call: Call) -> Response:
        """``buckets.insert``."""
        body = await call.json()
        name = body.get("name")
        if not isinstance(name, str):
            raise StorageError(400, "required", "Required parameter: name")
        check_bucket_name(name)
        project = call.query.get("project", "")
        bucket = await asyncio.to_thread(self._buckets.create, name, project, _config(body))
        return call.reply(call.resources.bucket(bucket))

    async def list(self, call: Call) -> Response:
        """``buckets.list``; the page token is the last name of the page before."""
        query = call.query
        limit = page_limit(query.get("maxResults"))
        found = await asyncio.to_thread(
            self._buckets.page,
            query.get("project", ""),
            query.get("prefix", ""),
            query.get("pageToken", ""),
            limit + 1,
        )
        listing: dict[str, Any] = {
            "kind": "storage#buckets",
            "items": [call.resources.bucket(bucket) for bucket in found[:limit]],
        }
        if len(found) > limit:
            listing["nextPageToken"] = found[limit - 1].name
        return call.reply(listing)

    async def get(self, call: Call) -> Response:
        """``buckets.get``."""
        bucket = await asyncio.to_thread(self._buckets.get, call.bucket, call.conditions)
        return call.reply(call.resources.bucket(bucket))

    async def patch(self, call: Call) -> Response:
        """``buckets.patch``."""
        return await self._change(call, replace=False)

    async def update(self, call: Call) -> Response:
        """``buckets.update``."""
        return await self._change(call, replace=True)

    async def delete(self, call: Call) -> Response:
        """``buckets.delete``."""
        await asyncio.to_thread(self._buckets.delete, call.bucket, call.conditions)
        return Response(status_code=204)

    async def create_notification(self, call: Call) -> Response:
        """``notifications.insert``."""
        try:
            config = NotificationConfig.model_validate(await call.json())
        except ValidationError as error:
            raise invalid(f"Invalid notification configuration: {first_reason(error)}") from None
        number = await asyncio.to_thread(self._buckets.add_notification, call.bucket, config)
        return call.reply(call.resources.notification(call.bucket, number, config))

    async def list_notifications(self, call: Call) -> Response:
        """``notifications.list``."""
        found = await asyncio.to_thread(self._buckets.notifications, call.bucket)
        items = [call.resources.notification(call.bucket, number, config) for number, config in found]
        return call.reply({"kind": "storage#notifications", "items": items})

    async def get_notification(self, call: Call) -> Response:
        """``notifications.get``."""
        number = _number(call)
        for found, config in await asyncio.to_thread(self._buckets.notifications, call.bucket):
            if found == number:
                return call.reply(call.resources.notification(call.bucket, number, config))
        raise _no_notification(number)

    async def delete_notification(self, call: Call) -> Response:
        """``notifications.delete``."""
        number = _number(call)
        if not await asyncio.to_thread(self._buckets.remove_notification, call.bucket, number):
            raise _no_notification(number)
        return Response(status_code=204)

    async def service_account(self, call: Call) -> Response:
        """``projects.serviceAccount.get``: who publishes the notifications."""
        email = f"service-{call.path['project']}@gs-project-accounts.iam.gserviceaccount.com"
        return call.reply({"kind": "storage#serviceAccount", "email_address": email})

    async def _change(self, call: Call, *, replace: bool) -> Response:
        change = _config(await call.json())
        bucket = await asyncio.to_thread(self._buckets.change, call.bucket, change, call.conditions, replace=replace)
        return call.reply(call.resources.bucket(bucket))


def page_limit(text: str | None) -> int:
    """``maxResults``, at most a thousand."""
    limit = whole_number(text, "maxResults")
    return _MAX_PAGE if not limit else min(limit, _MAX_PAGE)


def _config(body: dict[str, Any]) -> dict[str, Any]:
    config = {key: value for key, value in body.items() if key not in _OUTPUT_ONLY}
    parse_rules(config.get("cors"))
    return config


def _number(call: Call) -> int:
    text = call.path["number"]
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise StorageError(404, "notFound", f"No such notification configuration: {text}")
    return int(text)


def _no_notification(number: int) -> StorageError:
    return StorageError(404, "notFound", f"No such notification configuration: {number}")
