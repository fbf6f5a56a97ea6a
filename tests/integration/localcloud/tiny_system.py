"""A system of two tiny programs under the real supervisor: ``python -m tests…tiny_system DIR PORT [MODE]``."""

import sys
from pathlib import Path

from localcloud.data_dir import DataDir
from localcloud.process import Kind, Process, TcpReady
from localcloud.system import System
from localcloud.up import Wish, up

SERVER = """
import http.server, sys
address = ("127.0.0.1", int(sys.argv[1]))
http.server.ThreadingHTTPServer(address, http.server.SimpleHTTPRequestHandler).serve_forever()
"""


class TinySystem(System):
    def processes(self) -> tuple[Process, ...]:
        fails = "import sys; print('the reason why'); sys.exit(2)"
        return (
            Process("setup", (sys.executable, "-c", fails if MODE == "fails" else ""), {}, kind=Kind.JOB),
            Process(
                "web",
                (sys.executable, "-c", SERVER, str(self.public_port)),
                {},
                TcpReady(self.public_port),
                needs=("setup",),
                port=self.public_port,
            ),
        )


MODE = sys.argv[3] if len(sys.argv) > 3 else ""

if __name__ == "__main__":
    sys.exit(up(Wish(DataDir(Path(sys.argv[1])), int(sys.argv[2]), quiet=False), TinySystem))
