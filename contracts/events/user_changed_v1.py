"""A user or one of their API keys changed; carries the whole state, so that the newest version alone is enough."""

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from contracts.artifacts import Contract, Service
from contracts.envelope import EventData
from contracts.identifiers import UserId


class UserStatus(StrEnum):
    """Whether a user may do anything at all."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class ApiKeyHash(Contract):
    """An API key as everyone but its owner knows it."""

    key_id: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class UserChangedV1(EventData):
    """``version`` grows with every change of the user; an older one is ignored."""

    publishers: ClassVar[tuple[Service, ...]] = (Service.UPLOAD_GATEWAY,)

    user_id: UserId
    version: int = Field(ge=1)
    status: UserStatus
    tier: str = Field(max_length=40)
    operator: bool = False
    api_keys: tuple[ApiKeyHash, ...] = Field(default=(), max_length=50)

    def subject(self) -> str:
        """The user id."""
        return self.user_id
