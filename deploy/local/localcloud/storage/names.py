"""Bucket and object names: checks them against Google's rules and turns them into URL path segments,
and a prefix into the first name that sorts after everything below it."""

import re
from urllib.parse import quote, unquote_to_bytes

from localcloud.storage.errors import StorageError, invalid

MAX_OBJECT_NAME_BYTES = 1024
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_FORBIDDEN_PREFIX = ".well-known/acme-challenge/"


def check_bucket_name(name: str) -> str:
    """The name itself, or a 400 `StorageError` where Google would refuse it."""
    labels = name.split(".")
    too_long = len(name) > 63 and "." not in name
    if not _BUCKET.fullmatch(name) or too_long or any(not 1 <= len(label) <= 63 for label in labels):
        raise invalid(f"Invalid bucket name: '{name}'")
    return name


def check_object_name(name: str) -> str:
    """The name itself, or a 400 `StorageError`: 1 to 1024 bytes of UTF-8, no line ends, not a dot segment."""
    if not name:
        raise StorageError(400, "required", "Required parameter: name")
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise invalid("The object name is not valid Unicode.") from None
    if size > MAX_OBJECT_NAME_BYTES:
        raise invalid(f"The maximum object length is {MAX_OBJECT_NAME_BYTES} bytes, but got a name of {size} bytes.")
    if "\r" in name or "\n" in name or name in (".", "..") or name.startswith(_FORBIDDEN_PREFIX):
        raise invalid("Disallowed unicode characters present in object name, or a reserved name.")
    return name


def decode_segment(raw: bytes) -> str:
    """One percent-encoded path part as text; 400 when it is not UTF-8."""
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise invalid("The request path is not valid UTF-8.") from None


def segment(name: str) -> str:
    """The name as one path segment of the JSON API: every reserved character encoded, ``/`` too."""
    return quote(name, safe="~")


def after_prefix(prefix: str) -> str | None:
    """The smallest text greater than everything starting with `prefix`; None when there is none."""
    for end in range(len(prefix), 0, -1):
        code = ord(prefix[end - 1])
        if code < 0x10FFFF:
            # Surrogates are no characters: the code point after U+D7FF is U+E000.
            return prefix[: end - 1] + chr(0xE000 if code == 0xD7FF else code + 1)
    return None
