"""What is read from documents of every format: text with places, facts, a first page."""

from itertools import count
from pathlib import Path
from types import SimpleNamespace
from unicodedata import normalize

import pytest
from PIL import Image
from pptx import Presentation
from pptx.shapes.placeholder import SlidePlaceholder
from pypdf import PdfWriter

from contracts.artifacts import FailureCode, Locator
from localcloud.samples import texts
from localcloud.samples.office import write_docx, write_xlsx
from media_processor.documents import pdf
from media_processor.text_encoding import clean
from media_processor.text_encoding import decode as decode_text
from tests.unit.media_processor import files
from tests.unit.media_processor.conftest import Decode, Refuse


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_text(text, encoding=encoding)
    return path


def test_pdf(tmp_path: Path, output: Path, decode: Decode) -> None:
    decoded = decode(files.pdf_file(tmp_path / "a.pdf", pages=3))
    assert [t.locator.page for t in decoded.texts] == [1, 2, 3]
    assert decoded.texts[1].text == "Heading 2\nThis is the text of page 2 (of many)."
    properties = decoded.properties
    assert (properties.page_count, properties.title, properties.author) == (3, "Pages", "Ada")
    assert not decoded.pictures
    assert [place.locator for place in decoded.storyboard] == [Locator(page=n) for n in (1, 2, 3)]
    with Image.open(output / "thumbnail.jpg") as page:
        assert page.size == (212, 300)
        assert min(page.convert("L").tobytes()) < 100
        assert page.getpixel((2, 2)) == (255, 255, 255)


def test_a_page_without_text_becomes_a_picture(tmp_path: Path, decode: Decode) -> None:
    decoded = decode(files.scanned_pdf(tmp_path / "a.pdf"))
    assert decoded.texts == ()
    assert [(p.locator, p.height) for p in decoded.pictures] == [(Locator(page=1), 1600)]


def test_pictures_of_pages_are_capped_those_to_be_read_are_not(tmp_path: Path, output: Path, decode: Decode) -> None:
    pages = [files.pdf_file(tmp_path / "text.pdf", pages=3), files.scanned_pdf(tmp_path / "scan.pdf")]
    with PdfWriter(tmp_path / "a.pdf") as writer:
        for page in pages:
            writer.append(page)
    decoded = decode(tmp_path / "a.pdf", max_page_pictures=2)
    assert [place.locator.page for place in decoded.storyboard] == [1, 2, 4]
    assert [picture.locator.page for picture in decoded.pictures] == [4]
    with Image.open(output / decoded.storyboard[2].name) as small:
        assert max(small.size) == 300


@pytest.mark.parametrize(
    ("slow", "shown", "steps"),
    [(1, [], ["thumbnail", "page 1", "pictures"]), (2, [1], ["page 2", "pictures"]), (3, [1, 2], ["page 3"])],
)
def test_pages_that_take_long_to_draw_go_without_a_picture(
    tmp_path: Path, decode: Decode, monkeypatch: pytest.MonkeyPatch, slow: int, shown: list[int], steps: list[str]
) -> None:
    # A clock that goes on whenever it is looked at: drawing an ordinary page looks a few times, a slow one hundreds.
    monkeypatch.setattr(pdf, "time", SimpleNamespace(monotonic=count(step=0.1).__next__))
    decoded = decode(files.slow_pdf(tmp_path / "a.pdf", pages=3, slow=slow))
    assert len(decoded.texts) == 3
    assert [place.locator.page for place in decoded.storyboard] == shown
    assert [degradation.step for degradation in decoded.degradations] == steps
    assert {one.reason for one in decoded.degradations if one.step != "pictures"} == {"Drawing the page took too long."}


def test_scans_are_capped_and_it_is_said(tmp_path: Path, decode: Decode) -> None:
    pages = [files.picture((60, 80)) for _ in range(4)]
    pages[0].save(tmp_path / "a.pdf", save_all=True, append_images=pages[1:])
    decoded = decode(tmp_path / "a.pdf", max_scans=2)
    assert [p.locator.page for p in decoded.pictures] == [1, 2]
    assert [d.step for d in decoded.degradations] == ["scans"]


