"""The caller: profile, figures and API keys."""

import secrets
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, StringConstraints
from sqlalchemy.ext.asyncio import AsyncSession

from hosting.answers import Answer, ApiError, not_found
from hosting.app import API_ROOT
from identity.api_keys import hash_api_key, new_api_key
from identity.principal import Caller
from upload_gateway import preferences, quota
from upload_gateway.announcing import announce_user
from upload_gateway.preferences import Preferences
from upload_gateway.quota import QuotaShown
from upload_gateway.resources import Gateway
from upload_gateway.routes.errors import refusals
from upload_gateway.store import figures, profiles, users

router = APIRouter(prefix=API_ROOT, tags=["user"])

MAX_KEYS = 50
"""As many as user.changed.v1 carries."""


class Profile(BaseModel):
    """The caller."""

    user_id: str
    email: str | None
    display_name: str | None
    tier: str
    status: str
    operator: bool
    created_at: datetime


class ProfileChange(BaseModel):
    """What users may change of themselves."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"display_name": "Ada"}]})

    display_name: (
        Annotated[
            str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]+$")
        ]
        | None
    )


class Stats(BaseModel):
    """The caller's uploads in figures; deleted ones do not count. Quota is today's."""

    total_uploads: int
    uploads_by_type: dict[str, int]
    uploads_by_status: dict[str, int]
    total_storage_bytes: int
    average_processing_time_ms: int | None
    tokens: int
    cost_usd: float
    quota: QuotaShown


class KeyWish(BaseModel):
    """A name to tell keys apart by."""

    name: Annotated[
        str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True, pattern=r"^[^\x00-\x1f]+$")
    ]


class KeyShown(BaseModel):
    """An API key as its owner sees it afterwards."""

    key_id: str
    name: str
    created_at: datetime
    last_used_at: datetime | None


class NewKey(BaseModel):
    """An API key, shown this once."""

    key_id: str
    name: str
    key: str


@router.get("/users/me", responses=refusals("not_found"))
async def me(caller: Caller, gateway: Gateway) -> Answer[Profile]:
    """Who the credential belongs to."""
    async with gateway.database.transaction(caller.user_id) as session:
        return Answer(data=await _profile(session, caller.user_id))


@router.put("/users/me", responses=refusals("invalid_request"))
async def change_me(change: ProfileChange, caller: Caller, gateway: Gateway) -> Answer[Profile]:
    """Sets or, with null, clears the name shown."""
    async with gateway.database.transaction(caller.user_id) as session:
        await profiles.set_display_name(session, caller.user_id, change.display_name)
        return Answer(data=await _profile(session, caller.user_id))


@router.get("/users/me/preferences", responses=refusals())
async def read_preferences(caller: Caller, gateway: Gateway) -> Answer[Preferences]:
    """What the caller chose; defaults for the rest."""
    async with gateway.database.transaction(caller.user_id) as session:
        chosen = await profiles.find(session, caller.user_id)
    return Answer(data=preferences.read(chosen.preferences))


@router.put("/users/me/preferences", responses=refusals("invalid_request"))
async def write_preferences(chosen: Preferences, caller: Caller, gateway: Gateway) -> Answer[Preferences]:
    """Replaces them all; what is left out goes back to its default."""
    async with gateway.database.transaction(caller.user_id) as session:
        await profiles.set_preferences(session, caller.user_id, chosen.model_dump(mode="json"))
    return Answer(data=chosen)


@router.get("/stats/me", responses=refusals())
async def stats(caller: Caller, gateway: Gateway) -> Answer[Stats]:
    """The caller's uploads in figures."""
    limit = gateway.quotas.of(caller.tier)
    async with gateway.database.transaction(caller.user_id) as session:
        found = await figures.totals(session, caller.user_id)
        used = await quota.today(session, caller.user_id, limit, datetime.now(UTC))
    return Answer(data=Stats(**vars(found), quota=used))


async def _profile(session: AsyncSession, user_id: str) -> Profile:
    user = await users.find_user(session, user_id)
    if user is None:
        raise not_found("user")
    chosen = await profiles.find(session, user_id)
    return Profile(
        user_id=user.user_id,
        email=user.email,
        display_name=chosen.display_name,
        tier=user.tier,
        status=user.status,
        operator=user.operator,
        created_at=user.created_at,
    )


@router.get("/users/me/api-keys", responses=refusals())
async def list_api_keys(caller: Caller, gateway: Gateway) -> Answer[list[KeyShown]]:
    """The caller's keys, without what they were made from."""
    async with gateway.database.transaction() as session:
        keys = await users.list_keys(session, caller.user_id)
    return Answer(data=[KeyShown(**vars(key)) for key in keys])


@router.post("/users/me/api-keys", status_code=201, responses=refusals("too_many_keys", "invalid_request"))
async def create_api_key(wish: KeyWish, caller: Caller, gateway: Gateway) -> Answer[NewKey]:
    """A new key; only its hash is kept."""
    key, key_id = new_api_key(), "key_" + secrets.token_hex(10)
    async with gateway.database.transaction() as session:
        await users.lock_user(session, caller.user_id)
        if len(await users.list_keys(session, caller.user_id)) >= MAX_KEYS:
            raise ApiError(409, "too_many_keys", f"At most {MAX_KEYS} keys; delete one first.")
        await users.add_key(session, key_id, caller.user_id, hash_api_key(key), wish.name)
        await announce_user(session, caller.user_id)
    gateway.announced()
    return Answer(data=NewKey(key_id=key_id, name=wish.name, key=key))


@router.delete("/users/me/api-keys/{key_id}", responses=refusals("not_found"))
async def delete_api_key(
    key_id: Annotated[str, StringConstraints(max_length=64)], caller: Caller, gateway: Gateway
) -> Answer[None]:
    """The key stops working: here at once, everywhere within seconds."""
    if not key_id.isalnum() and not key_id.removeprefix("key_").isalnum():
        raise not_found("API key")
    async with gateway.database.transaction() as session:
        await users.lock_user(session, caller.user_id)
        sha256 = await users.remove_key(session, caller.user_id, key_id)
        if sha256 is None:
            raise not_found("API key")
        await announce_user(session, caller.user_id)
    gateway.authenticator.forget(sha256)
    gateway.announced()
    return Answer(data=None)
