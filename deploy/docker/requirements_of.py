"""``requirements_of.py SERVICE``: the part of ``requirements.lock`` that one service's image installs, hashes included.

Reads pyproject.toml for what the service asks for and the lock's own "via" comments for what follows; needs no network.
"""

import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "mmsearch"
SERVICES = ("upload-gateway", "media-processor", "analyzer", "embedder", "search")

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^ ;\\]+)")
_NAME = re.compile(r"^[A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Pin:
    """One version of one distribution in the lock: its lines as they stand, and who asked for it."""

    name: str
    version: str
    lines: tuple[str, ...]
    via: tuple[str, ...]


def normal(name: str) -> str:
    """A distribution's name as comparisons want it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lock: str) -> tuple[Pin, ...]:
    """Every pin of a lock file; a distribution may have two, for different Pythons."""
    blocks: list[list[str]] = []
    for line in lock.splitlines():
        if _PIN.match(line):
            blocks.append([line])
        elif line.strip() and blocks:
            blocks[-1].append(line)
    return tuple(_pin(block) for block in blocks)


def asked_for(pyproject: Mapping[str, object], service: str) -> frozenset[str]:
    """What every service needs, and the service's own extra; names only."""
    project = pyproject["project"]
    assert isinstance(project, dict)
    wanted = [*project["dependencies"], *project["optional-dependencies"][service]]
    return frozenset(normal(match.group()) for spec in wanted if (match := _NAME.match(spec)))


def needed(locked: Iterable[Pin], wanted: frozenset[str]) -> tuple[Pin, ...]:
    """The wanted pins and all that they bring along; raises ``LookupError`` for what the lock does not have."""
    by_name: dict[str, list[Pin]] = defaultdict(list)
    brought_by: dict[str, set[str]] = defaultdict(set)
    for pin in locked:
        by_name[pin.name].append(pin)
        for parent in pin.via:
            brought_by[parent].add(pin.name)
    missing = sorted(wanted - by_name.keys())
    if missing:
        raise LookupError(f"requirements.lock has no {', '.join(missing)}: run make lock")
    reached: set[str] = set()
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += brought_by[name]
    return tuple(pin for name in sorted(reached) for pin in by_name[name])


def requirements_of(service: str) -> tuple[Pin, ...]:
    """The pins of one service's image."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return needed(pins((ROOT / "requirements.lock").read_text()), asked_for(pyproject, service))


def rendered(chosen: Iterable[Pin]) -> str:
    """Pins as a requirements file for ``--require-hashes``."""
    return "".join(f"{line}\n" for pin in chosen for line in pin.lines if not line.lstrip().startswith("#"))


def _pin(block: list[str]) -> Pin:
    match = _PIN.match(block[0])
    assert match
    comments = [line.strip().lstrip("#").strip() for line in block if line.lstrip().startswith("#")]
    parents = [comment.removeprefix("via").strip() for comment in comments]
    via = tuple(normal(parent.split()[0]) for parent in parents if parent)
    return Pin(normal(match["name"]), match["version"], tuple(block), tuple(v for v in via if v != PROJECT))


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in SERVICES:
        sys.exit(f"usage: requirements_of.py {{{','.join(SERVICES)}}}")
    sys.stdout.write(rendered(requirements_of(sys.argv[1])))
