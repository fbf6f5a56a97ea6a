"""Turns the name a client gave a file into one that is safe to show and to store, or says what is wrong with it."""

import unicodedata

MAX_CHARACTERS = 255
MAX_STORED_BYTES = 700
"""Cloud Storage allows 1024 bytes for ``{user_id}/{upload_id}/{filename}``."""

_DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class BadFilenameError(ValueError):
    """The name cannot be used; the message says why."""


def accept(offered: str) -> str:
    """The last component of ``offered`` without direction overrides, in NFC. Raises ``BadFilenameError``."""
    name = unicodedata.normalize("NFC", offered.replace("\\", "/").rsplit("/", 1)[-1])
    if any(_is_control(c) for c in name):
        raise BadFilenameError("The file name contains control characters.")
    name = "".join(c for c in name if c not in _DIRECTION_MARKS).strip()
    if name in ("", ".", ".."):
        raise BadFilenameError("The file has no name.")
    if len(name) > MAX_CHARACTERS:
        raise BadFilenameError(f"The file name has {len(name)} characters; at most {MAX_CHARACTERS} are allowed.")
    return name


def for_storage(name: str) -> str:
    """An accepted name, its stem cut where it would be too long for an object name."""
    if len(name.encode()) <= MAX_STORED_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 16:
        stem, dot, extension = name, "", ""
    room = MAX_STORED_BYTES - len((dot + extension).encode())
    return stem.encode()[:room].decode(errors="ignore") + dot + extension


def for_display(object_name: str) -> str:
    """The last component of any object name, harmless to show and never empty."""
    name = object_name.rstrip("/").rsplit("/", 1)[-1]
    shown = "".join("\ufffd" if _is_control(c) else c for c in name if c not in _DIRECTION_MARKS)
    return shown[:MAX_CHARACTERS] or "(no name)"


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
