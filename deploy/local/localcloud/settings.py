"""The environment of whoever starts the system, into what its processes inherit and how it talks to a terminal."""

import os
import sys
from collections.abc import Collection


def inherited(without: Collection[str]) -> dict[str, str]:
    """The caller's environment minus the names the system sets itself: keys, proxies and OTLP settings pass through.

    A setting meant for the cloud (say ``DATABASE_URL``) must not leak into a local process that gets none.
    """
    return {name: value for name, value in os.environ.items() if name not in without}


def traces_elsewhere() -> bool:
    """True when the caller says where spans go; nowhere, if the address is empty."""
    return "OTEL_EXPORTER_OTLP_ENDPOINT" in os.environ


def runtime_dir() -> str | None:
    """The user's own short-lived directory, where the desktop or login gave one."""
    return os.environ.get("XDG_RUNTIME_DIR")


def coloured() -> bool:
    """True when log lines go to a terminal that wants colours."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")
