"""Where text hides in documents: boxes, notes, controls, quoted cells, unnamed chapters; and that length is bounded."""

from pathlib import Path

import docx
import pytest
from docx.document import Document
from docx.oxml import parse_xml
from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject, TextStringObject

from contracts.artifacts import FailureCode
from tests.unit.media_processor import files
from tests.unit.media_processor.conftest import Decode, Refuse

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
MC = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'


def word_file(path: Path, document: Document) -> Path:
    document.save(str(path))
    return path


def run(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def test_page_37_of_a_pdf_is_page_37(tmp_path: Path, decode: Decode) -> None:
    decoded = decode(files.pdf_file(tmp_path / "a.pdf", pages=60))
    (found,) = [t for t in decoded.texts if "text of page 37" in t.text]
    assert found.locator.page == 37
    assert decoded.properties.page_count == 60


def test_a_pdf_says_its_language(tmp_path: Path, decode: Decode) -> None:
    writer = PdfWriter(clone_from=PdfReader(files.pdf_file(tmp_path / "a.pdf")))
    writer.root_object[NameObject("/Lang")] = TextStringObject("pt-BR")
    writer.write(tmp_path / "a.pdf")
    assert decode(tmp_path / "a.pdf").properties.language == "pt-BR"


def test_text_boxes_are_read_once(tmp_path: Path, decode: Decode) -> None:
    document = docx.Document()
    box = f"<w:txbxContent><w:p>{run('Inside the box')}</w:p><w:p>{run('second line')}</w:p></w:txbxContent>"
    document.element.body.insert(
        0,
        parse_xml(
            f"<w:p {W} {MC}>{run('Beside it')}<w:r><mc:AlternateContent><mc:Choice Requires='wps'>{box}</mc:Choice>"
            f"<mc:Fallback><w:pict>{box}</w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>"
        ),
    )
    (text,) = decode(word_file(tmp_path / "a.docx", document)).texts
    assert text.text.splitlines() == ["Beside it", "Inside the box", "second line"]


def test_insertions_and_controls_are_text_and_deletions_are_not(tmp_path: Path, decode: Decode) -> None:
    document = docx.Document()
    marks = 'w:id="1" w:author="a" w:date="2026-01-01T00:00:00Z"'
    inserted = f"<w:ins {marks}>{run('added')}</w:ins>"
    deleted = f"<w:del {marks}><w:r><w:delText>gone</w:delText></w:r></w:del>"
    for xml in (
        f"<w:p {W}>{run('kept ')}{inserted}{deleted}</w:p>",
        f"<w:sdt {W}><w:sdtContent><w:p>{run('in a control')}</w:p></w:sdtContent></w:sdt>",
        f"<w:p {W}><w:hyperlink w:anchor='x'>{run('a link')}</w:hyperlink><w:r><w:tab/></w:r>{run('end')}</w:p>",
    ):
        document.element.body.insert(len(document.element.body) - 1, parse_xml(xml))
    (text,) = decode(word_file(tmp_path / "a.docx", document)).texts
    assert text.text.splitlines() == ["kept added", "in a control", "a link\tend"]


def test_headers_footers_and_comments_stand_at_the_end_once(tmp_path: Path, decode: Decode) -> None:
    document = docx.Document()
    for section in (document.sections[0], document.add_section()):
        section.header.is_linked_to_previous = False
        section.header.paragraphs[0].text = "Confidential"
    document.sections[0].different_first_page_header_footer = True
    document.sections[0].first_page_footer.paragraphs[0].text = "First page only"
    commented = document.add_paragraph("Body")
    document.add_comment(commented.runs, text="Is this so?", author="Ada")
    (text,) = decode(word_file(tmp_path / "a.docx", document)).texts
    assert text.text.splitlines()[0] == "Body"
    assert sorted(text.text.splitlines()[1:]) == ["Confidential", "First page only", "Is this so?"]


def test_tables_in_tables(tmp_path: Path, decode: Decode) -> None:
    document = docx.Document()
    document.add_heading("Prices", level=1)
    outer = document.add_table(rows=2, cols=2)
    outer.cell(0, 0).text, outer.cell(0, 1).text = "Tea", "2.50"
    inner = outer.cell(1, 0).add_table(rows=1, cols=2)
    inner.cell(0, 0).text, inner.cell(0, 1).text = "Milk", "extra"
    (text,) = decode(word_file(tmp_path / "a.docx", document)).texts
    assert text.locator.section == "Prices"
    assert text.text.splitlines() == ["Prices", "Tea | 2.50", "Milk | extra"]


def test_a_quoted_cell_may_hold_lines(tmp_path: Path, decode: Decode) -> None:
    (tmp_path / "a.csv").write_text('name,note\nAda,"one\ntwo, three"\n')
    (text,) = decode(tmp_path / "a.csv").texts
    assert text.text.splitlines() == ["name | note", "Ada | one two, three"]


def test_a_cell_of_any_length(tmp_path: Path, decode: Decode) -> None:
    (tmp_path / "a.csv").write_text("name,note\nAda," + "x" * 500_000 + "\n")
    assert len(decode(tmp_path / "a.csv").texts[0].text) > 500_000


def test_a_table_of_many_rows_keeps_its_row_numbers(tmp_path: Path, decode: Decode) -> None:
    (tmp_path / "a.csv").write_text("number,word\n" + "".join(f"{n},w{n}\n" for n in range(1, 100_000)))
    texts = decode(tmp_path / "a.csv").texts
    assert len(texts) == 2000
    assert texts[-1].locator.section == "rows 99951-100000"
    assert texts[-1].text.splitlines()[0] == "number | word"
    assert texts[-1].text.endswith("99999 | w99999")


def test_a_chapter_without_a_heading_has_its_name_from_the_contents(tmp_path: Path, decode: Decode) -> None:
    container = '<container><rootfiles><rootfile full-path="c.opf"/></rootfiles></container>'
    package = """<package xmlns="http://www.idpf.org/2007/opf"><manifest>
      <item id="a" href="t/a.xhtml" media-type="application/xhtml+xml"/>
      <item id="b" href="t/b.xhtml" media-type="application/xhtml+xml"/>
      <item id="n" href="t/toc.ncx" media-type="application/x-dtbncx+xml"/></manifest>
      <spine toc="n"><itemref idref="a"/><itemref idref="b"/></spine></package>"""
    point = '<navPoint><navLabel><text>The Flood</text></navLabel><content src="b.xhtml#start"/></navPoint>'
    contents = f'<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap>{point}</navMap></ncx>'
    members = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": container,
        "c.opf": package,
        "t/toc.ncx": contents,
        "t/a.xhtml": "<html><body><h2>Rain</h2><p>It rained.</p></body></html>",
        "t/b.xhtml": "<html><body><p>The river rose.</p></body></html>",
    }
    texts = decode(files.zip_file(tmp_path / "a.epub", dict(members))).texts
    assert [(t.locator.section, t.text) for t in texts] == [
        ("Rain", "Rain\nIt rained."),
        ("The Flood", "The river rose."),
    ]


