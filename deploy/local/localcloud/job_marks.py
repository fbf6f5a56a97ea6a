"""Remembers that a job has done its work, next to what it worked on, so that an unchanged job is not run again.

A mark lies where the effect lies (in the database's own directory): whoever throws that away throws the mark away.
"""

import contextlib
import hashlib
import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mark:
    """``path`` holds the fingerprint of everything the job's last success depended on."""

    path: Path
    fingerprint: str

    def is_set(self) -> bool:
        """True when the job has succeeded with this very fingerprint."""
        try:
            return self.path.read_text() == self.fingerprint
        except OSError:
            return False

    def set(self) -> None:
        """The job has succeeded."""
        # Without the mark the job runs again next time, which does no harm.
        with contextlib.suppress(OSError):
            self.path.write_text(self.fingerprint)


def fingerprint(packages: Iterable[str], *words: str) -> str:
    """A hash of the source files of ``packages`` and of ``words``; packages that are not installed count as empty."""
    digest = hashlib.sha256("\x00".join(words).encode())
    for package in packages:
        spec = importlib.util.find_spec(package)
        for root in (spec.submodule_search_locations or ()) if spec else ():
            for source in sorted(Path(root).rglob("*.py")):
                digest.update(f"\x00{package}/{source.relative_to(root)}\x00".encode())
                digest.update(source.read_bytes())
    return digest.hexdigest()
