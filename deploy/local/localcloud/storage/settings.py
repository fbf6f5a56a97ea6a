"""Command line and environment into the settings of the process."""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Where the data lies, which loopback ports to take, and which broker hears of changes."""

    data_dir: Path
    port: int
    tls_port: int | None
    public_url: str | None
    broker: str | None


def read_settings() -> Settings:
    """Of ``sys.argv``; exits with usage on a mistake. PUBSUB_EMULATOR_HOST names the broker."""
    parser = argparse.ArgumentParser(prog="python -m localcloud.storage", description="Cloud Storage, locally.")
    parser.add_argument("--data-dir", type=Path, required=True, help="everything is kept in here")
    parser.add_argument("--port", type=int, required=True, help="HTTP port on 127.0.0.1; 0 for any free one")
    parser.add_argument("--tls-port", type=int, help="HTTPS port with a self-signed certificate, for gsutil")
    parser.add_argument("--public-url", help="further address clients use, such as http://localhost:8080")
    options = parser.parse_args()
    public_url = options.public_url.rstrip("/") if options.public_url else None
    broker = os.environ.get("PUBSUB_EMULATOR_HOST") or None
    return Settings(options.data_dir, options.port, options.tls_port, public_url, broker)
