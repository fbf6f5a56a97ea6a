"""Office files of every sort there is: templates, shows, macros, parts in other places, Strict Open XML."""

import re
from collections.abc import Callable
from pathlib import Path

import docx
import pytest
from pptx import Presentation

from contracts.artifacts import FailureCode
from localcloud.samples.office import write_xlsx
from tests.unit.media_processor import files
from tests.unit.media_processor.conftest import Decode, Refuse

OPEN_XML = "application/vnd.openxmlformats-officedocument."
WORDS = "Kiosk loop of the tram museum"
SORTS = [
    ("a.docm", "application/vnd.ms-word.document.macroEnabled.main+xml"),
    ("a.dotx", f"{OPEN_XML}wordprocessingml.template.main+xml"),
    ("a.dotm", "application/vnd.ms-word.template.macroEnabledTemplate.main+xml"),
    ("a.pptm", "application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml"),
    ("a.ppsx", f"{OPEN_XML}presentationml.slideshow.main+xml"),
    ("a.ppsm", "application/vnd.ms-powerpoint.slideshow.macroEnabled.main+xml"),
    ("a.potx", f"{OPEN_XML}presentationml.template.main+xml"),
    ("a.potm", "application/vnd.ms-powerpoint.template.macroEnabled.main+xml"),
    ("a.xlsm", "application/vnd.ms-excel.sheet.macroEnabled.main+xml"),
    ("a.xltx", f"{OPEN_XML}spreadsheetml.template.main+xml"),
    ("a.xltm", "application/vnd.ms-excel.template.macroEnabled.main+xml"),
]
MAIN = re.compile(rb"application/vnd[\w.-]+\.(?:document|presentation|sheet)\.main\+xml")
USUAL_NAMES = re.compile(rb"http://schemas\.openxmlformats\.org/(\w+)/2006/(?!relationships/metadata|content-types)")


def office_file(path: Path) -> Path:
    """Of the family that the name's ending tells, as its library writes it."""
    if path.suffix.startswith(".do"):
        document = docx.Document()
        document.add_heading(WORDS, level=1)
        document.save(str(path))
    elif path.suffix.startswith(".p"):
        deck = Presentation()
        title = deck.slides.add_slide(deck.slide_layouts[0]).shapes.title
        assert title is not None
        title.text = WORDS
        deck.save(str(path))
    else:
        write_xlsx(path, "Stops", [(WORDS, "Oslo")], "me")
    return path


def with_main_type(path: Path, media_type: str) -> Path:
    def change(name: str, content: bytes) -> tuple[str, bytes]:
        if name != "[Content_Types].xml":
            return name, content
        changed, count = MAIN.subn(media_type.encode(), content)
        assert count == 1
        return name, changed

    return files.repacked(path, change)


def renamed(old: str, new: str) -> Callable[[str, bytes], tuple[str, bytes]]:
    """Puts the main part elsewhere, with its relations."""

    def change(name: str, content: bytes) -> tuple[str, bytes]:
        if name in {"[Content_Types].xml", "_rels/.rels"}:
            assert old.encode() in content
            content = content.replace(old.encode(), new.encode())
        folder, _, last = old.rpartition("/")
        relations = {f"{folder}/_rels/{last}.rels": f"{folder}/_rels/{new.rpartition('/')[2]}.rels"}
        return {old: new, **relations}.get(name, name), content

    return change


def in_strict_terms(name: str, content: bytes) -> tuple[str, bytes]:
    if not name.endswith((".xml", ".rels")) or name == "[Content_Types].xml":
        return name, content
    package = b"http://schemas.openxmlformats.org/package/"
    kept = content.replace(package, b"<package>")
    return name, USUAL_NAMES.sub(rb"http://purl.oclc.org/ooxml/\1/", kept).replace(b"<package>", package)


@pytest.mark.parametrize(("name", "media_type"), SORTS)
def test_templates_shows_and_files_with_macros_are_read(
    tmp_path: Path, decode: Decode, name: str, media_type: str
) -> None:
    decoded = decode(with_main_type(office_file(tmp_path / name), media_type))
    assert WORDS in decoded.texts[0].text


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("a.docx", "word/document.xml", "word/document2.xml"),
        ("a.pptx", "ppt/presentation.xml", "ppt/main.xml"),
        ("a.xlsx", "xl/workbook.xml", "xl/workbook22.xml"),
    ],
)
def test_the_main_part_is_where_the_file_says(tmp_path: Path, decode: Decode, name: str, old: str, new: str) -> None:
    decoded = decode(files.repacked(office_file(tmp_path / name), renamed(old, new)))
    assert WORDS in decoded.texts[0].text


@pytest.mark.parametrize("name", ["a.docx", "a.pptx", "a.xlsx"])
def test_strict_open_xml_is_read(tmp_path: Path, decode: Decode, name: str) -> None:
    source = files.repacked(office_file(tmp_path / name), in_strict_terms)
    assert b"2006/main" not in b"".join(files.members(source).values())
    assert WORDS in decode(source).texts[0].text


def test_a_workbook_without_a_sheet_is_not_read_as_empty(tmp_path: Path, refuse: Refuse) -> None:
    def without_sheets(name: str, content: bytes) -> tuple[str, bytes]:
        return name, re.sub(rb"<sheets>.*</sheets>", b"<sheets/>", content) if name == "xl/workbook.xml" else content

    assert refuse(files.repacked(office_file(tmp_path / "a.xlsx"), without_sheets)).code is FailureCode.CORRUPT


def test_an_add_in_is_refused_by_name(tmp_path: Path, refuse: Refuse) -> None:
    source = with_main_type(office_file(tmp_path / "a.xlam"), "application/vnd.ms-excel.addin.macroEnabled.main+xml")
    rejection = refuse(source)
    assert (rejection.code, "an Office add-in" in rejection.message) == (FailureCode.UNSUPPORTED_FORMAT, True)