def test_pdf_with_too_many_pages(tmp_path: Path, refuse: Refuse) -> None:
    assert refuse(files.pdf_file(tmp_path / "a.pdf", pages=4), max_pages=3).code is FailureCode.RESOURCE_LIMIT


def test_encrypted_pdf(tmp_path: Path, refuse: Refuse) -> None:
    assert refuse(files.encrypted_pdf(tmp_path / "a.pdf")).code is FailureCode.ENCRYPTED


def test_docx(tmp_path: Path, output: Path, decode: Decode) -> None:
    write_docx(tmp_path / "a.docx", texts.BREAD_RECIPE, "Aino")
    decoded = decode(tmp_path / "a.docx")
    assert [t.locator.section for t in decoded.texts] == [heading for heading, _ in texts.BREAD_RECIPE]
    assert decoded.texts[1].text == "\n".join(texts.BREAD_RECIPE[1])
    assert (decoded.properties.title, decoded.properties.author) == (texts.BREAD_RECIPE[0][0], "Aino")
    with Image.open(output / "thumbnail.jpg") as page:
        assert page.size == (212, 300)


def test_xlsx(tmp_path: Path, decode: Decode) -> None:
    rows = [("Name", "Town"), *((f"Person {n}", "Oslo") for n in range(1, 71))]
    write_xlsx(tmp_path / "a.xlsx", "People", rows, "me")
    decoded = decode(tmp_path / "a.xlsx")
    assert [t.locator.section for t in decoded.texts] == ["People", "People"]
    assert decoded.texts[1].text.splitlines()[:2] == ["People", "Name | Town"]
    assert decoded.texts[1].text.endswith("Person 70 | Oslo")


def test_pptx(tmp_path: Path, decode: Decode) -> None:
    deck = Presentation()
    for number in (1, 2):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        for placeholder, words in zip(slide.placeholders, (f"Slide {number}", f"Point of slide {number}"), strict=True):
            assert isinstance(placeholder, SlidePlaceholder)
            placeholder.text_frame.text = words
    notes = deck.slides[1].notes_slide.notes_text_frame
    assert notes is not None
    notes.text = "Say it slowly"
    deck.save(str(tmp_path / "a.pptx"))
    decoded = decode(tmp_path / "a.pptx")
    assert decoded.properties.page_count == 2
    assert [(t.locator.page, t.locator.section) for t in decoded.texts] == [(1, "Slide 1"), (2, "Slide 2")]
    assert decoded.texts[1].text == "Slide 2\nPoint of slide 2\nSay it slowly"


def test_html(tmp_path: Path, decode: Decode) -> None:
    page = texts.GARDEN_PAGE.replace(
        "</body>", "<script>alert(1)</script><!-- note --><img src='http://127.0.0.1:9/x'></body>"
    )
    decoded = decode(write(tmp_path / "a.html", page))
    sections = [t.locator.section for t in decoded.texts]
    assert sections == ["A Balcony Full of Tomatoes", "Sowing and potting on", "Watering without tears"]
    assert decoded.texts[2].text.splitlines()[-3:] == [
        "Variety | Ripe after",
        "Sungold | 65 days",
        "Black Krim | 80 days",
    ]
    assert "alert" not in decoded.model_dump_json()
    properties = decoded.properties
    assert (properties.title, properties.author, properties.language) == (
        "A Balcony Full of Tomatoes",
        "Ines Okafor",
        "en",
    )


def test_html_of_any_depth(tmp_path: Path, decode: Decode) -> None:
    deep = "<html>" + "<div>" * 100_000 + "bottom" + "</div>" * 100_000
    decoded = decode(write(tmp_path / "a.html", deep + "<p>after</p></html>"))
    assert decoded.kind == "document"


def test_markdown(tmp_path: Path, decode: Decode) -> None:
    text = texts.BICYCLE_GUIDE + "\n```\n# not a heading\n```\n"
    decoded = decode(write(tmp_path / "a.md", text))
    assert (decoded.properties.title, decoded.properties.author) == (
        "Bicycle Repair for the Impatient",
        "Tomas Lindqvist",
    )
    assert [t.locator.section for t in decoded.texts][1:3] == ["Fixing a flat tyre", "Adjusting the rear derailleur"]
    assert "# not a heading" in decoded.texts[-1].text


