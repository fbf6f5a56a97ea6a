"""What crosses the pipe between the analyzer and its OCR child: length-prefixed frames, and the answer's shape."""

import struct
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict

LENGTH = struct.Struct(">I")

ONLY_COLOURS = "--only-colours"
"""Tells the child to load no models and to answer without lines."""

MAX_FRAME = 64 * 1024 * 1024
"""A picture of more bytes is refused; material pictures are JPEGs of at most 1-2 megapixels."""


class OcrLine(BaseModel):
    """One stretch of text as detected: its corners ``(x, y)`` in pixels, clockwise from the top left of the text."""

    model_config = ConfigDict(frozen=True)

    text: str
    score: float
    corners: tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]


class OcrAnswer(BaseModel):
    """What the child saw in one picture, or why it could not look."""

    model_config = ConfigDict(frozen=True)

    lines: tuple[OcrLine, ...] = ()
    colours: tuple[str, ...] = ()
    error: str | None = None


def write_frame(stream: BinaryIO, payload: bytes) -> None:
    """Writes one frame and flushes."""
    stream.write(LENGTH.pack(len(payload)) + payload)
    stream.flush()


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next frame, or None at the end of the stream (in the middle of a frame as well)."""
    header = stream.read(LENGTH.size)
    if len(header) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(header)
    payload = stream.read(length)
    return payload if len(payload) == length else None
