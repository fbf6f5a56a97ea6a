"""``python -m localcloud.pubsub``: the command line becomes a running emulator.

Prints one JSON line when it listens; SIGTERM or Ctrl-C stops it; exit code 2 means it could not start.
"""

import argparse
import asyncio
import fcntl
import json
import logging
import signal
import sqlite3
import sys
from pathlib import Path
from typing import IO

from localcloud.pubsub.server import PortTakenError, running

_CANNOT_START = 2
_DISK_FAILED = 1


def main() -> int:
    """Run until told to stop; the exit code."""
    arguments = _parse()
    data_dir: Path = arguments.data_dir.resolve()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with (data_dir / "lock").open("w") as lock:
            _lock(lock)
            return asyncio.run(_serve(data_dir, arguments.port, arguments.jwks_port))
    except PortTakenError as refused:
        return _refuse(str(refused))
    except BlockingIOError:
        return _refuse(f"another Pub/Sub emulator uses the data directory {data_dir}")
    except (OSError, sqlite3.Error) as unusable:
        return _refuse(f"the data directory {data_dir} is not usable: {unusable}")


async def _serve(data_dir: Path, port: int, jwks_port: int | None) -> int:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()

    def end(code: int) -> None:
        if not ended.done():
            ended.set_result(code)

    def fail(failure: BaseException) -> None:
        logging.critical("the disk refused a write, stopping: %s", failure)
        end(_DISK_FAILED)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end, 0)
    async with running(data_dir, port, jwks_port, fail) as ports:
        sys.stdout.write(json.dumps({"ready": True, "port": ports.grpc, "jwks_port": ports.jwks}) + "\n")
        sys.stdout.flush()
        return await ended


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="localcloud.pubsub", description="The embedded Pub/Sub.")
    parser.add_argument("--data-dir", type=Path, required=True, help="where messages are kept")
    parser.add_argument("--port", type=int, required=True, help="gRPC port on 127.0.0.1; 0 picks one")
    parser.add_argument("--jwks-port", type=int, help="HTTP port of /jwks.json and /healthz; 0 picks one")
    return parser.parse_args()


def _lock(file: IO[str]) -> None:
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _refuse(reason: str) -> int:
    sys.stderr.write(f"localcloud.pubsub cannot start: {reason}\n")
    return _CANNOT_START


if __name__ == "__main__":
    sys.exit(main())