def test_markdown_with_underlined_headings(tmp_path: Path, decode: Decode) -> None:
    text = (
        "The Halcyon\n===========\n\nShe sailed in May.\n\nReturn\n------\n\nShe came home\nunder jury rig.\n---\n"
        "- a list\n---\n\n| a |\n---\n\n```\nno heading\n===\n```\nlast\n---\n"
    )
    decoded = decode(write(tmp_path / "a.md", text))
    assert decoded.properties.title == "The Halcyon"
    assert [t.locator.section for t in decoded.texts] == ["The Halcyon", "Return"]
    assert decoded.texts[0].text == "The Halcyon\nShe sailed in May."


def test_damaged_letters_are_said(tmp_path: Path, decode: Decode) -> None:
    for name in ("a.txt", "a.md", "a.csv", "a.html"):
        (tmp_path / name).write_bytes("<p>Brücke, Straße, Förster\n".encode() * 20 + b"\xff,\xf0\x9f\n")
        decoded = decode(tmp_path / name)
        assert "Förster" in decoded.texts[0].text
        reasons = [(d.step, d.reason) for d in decoded.degradations]
        assert reasons == [("text", "The text is damaged: 2 letters could not be read.")]


def test_text_with_pages(tmp_path: Path, decode: Decode) -> None:
    decoded = decode(write(tmp_path / "a.txt", "first\fsecond"))
    assert [(t.locator.page, t.text) for t in decoded.texts] == [(1, "first"), (2, "second")]
    assert decoded.properties.page_count == 2


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("latin-1", "Größe und Äpfel: schöne Grüße aus Köln, heute früh über die Brücke gegangen."),
        ("cp1251", "Сегодня вечером мы пойдём в театр, завтра поедем на дачу к бабушке."),
        ("shift_jis", "今日はとても良い天気ですね。散歩に行きましょう。明日も晴れるでしょうか。"),
        ("utf-16", "wide"),
        ("utf-16-le", "wide without a mark"),
        ("utf-8-sig", "with a mark"),
    ],
)
def test_encodings(tmp_path: Path, decode: Decode, encoding: str, text: str) -> None:
    assert decode(write(tmp_path / "a.txt", text, encoding)).texts[0].text == text


def test_text_with_its_accents_apart_is_read_as_others_write_it(decode: Decode, tmp_path: Path) -> None:
    (text,) = decode(write(tmp_path / "a.txt", normalize("NFD", "Käsekuchen in Düsseldorf"))).texts
    assert text.text == "Käsekuchen in Düsseldorf"


def test_a_page_says_its_own_encoding(tmp_path: Path, decode: Decode) -> None:
    page = (
        '<html><head><meta http-equiv="Content-Type" content="text/html; charset=iso-8859-2"></head><p>Łódź</p></html>'
    )
    assert decode(write(tmp_path / "a.html", page, "iso-8859-2")).texts[0].text == "Łódź"


def test_a_table_larger_than_the_limit_is_cut(tmp_path: Path, decode: Decode) -> None:
    decoded = decode(write(tmp_path / "a.csv", "word,other\n" * 5000), max_text_chars=3000)
    assert 2000 < sum(len(t.text) for t in decoded.texts) <= 3000
    assert [d.step for d in decoded.degradations] == ["text"]


def test_a_pdf_stops_being_read_at_the_limit(tmp_path: Path, decode: Decode) -> None:
    decoded = decode(files.pdf_file(tmp_path / "a.pdf", pages=20), max_text_chars=100)
    assert [t.locator.page for t in decoded.texts] == [1, 2, 3]
    assert [d.step for d in decoded.degradations] == ["text"]


