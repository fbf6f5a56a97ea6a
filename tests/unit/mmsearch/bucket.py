"""A resumable session of a bucket on a local port that can break off, be busy or forget."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.wire_server import Reply, Request, WireServer

UNIT = 256 * 1024


@dataclass
class Bucket:
    """``received`` is the object so far. Each of ``troubles`` befalls one request: ``cut``, ``lost`` or a status."""

    url: str = ""
    received: bytearray = field(default_factory=bytearray)
    whole: bool = False
    troubles: list[str | int] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def put(self, request: Request) -> Reply | None:
        """What one request is answered with; troubles befall only those that bring bytes."""
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        wanted, length = request.headers["content-range"], request.left
        self.ranges.append(wanted)
        trouble = self.troubles.pop(0) if self.troubles and length else None
        if trouble == "cut":
            self._keep(request.read(length // 2), wanted)
            return None
        body = request.body
        if isinstance(trouble, int):
            return self._answer(trouble)
        self._keep(body, wanted)
        if trouble == "lost":  # the bytes arrived, the answer did not
            return None
        self.whole = len(self.received) == int(wanted.rpartition("/")[2])
        return self._answer(200 if self.whole else 308)

    def _keep(self, body: bytes, wanted: str) -> None:
        found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", wanted)
        if found and int(found[1]) == len(self.received):
            last = len(self.received) + len(body) == int(found[3])
            self.received += body if last else body[: len(body) // UNIT * UNIT]

    def _answer(self, status: int) -> Reply:
        kept = status == 308 and self.received
        return Reply(status, headers={"range": f"bytes=0-{len(self.received) - 1}"} if kept else {})


@contextmanager
def bucket_session() -> Iterator[Bucket]:
    bucket = Bucket()
    with WireServer(bucket.put) as server:
        bucket.url = f"{server.url}/session?upload_id=secret"
        yield bucket
