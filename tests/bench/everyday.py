"""Makes a small library of files as people have them, for the ingest benchmark: photographs, reports, talks, films."""

import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pptx
from PIL import Image

from localcloud.samples.media import write_audio, write_video
from localcloud.samples.office import write_docx, write_xlsx
from localcloud.samples.pdf import write_pdf
from localcloud.samples.pictures import draw_card, draw_harbour, save_photo

_WORDS = """
harbour bridge kiln orchard turbine ledger violin glacier market tram lantern archive meadow pump bakery sail granite
repaired measured forgot painted inherited described crossed opened lost rebuilt counted praised
northern quiet narrow copper late generous brittle famous damp hollow patient crooked
"""
_NOUNS, _VERBS, _ADJECTIVES = (line.split() for line in _WORDS.strip().splitlines())
_WHEN = ("after the flood", "before winter", "near the station", "without a permit", "in three days")
_NOTES = (262.0, 294.0, 330.0, 349.0, 392.0, 440.0)


def make_everyday(directory: Path, seed: int) -> list[Path]:
    """30 files, about 20 MB, the same for the same seed: 8 photographs of 12 megapixels, 2 screenshots, 3 reports of 20
    pages, 3 Word documents, 2 workbooks, 2 talks, 2 films of half a minute, 2 recordings of two minutes, 6 articles.
    """
    directory.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)
    makers: Iterable[tuple[int, str, Callable[[Path, random.Random], None]]] = (
        (8, "photo.jpg", _photo), (2, "screen.png", _screen), (3, "report.pdf", _report), (3, "letter.docx", _letter),
        (2, "table.xlsx", _table), (2, "talk.pptx", _talk), (2, "film.mp4", _film), (2, "recording.mp3", _recording),
        (2, "article.md", _article), (2, "article.txt", _article), (2, "article.html", _page),
    )  # fmt: skip
    made: list[Path] = []
    for count, name, make in makers:
        for number in range(count):
            path = directory / f"{number}-{name}"
            make(path, chance)
            made.append(path)
    chance.shuffle(made)
    return made


def _sentence(chance: random.Random) -> str:
    words = (chance.choice(_ADJECTIVES), chance.choice(_NOUNS), chance.choice(_VERBS), chance.choice(_ADJECTIVES))
    return f"The {words[0]} {words[1]} {words[2]} the {words[3]} {chance.choice(_NOUNS)} {chance.choice(_WHEN)}."


def _paragraphs(chance: random.Random, words: int) -> list[str]:
    """Paragraphs of about a hundred words."""
    return [" ".join(_sentence(chance) for _ in range(9)) for _ in range(max(words // 100, 1))]


def _title(chance: random.Random) -> str:
    return f"The {chance.choice(_ADJECTIVES)} {chance.choice(_NOUNS)} and its {chance.choice(_NOUNS)}"


def _colour(chance: random.Random) -> tuple[int, int, int]:
    return chance.randrange(256), chance.randrange(256), chance.randrange(256)


def _photo(path: Path, chance: random.Random) -> None:
    sign = (_title(chance).upper(), f"Platform {chance.randrange(20)}")
    scene = draw_harbour((4000, 3000), sign, chance.randrange(1000))
    grain = Image.frombytes("RGB", (1000, 750), chance.randbytes(1000 * 750 * 3)).resize(scene.size)
    place = (chance.uniform(-60, 60), chance.uniform(-170, 170))
    save_photo(Image.blend(scene, grain, 0.15), path, ("Fujifilm", "X100V"), "2026:07:19 21:12:40", place)


def _screen(path: Path, chance: random.Random) -> None:
    draw_card((1920, 1080), (250, 250, 250), [_sentence(chance) for _ in range(14)], 34).save(path)


def _report(path: Path, chance: random.Random) -> None:
    pages = [(_title(chance), [f"{_sentence(chance)} {_sentence(chance)}" for _ in range(22)]) for _ in range(20)]
    write_pdf(path, pages, _title(chance), "The committee")


def _letter(path: Path, chance: random.Random) -> None:
    write_docx(path, [(_title(chance), " ".join(_paragraphs(chance, 200))) for _ in range(8)], "The secretary")


def _table(path: Path, chance: random.Random) -> None:
    rows = [[chance.choice(_NOUNS), str(chance.randrange(10_000)), _sentence(chance)] for _ in range(150)]
    write_xlsx(path, _title(chance), [["item", "amount", "remark"], *rows], "The treasurer")


def _talk(path: Path, chance: random.Random) -> None:
    talk = pptx.Presentation()
    for _ in range(12):
        slide = talk.slides.add_slide(talk.slide_layouts[1])
        slide.shapes.title.text = _title(chance)
        slide.placeholders[1].text = "\n".join(_sentence(chance) for _ in range(5))
    talk.save(str(path))


def _film(path: Path, chance: random.Random) -> None:
    scenes: Sequence[tuple[tuple[int, int, int], Sequence[str]]] = [
        (_colour(chance), (_title(chance).upper(), f"part {part}")) for part in range(1, 7)
    ]
    write_video(path, (1280, 720), scenes, 5, {"title": _title(chance)})


def _recording(path: Path, chance: random.Random) -> None:
    write_audio(path, "libmp3lame", [chance.choice(_NOTES) for _ in range(40)], 120, {"title": _title(chance)})


def _article(path: Path, chance: random.Random) -> None:
    parts = [f"## {_title(chance)}\n\n" + "\n\n".join(_paragraphs(chance, 600)) for _ in range(5)]
    path.write_text("\n\n".join([f"# {_title(chance)}", *parts]), encoding="utf-8")


def _page(path: Path, chance: random.Random) -> None:
    parts = (f"<h2>{_title(chance)}</h2>" + "".join(f"<p>{p}</p>" for p in _paragraphs(chance, 600)) for _ in range(5))
    title = _title(chance)
    path.write_text(
        f"<!doctype html><html><title>{title}</title><body>{''.join(parts)}</body></html>", encoding="utf-8"
    )
