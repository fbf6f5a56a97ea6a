"""``python3 deploy/docker/make_env.py FILE``: fresh secrets for Docker Compose, written once and never overwritten."""

import os
import secrets
import sys
from pathlib import Path

SECRETS = (
    "POSTGRES_PASSWORD",
    "UPLOAD_GATEWAY_DB_PASSWORD",
    "SEARCH_DB_PASSWORD",
    "LOCAL_ISSUER_SECRET",
    "LOCAL_API_KEY",
    "GRAFANA_PASSWORD",
)


def content() -> str:
    """Lines of NAME=value; an API key has the form that the gateway knows."""
    values = {name: secrets.token_hex(32) for name in SECRETS}
    values["LOCAL_API_KEY"] = f"sk_{secrets.token_urlsafe(32)}"
    return "".join(f"{name}={value}\n" for name, value in values.items())


def main() -> int:
    """The command line."""
    path = Path(sys.argv[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        sys.stdout.write(f"{path} is there already and was left as it is\n")
        return 0
    with os.fdopen(descriptor, "w") as file:
        file.write(content())
    sys.stdout.write(f"wrote {path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
