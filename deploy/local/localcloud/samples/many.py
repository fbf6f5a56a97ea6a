"""Makes any number of small mixed files for load tests, each with a code word nothing else has."""

import random
from collections.abc import Callable
from pathlib import Path

from localcloud.samples.library import Sample
from localcloud.samples.media import write_audio, write_video
from localcloud.samples.pdf import write_pdf
from localcloud.samples.pictures import draw_card

_SYLLABLES = (
    "ba",
    "do",
    "fi",
    "ga",
    "hu",
    "jo",
    "ke",
    "lu",
    "mi",
    "no",
    "pe",
    "qua",
    "ru",
    "sa",
    "to",
    "vi",
    "wo",
    "zu",
)
_TOPICS = (
    "The river rose two metres in the night and the mill had to be shut",
    "A telescope in the desert saw the first light of a very young galaxy",
    "The choir rehearses on Tuesdays in the old fire station",
    "Three bee colonies survived the winter and are flying again",
    "The night train was forty minutes late and nobody minded",
    "A carpenter explains how to cut a dovetail joint by hand",
    "The museum bought a map of the coast drawn in 1674",
    "Our football team lost again but the sausages were excellent",
)


def make_many(directory: Path, count: int, seed: int) -> list[Sample]:
    """``count`` files of at most about 100 KB: per ten, six documents, two pictures, one sound and one film.

    The same seed makes the same files; each ``query`` is the file's code word.
    """
    directory.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)  # noqa: S311 - load, not secrets
    used: set[str] = set()
    made: list[Sample] = []
    for number in range(count):
        word = _code_word(chance, used)
        make = _MAKERS[number % len(_MAKERS)]
        made.append(make(directory / f"{number:04d}", word, chance))
    return made


def _code_word(chance: random.Random, used: set[str]) -> str:
    while True:
        word = "".join(chance.choice(_SYLLABLES) for _ in range(5))
        if word not in used:
            used.add(word)
            return word


def _lines(word: str, chance: random.Random, count: int) -> list[str]:
    lines = [f"{chance.choice(_TOPICS)}." for _ in range(count)]
    lines.insert(chance.randrange(count), f"The code word of this page is {word}.")
    return lines


def _text(stem: Path, word: str, chance: random.Random) -> Sample:
    path = stem.with_name(f"note-{stem.name}.txt")
    path.write_text("\n".join(_lines(word, chance, 12)), encoding="utf-8")
    return Sample(path, word, "a note")


def _markdown(stem: Path, word: str, chance: random.Random) -> Sample:
    path = stem.with_name(f"page-{stem.name}.md")
    path.write_text(f"# Page {stem.name}\n\n" + "\n\n".join(_lines(word, chance, 20)), encoding="utf-8")
    return Sample(path, word, "a Markdown page")


def _web(stem: Path, word: str, chance: random.Random) -> Sample:
    path = stem.with_name(f"site-{stem.name}.html")
    body = "".join(f"<p>{line}</p>" for line in _lines(word, chance, 15))
    path.write_text(f"<!doctype html><html><title>Site {stem.name}</title><body>{body}</body></html>", encoding="utf-8")
    return Sample(path, word, "a web page")


def _pdf(stem: Path, word: str, chance: random.Random) -> Sample:
    path = stem.with_name(f"report-{stem.name}.pdf")
    pages = [(f"Report {stem.name}, part {part}", _lines(word, chance, 9)) for part in (1, 2)]
    write_pdf(path, pages, f"Report {stem.name}", "Load test")
    return Sample(path, word, "a PDF")


def _jpeg(stem: Path, word: str, chance: random.Random) -> Sample:
    path = stem.with_name(f"{word}-{stem.name}.jpg")
    paper = (chance.randrange(256), chance.randrange(256), chance.randrange(256))
    draw_card((800, 500), paper, (word.upper(), f"picture {int(stem.name)}"), 60).save(path, quality=85)
    return Sample(path, word, "a picture of its code word")


def _png(stem: Path, word: str, chance: random.Random) -> Sample:
    path = stem.with_name(f"{word}-{stem.name}.png")
    paper = (chance.randrange(256), chance.randrange(256), chance.randrange(256))
    draw_card((640, 400), paper, (word.upper(),), 56).save(path)
    return Sample(path, word, "a picture of its code word")


def _sound(stem: Path, word: str, chance: random.Random) -> Sample:
    path = stem.with_name(f"tune-{stem.name}.mp3")
    melody = tuple(chance.choice((262.0, 294.0, 330.0, 392.0, 440.0)) for _ in range(4))
    write_audio(path, "libmp3lame", melody, 3, {"title": f"Tune {word}", "artist": "Load Test Ensemble"})
    return Sample(path, word, "a tune with its code word as title")


def _film(stem: Path, word: str, chance: random.Random) -> Sample:
    path = stem.with_name(f"film-{stem.name}.mp4")
    scenes = [((chance.randrange(256), 120, chance.randrange(256)), (word.upper(), f"scene {n}")) for n in (1, 2)]
    write_video(path, (320, 180), scenes, 2, {"title": f"Film {word}"})
    return Sample(path, word, "a film with its code word as title")


_MAKERS: tuple[Callable[[Path, str, random.Random], Sample], ...] = (
    _text, _jpeg, _pdf, _markdown, _sound, _web, _png, _text, _film, _pdf,
)  # fmt: skip