def test_rtf_stops_at_the_limit_and_passes_over_pictures(tmp_path: Path, decode: Decode) -> None:
    picture = "{\\pict " + "00ff" * 500_000 + "}"
    (tmp_path / "a.rtf").write_text("{\\rtf1 start" + picture + " middle\\par " + "words " * 1000 + "}")
    decoded = decode(tmp_path / "a.rtf", max_text_chars=300)
    assert decoded.texts[0].text.startswith("start middle\nwords")
    assert len(decoded.texts[0].text) <= 300
    assert [d.step for d in decoded.degradations] == ["text"]


def test_rtf_nested_without_end(tmp_path: Path, refuse: Refuse) -> None:
    (tmp_path / "a.rtf").write_text("{\\rtf1" + "{" * 2000)
    assert refuse(tmp_path / "a.rtf").code is FailureCode.RESOURCE_LIMIT


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "„Größe“ — 5 € für Äpfel, schöne Grüße aus Köln und über die Brücke."),
        ("shift_jis", "今日はとても良い天気ですね。散歩に行きましょう。明日も晴れるでしょうか。"),
        ("utf-16", "名前,町\nアダ,オスロ"),
    ],
)
def test_encodings_of_tables_and_pages(tmp_path: Path, decode: Decode, encoding: str, text: str) -> None:
    (tmp_path / "a.csv").write_text(f"{text}\n", encoding=encoding)
    (tmp_path / "a.md").write_text(f"# {text}\n", encoding=encoding)
    for name in ("a.csv", "a.md"):
        found = "\n".join(t.text for t in decode(tmp_path / name).texts)
        assert set(text) - set(", \n") <= set(found)
