"""Turns one wish about many uploads into one result for each: some may succeed while others cannot."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from contracts.identifiers import UPLOAD_ID_PATTERN
from hosting.answers import ApiError, not_found
from upload_gateway import changes
from upload_gateway.resources import Resources

_COULD_BE = re.compile(UPLOAD_ID_PATTERN)


class Action(StrEnum):
    """What is done to every upload of a batch."""

    DELETE = "delete"
    RETRY = "retry"
    RESTORE = "restore"


@dataclass(frozen=True)
class ItemDone:
    """What became of one upload; ``error`` is None when it succeeded."""

    upload_id: str
    error: ApiError | None


async def carry_out(resources: Resources, user_id: str, action: Action, upload_ids: Sequence[str]) -> list[ItemDone]:
    """One after the other, in their order. An outage is the answer of the items it struck, not of the whole."""
    return [ItemDone(upload_id, await _one(resources, user_id, action, upload_id)) for upload_id in upload_ids]


async def _one(resources: Resources, user_id: str, action: Action, upload_id: str) -> ApiError | None:
    try:
        if not _COULD_BE.fullmatch(upload_id):
            raise not_found("upload")
        await _ACTIONS[action](resources, user_id, upload_id)
    except ApiError as error:
        return error
    except ConnectionError:
        return ApiError(503, "unavailable", "A part of the system is away for the moment. Try again shortly.")
    return None


async def _delete(resources: Resources, user_id: str, upload_id: str) -> object:
    return await changes.delete_upload(resources, user_id, upload_id, datetime.now(UTC), purge=False)


_ACTIONS: Mapping[Action, Callable[[Resources, str, str], Awaitable[object]]] = {
    Action.DELETE: _delete,
    Action.RETRY: changes.retry_upload,
    Action.RESTORE: changes.restore_upload,
}
