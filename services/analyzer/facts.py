"""Turns a file's own facts (dimensions, camera, duration, tags, name) into sentences, a title and a metadata text."""

import re
from datetime import datetime
from pathlib import PurePath
from typing import assert_never

from contracts.artifacts import Kind, Material, MediaProperties

_SEPARATORS = re.compile(r"[\s_\-+.,;()\[\]]+")
_CAMEL = re.compile(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])")
_MEANINGLESS_TITLE = re.compile(
    r"^(untitled|unnamed|document\d*|title|slide \d+|presentation\d*|microsoft (word|powerpoint|excel) - .*|\W*|\d*)$",
    re.IGNORECASE,
)
_LONGEST_TITLE = 200
_NO_TAGS = frozenset({"creation_time", "date", "location", "location-eng", "duration", "timecode"})
"""Written by machines for machines; what they say is in the properties."""

_HEADING_CHARACTERS = range(8, 121)
_HEADING_WORDS = range(2, 21)
_HEADING_LETTERS = 0.7
_LONGEST_TAG = 500
_DOCUMENTS = {
    "pdf": ("PDF", "page"),
    "docx": ("Word", "page"),
    "pptx": ("PowerPoint", "slide"),
    "xlsx": ("Excel", "sheet"),
    "md": ("Markdown", "section"),
    "html": ("HTML", "section"),
    "eml": ("e-mail", "page"),
}
_COORDINATE_DIGITS = 4


def title_of(material: Material) -> str:
    """The title the file gives itself, else the heading it begins with, else its name made of words."""
    own = " ".join((material.properties.title or "").split())
    if own and not _MEANINGLESS_TITLE.match(own):
        return (own if " " in own else name_in_words(own))[:_LONGEST_TITLE]
    heading = _heading(material) if material.kind is Kind.DOCUMENT else ""
    return heading or name_in_words(material.filename)[:_LONGEST_TITLE] or material.kind.value.capitalize()


def _heading(material: Material) -> str:
    first = next((line for text in material.texts[:1] for line in text.text.splitlines() if line.strip()), "")
    line = " ".join(first.strip("#*=_ \t").split())
    letters = sum(c.isalpha() or c.isspace() for c in line)
    fits = len(line) in _HEADING_CHARACTERS and len(line.split()) in _HEADING_WORDS
    return line if fits and letters >= _HEADING_LETTERS * len(line) and line[-1] not in ".,;:" else ""


def name_in_words(filename: str) -> str:
    """``2024-05_TripToRome.final.jpg`` becomes ``2024 05 Trip To Rome final``."""
    stem = PurePath(filename).stem if "." in filename.strip(".") else filename
    return _CAMEL.sub(" ", _SEPARATORS.sub(" ", stem)).strip()


def describe(material: Material) -> str:
    """One sentence that says what the file is, from facts alone."""
    facts = material.properties
    match material.kind:
        case Kind.IMAGE:
            thing = _picture(facts)
        case Kind.VIDEO:
            silent = ", without sound" if facts.audio_codec is None else ""
            thing = f"{_length(facts)}video{_size(facts, ' of ')}{silent}"
        case Kind.AUDIO:
            thing = f"{_length(facts)}audio recording"
        case Kind.DOCUMENT:
            thing = _document(facts, material.filename)
        case _:
            assert_never(material.kind)
    author = f" by {' '.join(facts.author.split())}" if facts.author and material.kind is not Kind.IMAGE else ""
    return f"{_article(thing)} {thing}{author}."


def _article(thing: str) -> str:
    number = re.match(r"\d+", thing)
    spoken_with_vowel = number.group()[0] == "8" or number.group() in {"11", "18"} if number else thing[0] in "aeiouE"
    return "An" if spoken_with_vowel else "A"


def metadata_text(material: Material) -> str:
    """What the file says about itself, one fact a line; empty when it says nothing that a person would look for."""
    facts = material.properties
    lines = {
        "title": facts.title,
        "author": facts.author,
        "camera": facts.camera,
        "taken": _day(facts.taken_at) if facts.taken_at else None,
        "place": _place(facts),
    }
    lines |= {
        name.replace("_", " "): value for name, value in facts.tags.items() if name not in lines.keys() | _NO_TAGS
    }
    said: set[str] = set()
    text: list[str] = []
    for name, value in lines.items():
        clean = " ".join((value or "").split())[:_LONGEST_TAG]
        if clean and clean.casefold() not in said:
            said.add(clean.casefold())
            text.append(f"{name.capitalize()}: {clean}")
    return "\n".join(text)


def _picture(facts: MediaProperties) -> str:
    animated = "animated " if facts.frame_count and facts.frame_count > 1 else ""
    noun = "photo" if facts.camera or facts.taken_at else "picture"
    pages = f" of {facts.page_count} pages" if facts.page_count and facts.page_count > 1 else ""
    camera = f" taken with {facts.camera}" if facts.camera else ""
    taken = " taken" if facts.taken_at and not camera else ""
    when = f"{taken} in {facts.taken_at:%B %Y}" if facts.taken_at else ""
    size = _size(facts, "").strip()
    return " ".join(f"{size} {animated}{noun}{pages}{camera}{when}".split())


def _size(facts: MediaProperties, before: str) -> str:
    return f"{before}{facts.width}\u00d7{facts.height}" if facts.width and facts.height else ""


def _length(facts: MediaProperties) -> str:
    seconds = round(facts.duration_s or 0)
    if seconds <= 0:
        return ""
    if seconds < 90:
        return f"{seconds}-second "
    return f"{round(seconds / 60)}-minute " if seconds < 5400 else f"{seconds / 3600:.1f}-hour "


def _document(facts: MediaProperties, filename: str) -> str:
    suffix = PurePath(filename).suffix.lower().removeprefix(".")
    name, unit = _DOCUMENTS.get(suffix, ("", "page"))
    count = f"{facts.page_count}-{unit} " if facts.page_count and facts.page_count > 1 else ""
    return f"{count}{name} document" if name else f"{count}document"


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def _place(facts: MediaProperties) -> str | None:
    if facts.latitude is None or facts.longitude is None:
        return None
    north, east = round(facts.latitude, _COORDINATE_DIGITS), round(facts.longitude, _COORDINATE_DIGITS)
    return f"{abs(north)}° {'N' if north >= 0 else 'S'}, {abs(east)}° {'E' if east >= 0 else 'W'}"
