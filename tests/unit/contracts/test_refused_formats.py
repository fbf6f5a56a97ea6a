"""What a file is refused for is the same at the door and after a drop."""

from pathlib import Path

import pytest

from contracts import refused_formats
from contracts.artifacts import FailureCode
from eventing.errors import Reject
from media_processor import formats
from media_processor.detect import detect
from upload_gateway.sniff import UnsupportedTypeError, sniff

DRAWINGS = [
    '<svg xmlns="http://www.w3.org/2000/svg"/>',
    '\ufeff<?xml version="1.0"?>\n<!-- made by hand -->\n<?xml-stylesheet href="a.css"?><!-- > -->\n<svg\nwidth="1">',
    '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "x" "y" [<!ENTITY a "b>">]><svg/>',
    '<svg:svg xmlns:svg="http://www.w3.org/2000/svg"/>',
    "<svg><foreignObject><html><body>words</body></html></foreignObject></svg>",
]
ABOUT_DRAWINGS = [
    ("Use the `<svg>` element for drawings.", "notes.md", formats.MARKDOWN),
    ("export const Icon = () => (\n  <svg viewBox='0 0 1 1' />\n);", "icon.jsx", formats.TEXT),
    ("<note><p><svg/></p></note>", "note.txt", formats.TEXT),
    ("<!DOCTYPE html><svg/>", "page.html", formats.HTML),
    ("<svgs>", "list.txt", formats.TEXT),
    ("<!--" * 900 + "<!-- -->" * 40 + " no drawing", "comments.txt", formats.TEXT),
]


@pytest.mark.parametrize("drawing", DRAWINGS)
def test_a_drawing_is_refused_at_both_places(tmp_path: Path, drawing: str) -> None:
    (tmp_path / "file").write_text(drawing, "utf-8")
    with pytest.raises(UnsupportedTypeError, match=refused_formats.SVG):
        sniff(drawing.encode())
    with pytest.raises(Reject, match=refused_formats.SVG) as caught:
        detect(tmp_path / "file", "drawing.txt")
    assert caught.value.code is FailureCode.UNSUPPORTED_FORMAT


@pytest.mark.parametrize(("text", "name", "expected"), ABOUT_DRAWINGS)
def test_a_text_about_drawings_is_taken_at_both_places(
    tmp_path: Path, text: str, name: str, expected: formats.Format
) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    assert sniff(text.encode()).kind is expected.kind
    assert detect(tmp_path / name, name) is expected


def test_a_drawing_in_wide_characters_is_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text(DRAWINGS[0], "utf-16")
    with pytest.raises(Reject, match=refused_formats.SVG):
        detect(tmp_path / "file", "drawing.svg")