@pytest.mark.parametrize(("line", "delimiter"), [("sep=;", ";"), ('"sep=^"', "^"), ("SEP=\t", "\t")])
def test_a_table_may_state_its_delimiter(tmp_path: Path, decode: Decode, line: str, delimiter: str) -> None:
    rows = f"name{delimiter}price, net\r\n" + f'"Möller{delimiter} Sons"{delimiter}7,50\r\n' * 60
    decoded = decode(write(tmp_path / "a.csv", f"{line}\r\n{rows}"))
    assert [t.text.splitlines()[0] for t in decoded.texts] == ["name | price, net"] * 2
    named = " ".join(f"Möller{delimiter} Sons".split())
    assert decoded.texts[1].text.splitlines()[1] == f"{named} | 7,50"


def test_csv(tmp_path: Path, decode: Decode) -> None:
    table = "name;town\n" + "".join(f"n{i};t{i}\n" for i in range(120))
    decoded = decode(write(tmp_path / "a.csv", table))
    assert [t.locator.section for t in decoded.texts] == ["rows 1-50", "rows 51-100", "rows 101-121"]
    assert decoded.texts[2].text.splitlines()[0] == "name | town"


def test_epub(tmp_path: Path, output: Path, decode: Decode) -> None:
    decoded = decode(files.epub_file(tmp_path / "a.epub"))
    assert [(t.locator.section, t.text) for t in decoded.texts] == [
        ("Departure", "Departure\nThe camels left at dawn."),
        ("The Well", "The Well\nThere was no water in it."),
    ]
    properties = decoded.properties
    assert (properties.title, properties.author, properties.language) == ("The Salt Road", "Mira Holt", "en")
    with Image.open(output / "thumbnail.jpg") as cover:
        assert cover.size == (60, 90)


def test_epub_with_copy_protection(tmp_path: Path, refuse: Refuse) -> None:
    method = '<e:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/>'
    rights = f'<encryption xmlns:e="http://www.w3.org/2001/04/xmlenc#">{method}</encryption>'
    path = files.zip_file(tmp_path / "a.epub", {"mimetype": "application/epub+zip", "META-INF/encryption.xml": rights})
    assert refuse(path).code is FailureCode.ENCRYPTED


