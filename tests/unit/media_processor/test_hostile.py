"""Files that point elsewhere or want too much: nothing they refer to is opened, and each ends with its code."""

import socket
import struct
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import docx
import pytest
from pptx import Presentation
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from contracts.artifacts import FailureCode, Kind
from eventing.errors import Reject
from localcloud.samples import texts
from localcloud.samples.office import write_docx, write_xlsx
from media_processor.decoded import Job
from media_processor.decoding import report_on
from media_processor.sandbox import Sandbox
from tests.unit.media_processor import files, films
from tests.unit.media_processor.conftest import Decode, Refuse

SECRET = "the-secret-beside-the-file"


class Listener:
    """A port on this machine that counts who comes."""

    def __init__(self) -> None:
        self.calls = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._count)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    def _count(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection:
                if connection.recv(3) == b"end":
                    return
                self.calls += 1

    def close(self) -> None:
        host, port = self.address.split(":")
        with socket.create_connection((host, int(port))) as last:
            last.sendall(b"end")
        self._thread.join()
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    started = Listener()
    yield started
    started.close()


def rewritten(path: Path, changes: dict[str, Callable[[str], str]], new: dict[str, str] | None = None) -> Path:
    """A ZIP of which some members are changed or added."""
    with zipfile.ZipFile(path) as archive:
        members: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
    for name, change in changes.items():
        content = members[name]
        assert isinstance(content, bytes)
        members[name] = change(content.decode())
    return files.zip_file(path, members | (new or {}))


def playlist(path: Path, url: str, secret: Path) -> Path:
    entries = f"#EXTINF:9,\n{url}/a.ts\n#EXTINF:9,\nfile://{secret}\n#EXTINF:9,\nconcat:{url}/b|{secret}\n"
    path.write_text(f'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{url}/key"\n{entries}')
    return path


def concat_script(path: Path, url: str, secret: Path) -> Path:
    path.write_text(f"ffconcat version 1.0\nfile '{url}/a.mp4'\nfile '{secret}'\n")
    return path


def asx(path: Path, url: str, secret: Path) -> Path:
    path.write_text(f'<asx version="3.0"><entry><ref href="{url}/a.wmv"/><ref href="file://{secret}"/></entry></asx>')
    return path


def dash_manifest(path: Path, url: str, secret: Path) -> Path:
    path.write_text(f'<?xml version="1.0"?><MPD><BaseURL>{url}/</BaseURL><BaseURL>{secret}</BaseURL></MPD>')
    return path


def svg(path: Path, url: str, secret: Path) -> Path:
    entity = f'<!DOCTYPE svg [<!ENTITY x SYSTEM "file://{secret}">]>'
    path.write_text(
        f'{entity}<svg xmlns="http://www.w3.org/2000/svg"><image href="{url}/a.png"/><text>&x;</text></svg>'
    )
    return path


def page(path: Path, url: str, secret: Path) -> Path:
    head = f'<link rel="stylesheet" href="{url}/a.css"><meta http-equiv="refresh" content="0;url={url}">'
    body = f'<img src="{url}/a.png"><iframe src="file://{secret}"></iframe><script src="{url}/a.js"></script>'
    path.write_text(f"<!DOCTYPE html SYSTEM '{url}/a.dtd'><html><head>{head}</head><body>{body}<p>x</p></body></html>")
    return path


def word_document(path: Path, url: str, secret: Path) -> Path:
    write_docx(path, texts.BREAD_RECIPE, "a")
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    links = "".join(
        f'<Relationship Id="x{n}" Type="{office}/{kind}" Target="{target}" TargetMode="External"/>'
        for n, (kind, target) in enumerate(
            [("attachedTemplate", f"{url}/t.dotm"), ("image", f"{url}/a.png"), ("header", f"file://{secret}")]
        )
    )
    return rewritten(
        path, {"word/_rels/document.xml.rels": lambda old: old.replace("</Relationships>", f"{links}</Relationships>")}
    )


def word_document_with_entities(path: Path, url: str, secret: Path) -> Path:
    write_docx(path, texts.BREAD_RECIPE, "a")
    declared = f'<!DOCTYPE x SYSTEM "{url}/a.dtd" [<!ENTITY x SYSTEM "file://{secret}">]>'

    def infested(old: str) -> str:
        start = old.index("?>") + 2
        return old[:start] + declared + old[start:].replace("</w:t>", "&x;</w:t>", 1)

    return rewritten(path, {"word/document.xml": infested})


def slides(path: Path, url: str, secret: Path) -> Path:
    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    for target in (f"{url}/film.mp4", f"file://{secret}"):
        slide.part.relate_to(target, "http://schemas.openxmlformats.org/officeDocument/2006/relationships/video", True)
    deck.save(str(path))
    return path


def workbook(path: Path, url: str, secret: Path) -> Path:
    write_xlsx(path, "s", [(f'=WEBSERVICE("{url}/a")', f"='file://{secret}'!A1")], "a")
    return path


def book(path: Path, url: str, secret: Path) -> Path:
    files.epub_file(path)
    declared = f'<!DOCTYPE html [<!ENTITY x SYSTEM "file://{secret}">]>'
    chapter = (
        f'{declared}<html><body><h1>One</h1><img src="{url}/a.png"/><p>&x; <a href="{url}">y</a></p></body></html>'
    )
    return rewritten(path, {"OEBPS/one a.xhtml": lambda _: chapter})


def mail(path: Path, url: str, secret: Path) -> Path:
    body = f'Content-Type: message/external-body; access-type=local-file; name="{secret}"; URL="{url}/b"'
    page = f'Content-Type: text/html\n\n<img src="{url}/a.png"><iframe src="file://{secret}"></iframe><p>x</p>'
    head = "From: a\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b"
    path.write_text(f"{head}\n\n--b\n{body}\n\n\n--b\n{page}\n--b--\n")
    return path


def letter(path: Path, url: str, secret: Path) -> Path:
    field = r'{\field{\*\fldinst INCLUDEPICTURE "%s/a.png" \\d}{\fldrslt }}' % url  # noqa: UP031 - full of braces
    path.write_text(r"{\rtf1{\*\template %s/t.dotm}Dear Sir %s {\*\subdocument %s}}" % (url, field, secret))  # noqa: UP031
    return path


def pdf_with_scripts(path: Path, url: str, secret: Path) -> Path:
    writer = PdfWriter(clone_from=PdfReader(files.pdf_file(path)))
    script = TextStringObject(f'app.launchURL("{url}/js"); this.submitForm("{url}/form");')
    more = {NameObject("/S"): NameObject("/URI"), NameObject("/URI"): TextStringObject(f"{url}/open")}
    action = {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): script}
    writer.root_object[NameObject("/OpenAction")] = DictionaryObject(
        {**action, NameObject("/Next"): DictionaryObject(more)}
    )
    writer.add_attachment("a.txt", str(secret).encode())
    writer.write(path)
    return path


