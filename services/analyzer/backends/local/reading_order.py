"""Turns detected stretches of text, each with its corners, into the lines a reader sees, top to bottom."""

from collections.abc import Sequence
from statistics import median

from analyzer.backends.local.ocr_messages import OcrLine

_SAME_LINE = 0.5
_PARAGRAPH = 1.6


def page_text(lines: Sequence[OcrLine]) -> str:
    """Stretches beside each other share a line; a gap of more than about a line's height begins a new paragraph."""
    readable = [line for line in lines if any(c.isalnum() for c in line.text)]
    if not readable:
        return ""
    rows = _rows(readable)
    text = ""
    previous_bottom: float | None = None
    for row in rows:
        if previous_bottom is not None:
            height = median(_height(line) for line in row)
            text += "\n\n" if min(_top(line) for line in row) - previous_bottom > _PARAGRAPH * height else "\n"
        text += " ".join(line.text.strip() for line in sorted(row, key=_left))
        previous_bottom = max(_bottom(line) for line in row)
    return text


def _rows(lines: Sequence[OcrLine]) -> list[list[OcrLine]]:
    rows: list[list[OcrLine]] = []
    for line in sorted(lines, key=_middle):
        if rows and _middle(line) - _middle(rows[-1][0]) < _SAME_LINE * min(_height(line), _height(rows[-1][0])):
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows


def _top(line: OcrLine) -> float:
    return min(y for _, y in line.corners)


def _bottom(line: OcrLine) -> float:
    return max(y for _, y in line.corners)


def _left(line: OcrLine) -> float:
    return min(x for x, _ in line.corners)


def _middle(line: OcrLine) -> float:
    return (_top(line) + _bottom(line)) / 2


def _height(line: OcrLine) -> float:
    return _bottom(line) - _top(line)
