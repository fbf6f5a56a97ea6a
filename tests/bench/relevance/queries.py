"""Reads the labelled queries: what is asked, and which files answer it; those of two kinds nothing answers."""

from dataclasses import dataclass
from pathlib import Path

NONSENSE = "nonsense"
FOREIGN = "foreign"
"""Sensible queries about what none of the files is about."""


@dataclass(frozen=True)
class LabelledQuery:
    """``expected`` is empty for what must find nothing."""

    kind: str
    text: str
    expected: tuple[str, ...]


def labelled_queries() -> list[LabelledQuery]:
    """What quality is measured by, in the order of the file."""
    return _read("queries.txt")


def calibration_queries() -> list[LabelledQuery]:
    """More of them, which only the cut-offs are measured by."""
    return _read("calibration.txt")


def _read(name: str) -> list[LabelledQuery]:
    lines = (Path(__file__).parent / name).read_text("utf-8").splitlines()
    return [_query(line) for line in lines if line and not line.startswith("#")]


def _query(line: str) -> LabelledQuery:
    kind, text, *expected = (part.strip() for part in line.split("|"))
    return LabelledQuery(kind, text, tuple(name.strip() for name in expected[0].split(",")) if expected else ())
