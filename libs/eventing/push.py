"""The push door: Pub/Sub posts wrapped messages to a route, which answers success for ack and 503 for nack.

Every request must carry a token that Google signed for our push service account and this audience; behind Cloud Run's
own check of the caller it may also be one whose signature Cloud Run has taken off.
"""

import asyncio
import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jwt
from fastapi import APIRouter, Request, Response
from jwt.types import Options
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from eventing.delivery import Ack, Delivery, Nack, Settlement
from eventing.runtime import Runtime
from hosting.answers import ApiError
from hosting.settings import ServiceSettings

_ALGORITHMS = ["RS256"]
_REMOVED_SIGNATURE = "SIGNATURE_REMOVED_BY_GOOGLE"
"""What Cloud Run puts in the place of a signature that it has verified itself."""

_ALL_BUT_THE_SIGNATURE: Options = {
    "verify_signature": False,
    "verify_exp": True,
    "verify_iat": True,
    "verify_aud": True,
    "verify_iss": True,
    "verify_nbf": True,
}
_MAX_BODY_BYTES = 16 * 1024 * 1024
"""A message has at most 10 MB, a third more as base64, and its attributes."""


@dataclass(frozen=True)
class PushIdentity:
    """Who may post: issuer and key set of the tokens, the audience they are for, the account they speak as."""

    audience: str
    service_account: str
    issuer: str = "https://accounts.google.com"
    jwks_url: str = "https://www.googleapis.com/oauth2/v3/certs"
    platform_verified: bool = False
    """Cloud Run lets nobody through without ``roles/run.invoker``: a token without signature was verified there."""


def push_identity(settings: ServiceSettings) -> PushIdentity | None:
    """The identity to demand, or None where messages are pulled.

    Raises ``ValueError`` for settings under which anybody could post.
    """
    if not settings.push_audience:
        return None
    if not settings.push_service_account:
        raise ValueError("PUSH_AUDIENCE needs PUSH_SERVICE_ACCOUNT: whose tokens are to be believed?")
    platform_verified = settings.push_auth == "cloud_run_iam"
    if platform_verified and settings.service_ingress == "public":
        raise ValueError(
            "PUSH_AUTH=cloud_run_iam believes tokens without a signature; a service the public can call must not. "
            "Use PUSH_AUTH=jwt, or close the service and say SERVICE_INGRESS=internal"
        )
    return PushIdentity(settings.push_audience, settings.push_service_account, platform_verified=platform_verified)


class PushMessage(BaseModel):
    """``message`` of the wrapped body."""

    model_config = ConfigDict(extra="ignore")

    data: str = ""
    attributes: dict[str, str] = Field(default_factory=dict)
    message_id: str = Field(alias="messageId")
    publish_time: datetime = Field(alias="publishTime")


class PushBody(BaseModel):
    """The wrapped body of a push request."""

    model_config = ConfigDict(extra="ignore")

    message: PushMessage
    subscription: str
    delivery_attempt: int | None = Field(default=None, alias="deliveryAttempt")


class PushVerifier:
    """Checks signature, issuer, audience, expiry and account of a push token; keys are fetched once and cached."""

    def __init__(self, identity: PushIdentity) -> None:
        self._identity = identity
        self._keys = jwt.PyJWKClient(identity.jwks_url, cache_keys=True, lifespan=3600, timeout=5)

    async def verify(self, authorization: str | None) -> None:
        """Raises ``ApiError`` 401 for anything but a valid token of the push account."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unauthenticated("a bearer token is missing")
        try:
            claims = await self._claims(token)
        except jwt.PyJWTError as error:
            raise _unauthenticated(type(error).__name__) from error
        if claims.get("email") != self._identity.service_account or claims.get("email_verified") is not True:
            raise _unauthenticated("not the push account")

    async def _claims(self, token: str) -> dict[str, Any]:
        options: Options = {"require": ["exp", "iat", "aud", "iss"]}
        key: Any = ""
        if self._identity.platform_verified and token.rpartition(".")[2] == _REMOVED_SIGNATURE:
            # Turning the signature's check off would turn every other check off with it.
            options |= _ALL_BUT_THE_SIGNATURE
        else:
            key = (await asyncio.to_thread(self._keys.get_signing_key_from_jwt, token)).key
        return jwt.decode(
            token,
            key,
            algorithms=_ALGORITHMS,
            audience=self._identity.audience,
            issuer=self._identity.issuer,
            options=options,
        )


def push_router(runtimes: Sequence[Runtime], verifier: PushVerifier) -> APIRouter:
    """``POST /events/{subscription}`` for each runtime's subscription."""
    router = APIRouter(include_in_schema=False)
    by_name = {runtime.subscription.name: runtime for runtime in runtimes}

    @router.post("/events/{subscription}", max_body_size=_MAX_BODY_BYTES)
    async def receive(subscription: str, request: Request) -> Response:
        await verifier.verify(request.headers.get("authorization"))
        runtime = by_name.get(subscription)
        if runtime is None:
            raise ApiError(404, "not_found", f"{subscription} is not consumed here.")
        settlement = await runtime.process(_delivery(_wrapped(await request.body())))
        return _response(settlement)

    _ = receive
    return router


def _wrapped(raw: bytes) -> PushBody:
    try:
        return PushBody.model_validate_json(raw)
    except ValidationError as error:
        raise ApiError(400, "bad_request", "Not a wrapped Pub/Sub message.") from error


def _delivery(body: PushBody) -> Delivery:
    try:
        data = base64.b64decode(body.message.data, validate=True)
    except binascii.Error as error:
        raise ApiError(400, "bad_request", "The data of the message is not base64.") from error
    message = body.message
    return Delivery(message.message_id, data, message.attributes, message.publish_time, body.delivery_attempt)


def _response(settlement: Settlement) -> Response:
    match settlement:
        case Ack():
            return Response(status_code=204)
        case Nack(delay_s):
            return Response(status_code=503, headers={"Retry-After": str(round(delay_s))})


def _unauthenticated(reason: str) -> ApiError:
    return ApiError(401, "unauthenticated", f"Push request refused: {reason}.")