def film_with_its_data_elsewhere(path: Path, _url: str, secret: Path) -> Path:
    """Its data reference names another file instead of saying that the data is in this one."""
    film = films.film_file(path, 2).read_bytes()
    here = struct.pack(">I4sI", 12, b"url ", 1)
    elsewhere = struct.pack(">I4sI", 12, b"alis", 0)
    assert here in film
    path.write_bytes(film.replace(here, elsewhere) + str(secret).encode())
    return path


POINTERS: list[tuple[str, Callable[[Path, str, Path], Path]]] = [
    ("a.m3u8", playlist),
    ("a.mp4", playlist),
    ("a.ffconcat", concat_script),
    ("a.mkv", concat_script),
    ("a.asx", asx),
    ("a.mpd", dash_manifest),
    ("a.svg", svg),
    ("a.html", page),
    ("a.docx", word_document),
    ("b.docx", word_document_with_entities),
    ("a.pptx", slides),
    ("a.xlsx", workbook),
    ("a.epub", book),
    ("a.rtf", letter),
    ("a.eml", mail),
    ("a.pdf", pdf_with_scripts),
    ("a.mov", film_with_its_data_elsewhere),
]


@pytest.mark.parametrize(("name", "make"), POINTERS, ids=[f"{n}-{m.__name__}" for n, m in POINTERS])
def test_nothing_a_file_refers_to_is_opened(
    tmp_path: Path, output: Path, listener: Listener, name: str, make: Callable[[Path, str, Path], Path]
) -> None:
    """In this process, which has a network: what the sandbox forbids must not even be tried."""
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    source = make(tmp_path / name, f"http://{listener.address}", secret)
    report = report_on(Job(source=source, output=output, filename=name))
    assert SECRET not in report.model_dump_json()
    assert report.decoded is None or report.decoded.kind in {Kind.DOCUMENT, Kind.VIDEO}
    assert listener.calls == 0


def test_the_listener_would_have_noticed(listener: Listener) -> None:
    host, port = listener.address.split(":")
    with socket.create_connection((host, int(port))) as caller:
        caller.sendall(b"GET")
        caller.shutdown(socket.SHUT_WR)
        assert caller.recv(1) == b""
    assert listener.calls == 1


