"""What stands beside the text of Office files: charts, comments, text boxes, web pages put into a document."""

import re
from pathlib import Path

import docx
import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.opc.package import Part as SlidePart
from pptx.opc.packuri import PackURI as SlideURI
from pptx.util import Inches

from contracts.artifacts import Locator
from tests.unit.media_processor import files
from tests.unit.media_processor.conftest import Decode

RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PAGE = "<html><body><h1>Ledger</h1><p>The saffron came by ship &#8212; late.</p></body></html>"
SAVED = (
    f"MIME-Version: 1.0\nContent-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n{PAGE}\n--b--\n"
)
DRAWING = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'


def deck_file(path: Path, comments: bytes = b"") -> Path:
    """A slide with a title and a chart, one with comments."""
    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    assert slide.shapes.title is not None
    slide.shapes.title.text = "Ferry figures"
    data = CategoryChartData()
    data.categories = ["Nordlicht", "Seestern"]
    data.add_series("Passengers of the Gudbrand line", (12, 30))
    frame = slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, 0, Inches(6), Inches(4), data)
    chart = frame.chart  # pyright: ignore[reportAttributeAccessIssue] - a frame of a chart has one
    chart.has_title = True
    chart.chart_title.text_frame.text = "Ridership of the fjord"
    commented = deck.slides.add_slide(deck.slide_layouts[6])
    if comments:
        part = SlidePart(SlideURI("/ppt/comments/comment1.xml"), "application/xml", commented.part.package, comments)
        commented.part.relate_to(part, f"{RELATIONS}/comments")
    deck.save(str(path))
    return path


def test_charts_are_text_of_their_slide(tmp_path: Path, decode: Decode) -> None:
    (text,) = decode(deck_file(tmp_path / "a.pptx")).texts
    series = ["Ridership of the fjord", "Passengers of the Gudbrand line", "Nordlicht", "Seestern"]
    assert (text.locator.page, text.text.splitlines()) == (1, ["Ferry figures", *series])


@pytest.mark.parametrize(
    "comments",
    [
        '<p:cmLst xmlns:p="p"><p:cm><p:pos x="1"/><p:text>Is this so?</p:text></p:cm></p:cmLst>',
        f"<cmLst {DRAWING}><cm><a:p><a:r><a:t>Is this </a:t></a:r><a:r><a:t>so?</a:t></a:r></a:p></cm></cmLst>",
    ],
)
def test_comments_are_text_of_their_slide(tmp_path: Path, decode: Decode, comments: str) -> None:
    texts = decode(deck_file(tmp_path / "a.pptx", comments.encode())).texts
    assert [(text.locator.page, text.text) for text in texts[1:]] == [(2, "Is this so?")]


def test_damaged_comments_cost_nothing_else(tmp_path: Path, decode: Decode) -> None:
    assert len(decode(deck_file(tmp_path / "a.pptx", b"<cmLst><cm>")).texts) == 1


def workbook_file(path: Path) -> Path:
    """Two sheets; on the second a comment and a chart."""
    book = openpyxl.Workbook()
    for title in ("Stock", "Kilns"):
        sheet = book.create_sheet(title)
        sheet.append(["Kiln", "Heat"])
        sheet.append(["first", 1000])
    sheet = book["Kilns"]
    sheet["A1"].comment = Comment("Glaze blistered badly", "Hedwiga")
    chart = BarChart()
    chart.title = "Firing curve"
    chart.add_data(Reference(sheet, min_col=2, min_row=1, max_row=2), titles_from_data=True)
    sheet.add_chart(chart, "D4")
    del book["Sheet"]
    book.save(path)
    return path


def test_comments_and_charts_are_text_of_their_sheet(tmp_path: Path, decode: Decode) -> None:
    texts = decode(workbook_file(tmp_path / "a.xlsx")).texts
    rows = "Kiln | Heat\nfirst | 1000"
    assert [(text.locator, text.text) for text in texts[:2]] == [
        (Locator(section=name), f"{name}\n{rows}") for name in ("Stock", "Kilns")
    ]
    (beside,) = texts[2:]
    assert beside.locator == Locator(section="Kilns")
    assert sorted(beside.text.splitlines()) == ["Firing curve", "Glaze blistered badly", "Kilns"]


