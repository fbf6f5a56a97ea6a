"""What is filled into a PDF and noted on it: text of the page, and seen on its picture."""

from pathlib import Path

import pytest
from PIL import Image

from media_processor.documents import pdf_notes
from tests.unit.media_processor import files
from tests.unit.media_processor.conftest import Decode

HIDDEN, PASSWORD = 2, 1 << 13
TEXT = "Heading 1\nThis is the text of page 1 (of many)."


def test_fields_and_notes_are_text_of_their_page(tmp_path: Path, decode: Decode) -> None:
    fields = [("/Tx", "Zephyrine of Lymington", 0), ("/Ch", "Quay 7", 0), ("/Tx", "hunter2", PASSWORD)]
    notes = [
        ("/FreeText", "Approved by Thackwell", 4),
        ("/Text", "Ask the harbour master", 0),
        ("/Highlight", "Ask the harbour master", 4),
        ("/Popup", "said by the note it belongs to", 4),
        ("/Text", "of an earlier version", HIDDEN),
    ]
    (page,) = decode(files.filled_pdf(tmp_path / "a.pdf", fields, notes)).texts
    written = ["Zephyrine of Lymington", "Quay 7", "Approved by Thackwell", "Ask the harbour master"]
    assert page.text.splitlines() == [*TEXT.splitlines(), *written]
    assert page.locator.page == 1


def test_a_field_is_seen_on_the_picture_of_its_page(tmp_path: Path, output: Path, decode: Decode) -> None:
    decode(files.filled_pdf(tmp_path / "a.pdf", [("/Tx", "Zephyrine", 0)], []))
    with Image.open(output / "thumbnail.jpg") as page:
        seen = page.convert("L").crop((80, 140, 130, 250))
    assert min(seen.tobytes()) < 50


def test_of_a_page_with_too_many_notes_the_first_are_read(
    tmp_path: Path, decode: Decode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf_notes, "MOST_NOTES", 2)
    notes = [("/Text", word, 0) for word in ("one", "two", "three")]
    decoded = decode(files.filled_pdf(tmp_path / "a.pdf", [], notes))
    assert decoded.texts[0].text.splitlines()[2:] == ["one", "two"]
    assert [(d.step, "3 fields and notes" in d.reason) for d in decoded.degradations] == [("page 1", True)]
