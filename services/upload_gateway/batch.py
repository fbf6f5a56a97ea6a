"""Turns one wish about many uploads into one result for each: some may succeed while others cannot."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from contracts.identifiers import UPLOAD_ID_PATTERN
from hosting.answers import ApiError, not_found
from identity.principal import Principal
from upload_gateway import changes
from upload_gateway.quota import charged_for
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


async def carry_out(
    resources: Resources, caller: Principal, action: Action, upload_ids: Sequence[str]
) -> list[ItemDone]:
    """One after the other, in their order. An outage is the answer of the items it struck, not of the whole."""
    return [ItemDone(upload_id, await _one(resources, caller, action, upload_id)) for upload_id in upload_ids]


async def _one(resources: Resources, caller: Principal, action: Action, upload_id: str) -> ApiError | None:
    try:
        if not _COULD_BE.fullmatch(upload_id):
            raise not_found("upload")
        await _ACTIONS[action](resources, caller, upload_id)
    except ApiError as error:
        return error
    except ConnectionError:
        return ApiError(503, "unavailable", "A part of the system is away for the moment. Try again shortly.")
    return None


async def _delete(resources: Resources, caller: Principal, upload_id: str) -> object:
    return await changes.delete_upload(resources, caller.user_id, upload_id, datetime.now(UTC), purge=False)


async def _retry(resources: Resources, caller: Principal, upload_id: str) -> object:
    return await changes.retry_upload(resources, caller.user_id, upload_id, charged_for(caller))


async def _restore(resources: Resources, caller: Principal, upload_id: str) -> object:
    return await changes.restore_upload(resources, caller.user_id, upload_id, charged_for(caller))


_ACTIONS: Mapping[Action, Callable[[Resources, Principal, str], Awaitable[object]]] = {
    Action.DELETE: _delete,
    Action.RETRY: _retry,
    Action.RESTORE: _restore,
}