def cut(path: Path, share: float) -> Path:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    return path


def locked(path: Path, entry: bytes, protected: bytes) -> Path:
    """As a shop sells it: the track's sample entry says that what follows is encrypted."""
    content = path.read_bytes()
    at = content.index(b"stsd") + 16
    assert content[at : at + 4] == entry
    path.write_bytes(content[:at] + protected + content[at + 4 :])
    return path


def encrypted_office(path: Path) -> Path:
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000) + "EncryptedPackage".encode("utf-16-le"))
    return path


def sharing_strings(path: Path) -> Path:
    """A small workbook that is a large text: every cell is the same long string."""
    write_xlsx(path, "s", [("x",)], "a")
    office = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    part = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{office}.sharedStrings+xml"/></Types>'
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    row = "<row>" + '<c t="s"><v>0</v></c>' * 50 + "</row>"
    sheet = f"<worksheet {main}><sheetData>{row * 100}</sheetData></worksheet>"
    changes: dict[str, Callable[[str], str]] = {
        "[Content_Types].xml": lambda old: old.replace("</Types>", part),
        "xl/worksheets/sheet1.xml": lambda _: sheet,
    }
    return rewritten(path, changes, {"xl/sharedStrings.xml": f"<sst {main}><si><t>{'#' * 30_000}</t></si></sst>"})


def crowded_docx(path: Path) -> Path:
    docx.Document().save(str(path))
    return rewritten(path, {}, {f"word/media/{n}.xml": "" for n in range(10_001)})


BAD: list[tuple[str, Callable[[Path], object], FailureCode]] = [
    ("a.png", files.pixel_bomb, FailureCode.RESOURCE_LIMIT),
    ("a.docx", files.zip_bomb, FailureCode.RESOURCE_LIMIT),
    ("b.docx", crowded_docx, FailureCode.RESOURCE_LIMIT),
    ("a.rtf", lambda p: p.write_text("{\\rtf1" + "{" * 5000), FailureCode.RESOURCE_LIMIT),
    ("a.pdf", files.encrypted_pdf, FailureCode.ENCRYPTED),
    ("a.xlsx", encrypted_office, FailureCode.ENCRYPTED),
    ("b.m4a", lambda p: locked(files.audio_file(p), b"mp4a", b"drms"), FailureCode.ENCRYPTED),
    ("b.mp4", lambda p: locked(films.film_file(p, 1), b"avc1", b"encv"), FailureCode.ENCRYPTED),
    ("a.jpg", lambda p: cut(files.image_file(p), 0.5), FailureCode.CORRUPT),
    ("b.pdf", lambda p: cut(files.pdf_file(p), 0.5), FailureCode.CORRUPT),
    ("a.epub", lambda p: cut(files.epub_file(p), 0.5), FailureCode.CORRUPT),
    ("a.mov", lambda p: cut(films.film_file(p), 0.3), FailureCode.CORRUPT),
    ("a.m4a", lambda p: cut(files.audio_file(p), 0.3), FailureCode.CORRUPT),
    ("a.txt", lambda p: p.write_bytes(b""), FailureCode.FILE_SIZE),
    ("a.svg", lambda p: p.write_text("<svg/>"), FailureCode.UNSUPPORTED_FORMAT),
]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("name", "make", "code"), BAD, ids=[f"{name}-{code}" for name, _, code in BAD])
async def test_every_bad_file_has_its_code(
    sandbox: Sandbox, tmp_path: Path, output: Path, name: str, make: Callable[[Path], object], code: FailureCode
) -> None:
    make(tmp_path / name)
    with pytest.raises(Reject) as caught:
        await sandbox.decode(tmp_path / name, name, output)
    assert caught.value.code is code


def test_a_film_of_too_many_pixels_is_refused(tmp_path: Path, refuse: Refuse) -> None:
    rejection = refuse(films.film_file(tmp_path / "a.mp4", 1), max_pixels=15_000)
    assert (rejection.code, "160 x 96" in rejection.message) == (FailureCode.RESOURCE_LIMIT, True)


def test_a_workbook_of_one_shared_string_stays_within_the_limit(tmp_path: Path, decode: Decode) -> None:
    source = sharing_strings(tmp_path / "a.xlsx")
    assert source.stat().st_size < 200_000  # 150 million characters
    decoded = decode(source, max_text_chars=1_000_000)
    assert sum(len(t.text) for t in decoded.texts) <= 1_000_000
    assert [d.step for d in decoded.degradations] == ["text"]
