"""Slides, sections and chapters that are pictures are to be read, each in its place; what is left out is said."""

import io
from collections.abc import Callable
from pathlib import Path

import docx
import pytest
from docx.shared import Inches
from PIL import Image
from pptx import Presentation
from pptx.oxml import parse_xml

from contracts.artifacts import Locator
from tests.unit.media_processor import files
from tests.unit.media_processor.conftest import Decode

LONG = "A paragraph as people write them. " * 10


def deck_file(path: Path, *slides: tuple[str, io.BytesIO | None, float]) -> Path:
    """Slides with a text, a picture, and the share of the slide's width that it takes; notes are always long."""
    deck = Presentation()
    for text, picture, share in slides:
        slide = deck.slides.add_slide(deck.slide_layouts[6])
        if text:
            slide.shapes.add_textbox(0, 0, Inches(3), Inches(1)).text_frame.text = text
        if picture:
            slide.shapes.add_picture(picture, 0, 0, int((deck.slide_width or 0) * share))
        frame = slide.notes_slide.notes_text_frame
        assert frame is not None
        frame.text = LONG
    deck.save(str(path))
    return path


def book_file(path: Path, *chapters: str) -> Path:
    """Chapters of these bodies, and two pictures beside them."""
    files.epub_file(path)
    items = "".join(f'<item id="c{n}" href="{n}.xhtml" media-type="text/html"/>' for n in range(len(chapters)))
    spine = "".join(f'<itemref idref="c{n}"/>' for n in range(len(chapters)))
    package = f"<package><manifest>{items}</manifest><spine>{spine}</spine></package>"
    members = files.members(path) | {"OEBPS/content.opf": package.encode()}
    pages = {f"OEBPS/{n}.xhtml": f"<html><body>{body}</body></html>".encode() for n, body in enumerate(chapters)}
    drawn = {f"OEBPS/{n}.png": files.picture_bytes((400 + n, 600)).getvalue() for n in (1, 2)}
    return files.zip_file(path, members | pages | drawn)


def test_slides_that_are_pictures(tmp_path: Path, output: Path, decode: Decode) -> None:
    shown = files.picture_bytes((2000, 1000))
    source = deck_file(
        tmp_path / "a.pptx",
        ("", shown, 1),
        (LONG, files.picture_bytes((300, 400)), 1),
        ("Harvest", files.picture_bytes((300, 300)), 0.8),
        ("A logo", files.picture_bytes((300, 200)), 0.2),
        ("Shown before", shown, 1),
    )
    decoded = decode(source)
    assert [(p.locator, p.width, p.height) for p in decoded.pictures] == [
        (Locator(page=1), 1600, 800),
        (Locator(page=3), 300, 300),
    ]
    assert [place.locator for place in decoded.storyboard] == [Locator(page=1), Locator(page=3)]
    assert decoded.degradations == ()


def test_a_slide_with_a_picture_as_its_background(tmp_path: Path, decode: Decode) -> None:
    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    _, reference = slide.part.get_or_add_image_part(files.picture_bytes())
    main, drawing = (f"http://schemas.openxmlformats.org/{name}/2006/main" for name in ("presentationml", "drawingml"))
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    fill = f'<a:blipFill><a:blip r:embed="{reference}"/><a:stretch><a:fillRect/></a:stretch></a:blipFill>'
    names = f'xmlns:p="{main}" xmlns:a="{drawing}" xmlns:r="{relations}"'
    slide.element.cSld.insert(0, parse_xml(f"<p:bg {names}><p:bgPr>{fill}<a:effectLst/></p:bgPr></p:bg>"))
    deck.save(str(tmp_path / "a.pptx"))
    assert [p.locator.page for p in decode(tmp_path / "a.pptx").pictures] == [1]


def test_the_picture_of_a_deck_without_text_is_its_thumbnail(tmp_path: Path, output: Path, decode: Decode) -> None:
    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    slide.shapes.add_picture(files.picture_bytes((600, 400)), 0, 0, deck.slide_width)
    deck.save(str(tmp_path / "a.pptx"))
    decode(tmp_path / "a.pptx")
    assert_shows_the_picture(output)


