"""Turns material into what the model is shown: the file's words between marks nobody can guess, and its pictures.

The mark is a hash over all the words, so no text can contain its own.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from analyzer import facts
from contracts.artifacts import AnalyzedSegment, ArtifactRef, Locator, Material, MaterialPicture, MaterialSound

_BLOCK = 4000

PlacedText = tuple[Locator, str]


@dataclass(frozen=True)
class Question:
    """One request: the data of a file, and what is shown with it, each with the line that stands before it.

    ``picture_ids`` are the names under which an answer may speak of pictures.
    """

    data: str
    shown: tuple[tuple[str, ArtifactRef], ...]
    picture_ids: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Equal exactly when words, what is shown, and its places are."""
        parts = [self.data, *(f"{caption} {ref.sha256}" for caption, ref in self.shown)]
        return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


def about_file(
    material: Material, pictures: Sequence[MaterialPicture], limit: int, earlier: Sequence[AnalyzedSegment]
) -> Question:
    """The file as a whole: of its words, and of what ``earlier`` answers said, at most ``limit`` characters each."""
    words = [(text.locator, text.text) for text in material.texts]
    said = [(segment.locator, segment.text) for segment in earlier]
    blocks = {"words": _lines(sampled(words, limit)), "seen and heard": _lines(sampled(said, limit))}
    return _with_pictures(material, pictures, blocks)


def about_pictures(material: Material, pictures: Sequence[MaterialPicture]) -> Question:
    """Some of a file's pictures."""
    return _with_pictures(material, pictures, {})


def about_sound(material: Material, sound: MaterialSound) -> Question:
    """What is said in one stretch of sound; where it is not silent is told in its own seconds."""
    start = sound.locator.start_s or 0.0
    spans = [((s.start_s or 0.0) - start, (s.end_s or 0.0) - start) for s in sound.stretches]
    audible = ", ".join(f"{max(begin, 0):.1f}-{max(end, 0):.1f}" for begin, end in spans)
    mark, data = _marked(material, {"audible seconds": audible})
    return Question(data, ((f"[[{mark} recording]] [[/{mark}]]", sound.audio),))


def picture_ids(count: int) -> tuple[str, ...]:
    """``p1``, ``p2``, … in the order of the pictures."""
    return tuple(f"p{i}" for i in range(1, count + 1))


def _with_pictures(material: Material, pictures: Sequence[MaterialPicture], blocks: dict[str, str]) -> Question:
    mark, data = _marked(material, blocks)
    names = picture_ids(len(pictures))
    shown = (
        (f"[[{mark} picture {name}{_position(picture.locator)}]] [[/{mark}]]", picture.image)
        for name, picture in zip(names, pictures, strict=True)
    )
    return Question(data, tuple(shown), names)


def _marked(material: Material, blocks: dict[str, str]) -> tuple[str, str]:
    """The mark, and the blocks between such marks."""
    own = [f"name: {material.filename}", facts.describe(material), facts.metadata_text(material)]
    blocks = {"facts": "\n".join(own), **blocks}
    mark = hashlib.sha256("\x00".join(blocks.values()).encode("utf-8", "replace")).hexdigest()[:16]
    marked = [f"[[{mark} {name}]]\n{text}\n[[/{mark}]]" for name, text in blocks.items() if text.strip()]
    data = "\n".join([f"The mark is {mark}. The file is of kind {material.kind.value}.", *marked])
    return mark, data.encode("utf-8", "replace").decode()


def sampled(texts: Sequence[PlacedText], limit: int) -> list[PlacedText]:
    """The texts while they have at most ``limit`` characters; beyond that stretches spread evenly over all of them."""
    length = sum(len(text) for _, text in texts)
    if length <= limit:
        return list(texts)
    blocks = [(place, text[i : i + _BLOCK]) for place, text in texts for i in range(0, len(text), _BLOCK)]
    wanted = max(1, limit * len(blocks) // length)
    return [blocks[i * len(blocks) // wanted] for i in range(wanted)]


def batches(pictures: Sequence[MaterialPicture], most: int, most_bytes: int) -> list[list[MaterialPicture]]:
    """All pictures in order, in groups of at most ``most`` and, where there are several, ``most_bytes``; at least one
    group, which may be empty.
    """
    groups: list[list[MaterialPicture]] = [[]]
    size = 0
    for picture in pictures:
        size += picture.image.size_bytes
        if groups[-1] and (len(groups[-1]) == most or size > most_bytes):
            groups.append([])
            size = picture.image.size_bytes
        groups[-1].append(picture)
    return groups


def _lines(texts: Sequence[PlacedText]) -> str:
    return "\n".join(f"{_place(place)} {text}".strip() for place, text in texts if text.strip())


def _place(locator: Locator) -> str:
    return _position(locator) or (f" ({locator.section})" if locator.section else "")


def _position(locator: Locator) -> str:
    """In numbers only, for a mark: the name of a section is words of the file, which have no place there."""
    if locator.page is not None:
        return f" (page {locator.page})"
    if locator.start_s is not None:
        end = f"-{locator.end_s:.1f}" if locator.end_s is not None else ""
        return f" ({locator.start_s:.1f}{end} s)"
    return ""
