"""``python -m localcloud.traces``: the command line becomes a running trace receiver; exit code 2: it cannot start."""

import argparse
import sqlite3
import sys
from pathlib import Path

import uvicorn

from localcloud.ports import LOOPBACK, holder, is_free
from localcloud.traces.server import TraceServer
from localcloud.traces.store import TraceStore

_CANNOT_START = 2


def main() -> int:
    """Receives until told to stop; the exit code."""
    arguments = _parse()
    if not is_free(arguments.port):
        taken_by = holder(arguments.port) or "another process"
        sys.stderr.write(f"localcloud.traces cannot start: port {arguments.port} is taken by {taken_by}\n")
        return _CANNOT_START
    try:
        store = TraceStore(arguments.data_dir / "traces.sqlite3")
    except (OSError, sqlite3.Error) as unusable:
        sys.stderr.write(f"localcloud.traces cannot start: {arguments.data_dir} is not usable: {unusable}\n")
        return _CANNOT_START
    uvicorn.run(
        TraceServer(store),
        host=LOOPBACK,
        port=arguments.port,
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
    )
    store.close()
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="localcloud.traces", description="Keeps recent traces and draws them.")
    parser.add_argument("--data-dir", type=Path, required=True, help="where traces are kept")
    parser.add_argument("--port", type=int, required=True, help="OTLP/HTTP and pages on 127.0.0.1")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
