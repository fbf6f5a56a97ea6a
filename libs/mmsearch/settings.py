"""The environment and a data directory's env file into the address and API key to use."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from mmsearch.errors import NotConfiguredError

DEFAULT_DATA_DIR = Path(".mmsearch")
URL, API_KEY, DATA_DIR = "MMSEARCH_URL", "MMSEARCH_API_KEY", "MMSEARCH_DATA_DIR"


@dataclass(frozen=True)
class Connection:
    """Where the API is and who asks."""

    url: str
    api_key: str


def data_dir() -> Path:
    """``MMSEARCH_DATA_DIR``, else ``.mmsearch`` below the working directory."""
    return Path(os.environ.get(DATA_DIR) or DEFAULT_DATA_DIR)


def connection(directory: Path | None = None) -> Connection:
    """To the system running in ``directory`` when given; else from the environment, else to the one in
    :func:`data_dir`. Raises :class:`NotConfiguredError` when nothing says where to go.
    """
    given = {} if directory else {name: os.environ[name] for name in (URL, API_KEY) if os.environ.get(name)}
    looked_in = directory or data_dir()
    known = {**exported(looked_in / "env"), **given}
    if not known.get(URL) or not known.get(API_KEY):
        raise NotConfiguredError(
            f"No running system was found in {looked_in}. Start one with “mmsearch up”, name its folder with "
            f"--data-dir, or set {URL} and {API_KEY}."
        )
    return _checked(Connection(known[URL], known[API_KEY]))


def names_another_system() -> bool:
    """True where the environment names a system that is not the one in :func:`data_dir`."""
    url = os.environ.get(URL)
    return bool(url) and url != exported(data_dir() / "env").get(URL)


def _checked(found: Connection) -> Connection:
    if not found.url.startswith(("http://", "https://")):
        raise NotConfiguredError(f"{URL} must begin with http:// or https://; it is “{found.url}”.")
    if not (found.api_key.isascii() and found.api_key.isprintable()):
        raise NotConfiguredError(f"{API_KEY} holds characters that no key has; copy it again.")
    return found


def state_dir() -> Path:
    """Where unfinished uploads are remembered between runs: ``XDG_STATE_HOME``, else ``~/.local/state``."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "mmsearch" / "uploads"


def exported(path: Path) -> dict[str, str]:
    """The variables of ``export NAME=value`` lines."""
    try:
        words = shlex.split(path.read_text(), comments=True)
    except OSError:
        return {}
    pairs = [word.partition("=") for word in words if "=" in word]
    return {name: value for name, _, value in pairs}
