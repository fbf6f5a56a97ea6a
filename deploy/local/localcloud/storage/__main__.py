"""The process: settings into open ports, a recovered data directory and a running service, until SIGTERM."""

import asyncio
import json
import logging
import sys

from localcloud.storage.server import PortTakenError, bind, serve
from localcloud.storage.settings import read_settings
from localcloud.storage.system import DirectoryTakenError, StorageSystem


def main() -> int:
    """0 after a clean stop, 2 when a port or the data directory is taken."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    settings = read_settings()
    try:
        plain = bind(settings.port)
        tls = None if settings.tls_port is None else bind(settings.tls_port)
        port = int(plain.getsockname()[1])
        system = StorageSystem(settings, port)
    except (PortTakenError, DirectoryTakenError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    ready = {"ready": True, "port": port, "tls_port": tls and tls.getsockname()[1]}
    try:
        asyncio.run(serve(system, plain, tls, lambda: _say(json.dumps(ready))))
    finally:
        system.close()
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


sys.exit(main())
