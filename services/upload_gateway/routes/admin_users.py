"""Users for operators: suspend and resume; every service hears of it."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, StringConstraints

from contracts.events.user_changed_v1 import UserStatus
from contracts.identifiers import USER_ID_PATTERN
from hosting.answers import Answer, ApiError, not_found
from hosting.app import API_ROOT
from upload_gateway.announcing import announce_user
from upload_gateway.resources import Gateway, Resources
from upload_gateway.routes.admin_access import Operator
from upload_gateway.store import repair, users

router = APIRouter(prefix=API_ROOT, tags=["admin"])

UserId = Annotated[str, StringConstraints(pattern=USER_ID_PATTERN)]


class UserShown(BaseModel):
    """A user as operators see them."""

    user_id: str
    tier: str
    status: Literal["active", "suspended"]
    operator: bool


@router.post("/admin/users/{user_id}/suspend")
async def suspend(user_id: UserId, caller: Operator, gateway: Gateway) -> Answer[UserShown]:
    """From now on every credential of the user answers 403, here at once, everywhere within seconds. Repeatable."""
    if user_id == caller.user_id:
        raise ApiError(409, "yourself", "Operators cannot suspend themselves.")
    return await _set(gateway, caller.user_id, user_id, UserStatus.SUSPENDED)


@router.post("/admin/users/{user_id}/resume")
async def resume(user_id: UserId, caller: Operator, gateway: Gateway) -> Answer[UserShown]:
    """Undoes a suspension. Repeatable."""
    return await _set(gateway, caller.user_id, user_id, UserStatus.ACTIVE)


async def _set(gateway: Resources, actor: str, user_id: str, status: UserStatus) -> Answer[UserShown]:
    async with gateway.database.transaction() as session:
        await users.lock_user(session, user_id)
        if await users.set_status(session, user_id, status):
            await announce_user(session, user_id)
            await repair.journal(session, actor, f"user-{status.value}", [user_id])
        user = await users.find_user(session, user_id)
    if user is None:
        raise not_found("user")
    gateway.authenticator.forget_user(user_id)
    gateway.announced()
    return Answer(
        data=UserShown.model_validate(
            {"user_id": user.user_id, "tier": user.tier, "status": user.status, "operator": user.operator}
        )
    )
