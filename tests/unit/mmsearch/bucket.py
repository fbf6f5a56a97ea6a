"""A resumable session of a bucket on a local port that can break off, be busy or forget."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

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


@contextmanager
def bucket_session() -> Iterator[Bucket]:
    bucket = Bucket()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            bucket.headers.append({name.lower(): value for name, value in self.headers.items()})
            wanted = self.headers["Content-Range"]
            bucket.ranges.append(wanted)
            length = int(self.headers.get("Content-Length", 0))
            trouble = bucket.troubles.pop(0) if bucket.troubles and length else None
            if trouble == "cut":
                self._keep(self.rfile.read(length // 2), wanted)
                self.close_connection = True
                return
            body = self.rfile.read(length)
            if isinstance(trouble, int):
                self._answer(trouble)
                return
            self._keep(body, wanted)
            if trouble == "lost":  # the bytes arrived, the answer did not
                self.close_connection = True
                return
            size = int(wanted.rpartition("/")[2])
            bucket.whole = len(bucket.received) == size
            self._answer(200 if bucket.whole else 308)

        def _keep(self, body: bytes, wanted: str) -> None:
            found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", wanted)
            if found and int(found[1]) == len(bucket.received):
                last = len(bucket.received) + len(body) == int(found[3])
                bucket.received += body if last else body[: len(body) // UNIT * UNIT]

        def _answer(self, status: int) -> None:
            self.send_response(status)
            if status == 308 and bucket.received:
                self.send_header("Range", f"bytes=0-{len(bucket.received) - 1}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        bucket.url = f"http://127.0.0.1:{server.server_port}/session?upload_id=secret"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield bucket
        finally:
            server.shutdown()
            thread.join()
