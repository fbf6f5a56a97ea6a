"""Turns a file's name and properties into one text, so that a file without any text of its own can be found too."""

import re
from pathlib import PurePosixPath

from contracts.artifacts import Locator, MaterialText, MediaProperties, TextSource
from media_processor.text_encoding import clip

_WORDS = re.compile(r"[\W_]+|(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")
_NOT_SAID_TWICE = frozenset({"title", "artist", "creation_time", "copyright"})
_LENGTH = 8_000


def describe(filename: str, properties: MediaProperties) -> MaterialText:
    """Name (as it is and as words), title, author, camera, date and tags, a line each."""
    words = " ".join(word for word in _WORDS.split(PurePosixPath(filename).stem) if word)
    lines = [filename, words if words != filename else ""]
    lines += [f"Title: {properties.title}" if properties.title else ""]
    lines += [f"By: {properties.author}" if properties.author else ""]
    lines += [f"Camera: {properties.camera}" if properties.camera else ""]
    lines += [f"Taken: {properties.taken_at:%d %B %Y, %H:%M}" if properties.taken_at else ""]
    lines += [f"{name}: {value}" for name, value in properties.tags.items() if name not in _NOT_SAID_TWICE]
    text = "\n".join(clip(line, 1000) for line in lines if line)
    return MaterialText(text=text[:_LENGTH], locator=Locator(), source=TextSource.METADATA)