def assert_shows_the_picture(output: Path) -> None:
    with Image.open(output / "thumbnail.jpg") as image:
        places = (image.width // 4, image.width * 3 // 4)
        left, right = (image.crop((x, image.height // 2, x + 1, image.height // 2 + 1)).tobytes() for x in places)
    assert max(left[1], left[2], right[0], right[1]) < 80 < 150 < min(left[0], right[2])


def test_sections_of_a_word_document_that_are_pictures(tmp_path: Path, output: Path, decode: Decode) -> None:
    document = docx.Document()
    document.add_picture(files.picture_bytes((600, 400)), width=Inches(6))
    document.add_heading("Lease", level=1)
    document.add_paragraph("Signed in May.")
    cell = document.add_table(rows=1, cols=1).cell(0, 0).paragraphs[0]
    cell.add_run().add_picture(files.picture_bytes((601, 400)), width=Inches(6))
    document.add_picture(files.picture_bytes((602, 400)), width=Inches(2))
    document.add_heading("Letter", level=1)
    document.add_paragraph(LONG)
    document.add_picture(files.picture_bytes((603, 400)), width=Inches(6))
    document.add_picture(files.picture_bytes((604, 900)), width=Inches(6))
    document.save(str(tmp_path / "a.docx"))
    found = [(p.locator.section, p.width) for p in decode(tmp_path / "a.docx").pictures]
    assert found == [("part 1", 600), ("Lease", 601), ("Letter", 604)]


def test_a_word_document_that_is_one_picture_is_shown(tmp_path: Path, output: Path, decode: Decode) -> None:
    document = docx.Document()
    document.add_picture(files.picture_bytes((600, 400)), width=Inches(6))
    document.save(str(tmp_path / "a.docx"))
    decode(tmp_path / "a.docx")
    assert_shows_the_picture(output)


def test_chapters_of_a_book_that_are_pictures(tmp_path: Path, output: Path, decode: Decode) -> None:
    svg = '<svg xmlns:xlink="http://www.w3.org/1999/xlink"><image xlink:href="2.png"/></svg>'
    source = book_file(
        tmp_path / "a.epub",
        '<img src="1.png"/><img src="c.png"/>',
        f"<h1>The moon</h1>{svg}<img src='1.png'/><img src='../../none.png'/><img src='http://example.org/a.png'/>",
        f"<p>{LONG}</p><img src='c.png'/>",
    )
    found = [(p.locator, p.width) for p in decode(source).pictures]
    assert found == [(Locator(section="chapter 1"), 401), (Locator(section="The moon"), 402)]


def test_a_book_of_pictures_without_a_cover_is_shown(tmp_path: Path, output: Path, decode: Decode) -> None:
    decode(book_file(tmp_path / "a.epub", '<img src="1.png"/>'))
    assert_shows_the_picture(output)


def test_too_many_are_not_all_read_and_it_is_said(tmp_path: Path, decode: Decode) -> None:
    slides = [("", files.picture_bytes((300 + n, 300)), 1.0) for n in range(3)]
    decoded = decode(deck_file(tmp_path / "a.pptx", *slides), max_scans=2)
    assert [p.locator.page for p in decoded.pictures] == [1, 2]
    assert [(d.step, "3 pictures" in d.reason) for d in decoded.degradations] == [("scans", True)]


def damaged(content: bytes) -> bytes:
    return content[:200]


def bomb(_: bytes) -> bytes:
    return files.pixel_bomb(Path("bomb.png")).read_bytes()


@pytest.mark.parametrize("change", [damaged, bomb])
def test_a_picture_that_cannot_be_read_costs_itself(
    tmp_path: Path, decode: Decode, monkeypatch: pytest.MonkeyPatch, change: Callable[[bytes], bytes]
) -> None:
    monkeypatch.chdir(tmp_path)
    slides = [("", files.picture_bytes((300, 300)), 1.0), ("", files.picture_bytes((301, 300)), 1.0)]
    source = deck_file(tmp_path / "a.pptx", *slides)
    first = min(name for name in files.members(source) if name.startswith("ppt/media/"))
    decoded = decode(files.repacked(source, lambda name, old: (name, change(old) if name == first else old)))
    assert [p.locator.page for p in decoded.pictures] == [2]
    assert [(d.step, d.reason.startswith("1 pictures")) for d in decoded.degradations] == [("scans", True)]
