"""The caller: profile, figures and API keys."""

import secrets
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, StringConstraints

from hosting.answers import Answer, ApiError, not_found
from hosting.app import API_ROOT
from identity.api_keys import hash_api_key, new_api_key
from identity.principal import Caller
from upload_gateway.announcing import announce_user
from upload_gateway.resources import Gateway
from upload_gateway.store import figures, users
from upload_gateway.store.figures import Totals

router = APIRouter(prefix=API_ROOT, tags=["user"])

MAX_KEYS = 50
"""As many as user.changed.v1 carries."""


class Profile(BaseModel):
    """The caller."""

    user_id: str
    email: str | None
    tier: str
    status: str
    operator: bool
    created_at: datetime


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


@router.get("/users/me")
async def me(caller: Caller, gateway: Gateway) -> Answer[Profile]:
    """Who the credential belongs to."""
    async with gateway.database.transaction() as session:
        user = await users.find_user(session, caller.user_id)
    if user is None:
        raise not_found("user")
    return Answer(
        data=Profile(
            user_id=user.user_id,
            email=user.email,
            tier=user.tier,
            status=user.status,
            operator=user.operator,
            created_at=user.created_at,
        )
    )


@router.get("/stats/me")
async def stats(caller: Caller, gateway: Gateway) -> Answer[Totals]:
    """The caller's uploads in figures."""
    async with gateway.database.transaction(caller.user_id) as session:
        return Answer(data=await figures.totals(session, caller.user_id))


@router.get("/users/me/api-keys")
async def list_api_keys(caller: Caller, gateway: Gateway) -> Answer[list[KeyShown]]:
    """The caller's keys, without what they were made from."""
    async with gateway.database.transaction() as session:
        keys = await users.list_keys(session, caller.user_id)
    return Answer(data=[KeyShown(**vars(key)) for key in keys])


@router.post("/users/me/api-keys", status_code=201)
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


@router.delete("/users/me/api-keys/{key_id}")
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
