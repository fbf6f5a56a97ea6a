"""Turns a user and a file name into the ids and object names of an upload, and object names back into ids.

An upload id is bound to its owner and file name by a check part, so copying an object under another name or
another user's prefix makes a new upload instead of colliding with the first one.
"""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Annotated

from pydantic import StringConstraints

USER_ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$"
UPLOAD_ID_PATTERN = r"^upl_[a-z2-7]{26}$"

UserId = Annotated[str, StringConstraints(pattern=USER_ID_PATTERN)]
UploadId = Annotated[str, StringConstraints(pattern=UPLOAD_ID_PATTERN)]

UNKNOWN_OWNER = "unknown"
"""Stands where an object's owner cannot be told; no user can have it as an id."""

_NONCE_LENGTH = 16
_CHECK_LENGTH = 10


@dataclass(frozen=True)
class ObjectOwnership:
    """Who an object in the uploads bucket belongs to and which upload it is a version of."""

    user_id: str
    upload_id: str
    filename: str


def new_upload_id(user_id: str, filename: str) -> str:
    """A fresh upload id for a file the gateway is about to store as ``{user_id}/{upload_id}/{filename}``."""
    nonce = _base32(secrets.token_bytes(10))[:_NONCE_LENGTH]
    return _with_check(nonce, user_id, filename)


def object_name(user_id: str, upload_id: str, filename: str) -> str:
    """The name of the gateway's object; ``filename`` may hold any characters except ``/``."""
    return f"{user_id}/{upload_id}/{filename}"


def ownership(bucket: str, name: str) -> ObjectOwnership:
    """Reads owner, upload id and file name off an object name; ``UNKNOWN_OWNER`` where no owner can be told."""
    parts = name.split("/")
    filename = parts[-1]
    owner = parts[0] if len(parts) > 1 and is_user_id(parts[0]) else UNKNOWN_OWNER
    if len(parts) == 3 and _is_bound(parts[1], owner, filename):
        return ObjectOwnership(owner, parts[1], filename)
    return ObjectOwnership(owner, _derived_upload_id(bucket, name), filename)


def is_folders_placeholder(name: str, size_bytes: int) -> bool:
    """True for what storage consoles write where someone makes a folder: no file, and so no upload."""
    return size_bytes == 0 and name.endswith("/")


def is_user_id(text: str) -> bool:
    """True for a well-formed user id that is not reserved."""
    return text != UNKNOWN_OWNER and re.fullmatch(USER_ID_PATTERN, text) is not None


def job_id_for(upload_id: str) -> str:
    """The id under which an upload's processing is asked for; one job per upload."""
    return "job_" + upload_id.removeprefix("upl_")


def upload_id_for_job(job_id: str) -> str:
    """The inverse of :func:`job_id_for`; an upload id is passed through."""
    return "upl_" + job_id.removeprefix("job_") if job_id.startswith("job_") else job_id


def _derived_upload_id(bucket: str, name: str) -> str:
    return "upl_" + _base32(hashlib.sha256(f"{bucket}/{name}".encode()).digest())[:26]


def _is_bound(upload_id: str, user_id: str, filename: str) -> bool:
    if not re.fullmatch(UPLOAD_ID_PATTERN, upload_id):
        return False
    return upload_id == _with_check(upload_id[4 : 4 + _NONCE_LENGTH], user_id, filename)


def _with_check(nonce: str, user_id: str, filename: str) -> str:
    digest = hashlib.sha256("\x00".join((nonce, user_id, filename)).encode()).digest()
    return f"upl_{nonce}{_base32(digest)[:_CHECK_LENGTH]}"


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode().lower().rstrip("=")
