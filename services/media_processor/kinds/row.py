"""What a kind of file must be able to do: four steps over whatever its ``validate`` opened, and two only some have.

A new kind is one module with these functions and one row in ``table``.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from PIL import Image

from contracts.artifacts import Degradation, Locator, MaterialText, MediaProperties
from media_processor.decoded import DecodedFile, DecodedSound, DecodeLimits
from media_processor.formats import Format

OpenedT = TypeVar("OpenedT")
Note = Callable[[str, str], None]
"""Takes a step and the reason why its result is poorer than it should be."""


@dataclass(frozen=True)
class Source:
    """The file to read: where it lies, what it was called, what its content is."""

    path: Path
    filename: str
    format: Format
    limits: DecodeLimits


@dataclass(frozen=True)
class Shot:
    """A picture with its place; pixels are upright, at most ``pictures.READING_SIDE`` a side.

    One that is not ``for_analysis`` is only shown to people: the text of its place is known.
    """

    image: Image.Image
    locator: Locator
    for_analysis: bool = True


@dataclass(frozen=True)
class Prepared:
    """Material for analysis, and pictures of places. ``shots`` may be lazy: one picture is in memory at a time."""

    texts: list[MaterialText] = field(default_factory=list[MaterialText])
    shots: Iterator[Shot] = field(default_factory=lambda: iter(()))
    degradations: list[Degradation] = field(default_factory=list[Degradation])


@dataclass(frozen=True)
class Row(Generic[OpenedT]):
    """One kind. ``validate`` raises ``Reject`` for a file that cannot be read; the others may fail and only degrade.

    ``preview`` and ``speech`` write into the directory they are given.
    """

    validate: Callable[[Source], OpenedT]
    metadata: Callable[[OpenedT], MediaProperties]
    thumbnail: Callable[[OpenedT], Image.Image | None]
    prepare: Callable[[OpenedT], Prepared]
    thumbnail_type: str = "image/jpeg"
    preview: Callable[[OpenedT, Path, Note], DecodedFile | None] | None = None
    speech: Callable[[OpenedT, Path, Note], list[DecodedSound]] | None = None
