"""Object bytes into the two checksums Google keeps (CRC-32C and MD5, base64), and the comparison with what
a client said they would be."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import google_crc32c

from localcloud.storage.errors import StorageError, invalid


class RunningChecksum:
    """CRC-32C and MD5 of bytes as they pass."""

    def __init__(self) -> None:
        self._crc32c = google_crc32c.Checksum()
        self._md5 = hashlib.md5(usedforsecurity=False)

    def update(self, block: bytes) -> None:
        """Take the next bytes."""
        self._crc32c.update(block)
        self._md5.update(block)

    @property
    def crc32c(self) -> str:
        """Big-endian CRC-32C in base64, as in the JSON resource."""
        return base64.b64encode(self._crc32c.digest()).decode()

    @property
    def md5(self) -> str:
        """MD5 in base64, as in the JSON resource."""
        return base64.b64encode(self._md5.digest()).decode()


@dataclass(frozen=True)
class ExpectedChecksums:
    """What the client says the bytes hash to, base64; None where it said nothing."""

    crc32c: str | None = None
    md5: str | None = None

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> "ExpectedChecksums":
        """Of ``x-goog-hash: crc32c=…,md5=…`` and ``content-md5``."""
        found = dict(part.strip().split("=", 1) for part in headers.get("x-goog-hash", "").split(",") if "=" in part)
        return cls(_digest(found.get("crc32c"), 4), _digest(found.get("md5") or headers.get("content-md5"), 16))

    @classmethod
    def from_resource(cls, crc32c: object, md5: object) -> "ExpectedChecksums":
        """Of the ``crc32c`` and ``md5Hash`` members of an object resource sent by a client."""
        return cls(_digest(crc32c, 4), _digest(md5, 16))

    def over(self, other: "ExpectedChecksums") -> "ExpectedChecksums":
        """These, and the other's where these are silent."""
        return ExpectedChecksums(self.crc32c or other.crc32c, self.md5 or other.md5)

    def verify(self, actual: RunningChecksum) -> None:
        """Raise 400 when one of them differs from what arrived."""
        pairs = (("CRC32C", self.crc32c, actual.crc32c), ("MD5 hash", self.md5, actual.md5))
        for label, said, found in pairs:
            if said is not None and said != found:
                message = f'Provided {label} "{said}" doesn\'t match calculated {label} "{found}".'
                raise StorageError(400, "invalid", message, xml_code="BadDigest")


def _digest(text: object, size: int) -> str | None:
    if text is None:
        return None
    try:
        if isinstance(text, str) and len(base64.b64decode(text, validate=True)) == size:
            return text
    except binascii.Error:
        pass
    raise invalid(f"Not a base64 checksum of {size} bytes: {text!r}")