def test_rtf(tmp_path: Path, decode: Decode) -> None:
    rtf = (
        r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Times;}}{\info{\title My Letter}{\author Zo\'eb}}"
        r"\f0 Caf\'e9 \u8364?5 {\b bold}\par{\*\generator Word;}{\pict 0102} next \emdash line \u-10179?\u-8704?\{x\}}"
    )
    decoded = decode(write(tmp_path / "a.rtf", rtf))
    assert decoded.texts[0].text == "Café €5 bold\n next \u2014line \U0001f600{x}"
    assert (decoded.properties.title, decoded.properties.author) == ("My Letter", "Zoë")


def in_bytes(text: str, encoding: str) -> str:
    return "".join(f"\\'{byte:02x}" if byte > 0x7F else chr(byte) for byte in text.encode(encoding))


def test_rtf_in_fonts_of_other_languages_than_the_writers_system(tmp_path: Path, decode: Decode) -> None:
    fonts = (
        r"{\fonttbl{\f0\fnil\fcharset0 Arial;}{\f1\fcharset204{\*\falt Arial;}Calibri;}{\f2\fcharset161 Arial;}"
        r"{\f3\fnil\fcharset128 MS Mincho;}{\f4\fcharset1\cpg1250 Arial;}}"
    )
    rtf = (
        r"{\rtf1\ansi\ansicpg1252\deff0" + fonts + r"\f1\fs22 " + in_bytes("Договор аренды", "cp1251") + r" {\f2 "
        rf"{in_bytes('Καλημέρα', 'cp1253')}}} {in_bytes('дом', 'cp1251')}\f0  Caf\'e9 \f3 "
        rf"{in_bytes('東京都庁', 'cp932')}\f4  {in_bytes('Plzeň', 'cp1250')}\plain  Z\'fcrich\par}}"
    )
    decoded = decode(write(tmp_path / "a.rtf", rtf))
    assert decoded.texts[0].text == "Договор аренды Καλημέρα дом Café 東京都庁 Plzeň Zürich"


@pytest.mark.parametrize(
    ("start", "encoding"),
    [(r"\mac", "mac-roman"), (r"\mac\ansicpg10000", "mac-roman"), (r"\pc", "cp437"), (r"\pca", "cp850")],
)
def test_rtf_in_the_character_set_that_it_names(tmp_path: Path, decode: Decode, start: str, encoding: str) -> None:
    rtf = rf"{{\rtf1{start}\deff0{{\fonttbl{{\f0 Geneva;}}}}\f0 {in_bytes('Naïve Straße', encoding)}\par}}"
    assert decode(write(tmp_path / "a.rtf", rtf)).texts[0].text == "Naïve Straße"


def test_rtf_goes_on_behind_the_bytes_of_a_picture(tmp_path: Path, decode: Decode) -> None:
    picture = b"{\\pict\\pngblip\\bin14 {{{{\\par\\bin99}}"
    (tmp_path / "a.rtf").write_bytes(b"\xef\xbb\xbf{\\rtf1 before " + picture + b"} after\\par}")
    decoded = decode(tmp_path / "a.rtf")
    assert (decoded.media_type, decoded.texts[0].text) == ("application/rtf", "before  after")


def test_text_is_safe_and_bounded(tmp_path: Path, decode: Decode) -> None:
    assert clean("a\x00b\x1bc\ud800d\r\ne\rf\tg") == "abcd\ne\nf\tg"
    assert decode_text("\ufeffx".encode()) == "x"
    decoded = decode(write(tmp_path / "a.txt", "word " * 1000), max_text_chars=100)
    assert 98 < len(decoded.texts[0].text) <= 100
    assert [d.step for d in decoded.degradations] == ["text"]


def test_scripts_the_font_lacks_still_fill_a_page(tmp_path: Path, output: Path, decode: Decode) -> None:
    decode(write(tmp_path / "a.txt", "今日は とても 良い 天気 ですね " * 40))
    with Image.open(output / "thumbnail.jpg") as page:
        assert min(page.convert("L").tobytes()) < 200


def test_placeholders_are_not_titles(tmp_path: Path, decode: Decode) -> None:
    page = (
        "<html><head><title>untitled</title><meta name=author content='(anonymous)'></head><body><p>x</p></body></html>"
    )
    properties = decode(write(tmp_path / "a.html", page)).properties
    assert (properties.title, properties.author) == (None, None)


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
@pytest.mark.parametrize("ending", ["docx", "xlsx", "epub"])
def test_office_documents_that_are_cut_off_are_corrupt(
    tmp_path: Path, refuse: Refuse, ending: str, share: float
) -> None:
    path = tmp_path / f"a.{ending}"
    if ending == "docx":
        write_docx(path, texts.BREAD_RECIPE, "a")
    elif ending == "xlsx":
        write_xlsx(path, "s", [("x",)], "a")
    else:
        files.epub_file(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert refuse(path).code is FailureCode.CORRUPT


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_pdf_that_is_cut_off_is_corrupt(tmp_path: Path, refuse: Refuse, share: float) -> None:
    path = files.pdf_file(tmp_path / "a.pdf", pages=6)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    assert refuse(path).code is FailureCode.CORRUPT


def test_entities_in_xml_are_not_expanded(tmp_path: Path, refuse: Refuse) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(9)
    )
    main = (
        bomb + ']><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">&j;</w:document>'
    )
    types = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
    path = files.zip_file(tmp_path / "a.docx", {"[Content_Types].xml": types, "word/document.xml": main})
    assert refuse(path).code is FailureCode.CORRUPT


def test_zip_bombs_are_refused_before_unpacking(tmp_path: Path, refuse: Refuse) -> None:
    rejection = refuse(files.zip_bomb(tmp_path / "a.docx", megabytes=40))
    assert (rejection.code, "40 MiB" in rejection.message) == (FailureCode.RESOURCE_LIMIT, True)
    many = files.zip_file(tmp_path / "b.docx", {"word/document.xml": "", **{f"m{i}": "" for i in range(50)}})
    assert refuse(many, max_members=20).code is FailureCode.RESOURCE_LIMIT