def test_text_boxes_and_conversations_are_text_of_their_sheet(tmp_path: Path, decode: Decode) -> None:
    source = workbook_file(tmp_path / "a.xlsx")
    members = files.members(source)
    sheet = next(name for name in members if re.fullmatch(r"xl/worksheets/_rels/.*", name))
    link = '<Relationship Id="t" Type="x/threadedComment" Target="/xl/t.xml"/></Relationships>'
    members[sheet] = members[sheet].replace(b"</Relationships>", link.encode())
    members["xl/t.xml"] = (
        b"<ThreadedComments><threadedComment><text>Said again</text></threadedComment></ThreadedComments>"
    )
    box = b"<x:sp><x:txBody><a:p><a:r><a:t>Celadon recipe</a:t></a:r></a:p></x:txBody></x:sp>"
    box = b'<x:box xmlns:x="x" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">' + box + b"</x:box>"
    drawing = next(name for name in members if re.fullmatch(r"xl/drawings/drawing\d\.xml", name))
    members[drawing] = re.sub(rb"(</[\w:]*wsDr>)", box + rb"\1", members[drawing])
    beside = decode(files.zip_file(source, members)).texts[2].text.splitlines()
    assert sorted(beside) == ["Celadon recipe", "Firing curve", "Kilns", "Said again"]


def document_file(path: Path, chunk: str, media_type: str) -> Path:
    """As programs write that turn a web page into a document: all of it in another part."""
    docx.Document().save(str(path))
    members = files.members(path)
    link = f'<Relationship Id="c" Type="{RELATIONS}/aFChunk" Target="chunk.bin"/></Relationships>'
    relations = "word/_rels/document.xml.rels"
    members[relations] = members[relations].replace(b"</Relationships>", link.encode())
    types = f'<Default Extension="bin" ContentType="{media_type}"/></Types>'
    members["[Content_Types].xml"] = members["[Content_Types].xml"].replace(b"</Types>", types.encode())
    return files.zip_file(path, members | {"word/chunk.bin": chunk.encode()})


@pytest.mark.parametrize(("chunk", "media_type"), [(PAGE, "text/html"), (SAVED, "message/rfc822")])
def test_a_web_page_put_into_a_document_is_its_text(
    tmp_path: Path, decode: Decode, chunk: str, media_type: str
) -> None:
    decoded = decode(document_file(tmp_path / "a.docx", chunk, media_type))
    assert [(text.locator.section, text.text) for text in decoded.texts] == [
        ("Ledger", "Ledger\nThe saffron came by ship \u2014 late.")
    ]
    assert decoded.degradations == ()


def test_another_document_put_into_one_is_not_read_and_it_is_said(tmp_path: Path, decode: Decode) -> None:
    decoded = decode(document_file(tmp_path / "a.docx", "{\\rtf1 words}", "application/rtf"))
    assert [(d.step, "application/rtf" in d.reason) for d in decoded.degradations] == [("text", True)]


def test_diagrams_are_text_of_a_word_document(tmp_path: Path, decode: Decode) -> None:
    docx.Document().save(str(tmp_path / "a.docx"))
    members = files.members(tmp_path / "a.docx")
    relations = "word/_rels/document.xml.rels"
    link = f'<Relationship Id="d" Type="{RELATIONS}/diagramData" Target="d.xml"/></Relationships>'
    members[relations] = members[relations].replace(b"</Relationships>", link.encode())
    members["word/d.xml"] = f"<d {DRAWING}><a:p><a:r><a:t>Sow, reap</a:t></a:r></a:p></d>".encode()
    assert [t.text for t in decode(files.zip_file(tmp_path / "a.docx", members)).texts] == ["Sow, reap"]
