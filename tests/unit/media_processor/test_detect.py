"""The format is told from the content: names and headers lie."""

import io
import os
import random
from pathlib import Path

import pytest
from PIL import Image

from contracts.artifacts import FailureCode, Kind
from eventing.errors import Reject
from localcloud.samples.office import write_docx, write_xlsx
from media_processor import formats
from media_processor.containers import iso_bmff
from media_processor.detect import detect
from media_processor.formats import Format
from tests.unit.media_processor import files


@pytest.mark.parametrize("ending", ["jpeg", "png", "webp", "gif", "bmp", "tiff", "avif"])
def test_images_under_a_wrong_name(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"picture.{ending}"
    Image.new("RGB", (8, 8)).save(path)
    found = detect(path.rename(tmp_path / "letter.pdf"), "letter.pdf")
    assert (found.kind, found.media_type) == (Kind.IMAGE, f"image/{ending}")


AUDIO = {
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "m4a": "audio/mp4",
    "aac": "audio/aac",
    "webm": "audio/webm",
    "mka": "audio/x-matroska",
}


@pytest.mark.parametrize(("ending", "media_type"), AUDIO.items())
def test_audio(tmp_path: Path, ending: str, media_type: str) -> None:
    found = detect(files.audio_file(tmp_path / f"tune.{ending}", 0.5), "tune.txt")
    assert (found.kind, found.media_type) == (Kind.AUDIO, media_type)


def test_a_film_container_with_sound_only_is_audio(tmp_path: Path) -> None:
    path = files.audio_file(tmp_path / "tune.m4a", 0.5)
    path.write_bytes(path.read_bytes().replace(b"ftypM4A ", b"ftypisom", 1))
    assert detect(path, "tune.mp4") == formats.M4A


VIDEO = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "mkv": "video/x-matroska",
    "webm": "video/webm",
    "avi": "video/x-msvideo",
}


@pytest.mark.parametrize(("ending", "media_type"), VIDEO.items())
def test_video(tmp_path: Path, ending: str, media_type: str) -> None:
    found = detect(files.video_file(tmp_path / f"film.{ending}", 0.5), "film.jpg")
    assert (found.kind, found.media_type) == (Kind.VIDEO, media_type)


@pytest.mark.parametrize(
    ("brands", "expected"),
    [
        (b"heic\0\0\0\0mif1", formats.HEIC),
        (b"mif1\0\0\0\0mif1heic", formats.HEIC),
        (b"mif1\0\0\0\0avifmif1", formats.AVIF),
        (b"avif\0\0\0\0mif1", formats.AVIF),
        (b"qt  \0\0\0\0", formats.MOV),
        (b"M4A \0\0\0\0isom", formats.M4A),
        (b"isom\0\0\0\0mp41", formats.MP4),
        (b"mif1\0\0\0\0mif1", None),
    ],
)
def test_iso_brands(brands: bytes, expected: Format | None) -> None:
    assert iso_bmff((8 + len(brands)).to_bytes(4, "big") + b"ftyp" + brands) is expected


def test_office_documents_inside_zip(tmp_path: Path) -> None:
    write_docx(tmp_path / "a", [("Title", "text")], "me")
    write_xlsx(tmp_path / "b.xlsx", "Sheet", [("x", "y")], "me")
    assert detect(tmp_path / "a", "a.zip") is formats.DOCX
    assert detect(tmp_path / "b.xlsx", "b.docx") is formats.XLSX
    assert detect(files.epub_file(tmp_path / "c"), "c.zip") is formats.EPUB


TEXTS = [
    (b"plain words\n", "notes.txt", formats.TEXT),
    (b"plain words\n", "notes", formats.TEXT),
    (b"plain words\n", "photo.jpg", formats.TEXT),
    (b"# Title\n", "readme.md", formats.MARKDOWN),
    (b"a,b\n1,2\n", "table.csv", formats.CSV),
    (b"\xef\xbb\xbf<!DOCTYPE html><p>x", "page.txt", formats.HTML),
    (b"<p>only a piece</p>", "piece.html", formats.HTML),
    (b"{\\rtf1 hello}", "x.doc", formats.RTF),
    ("früher Nebel über der Elbe, später schöne Aufheiterungen".encode("latin-1"), "w.txt", formats.TEXT),
    ("привет, как дела сегодня вечером".encode("cp1251"), "w.txt", formats.TEXT),
    ("wide words".encode("utf-16"), "w.txt", formats.TEXT),
    ("wide words without a mark".encode("utf-16-le"), "w.txt", formats.TEXT),
    (b"\n%PDF-1.4\n", "x", formats.PDF),
    (b"FORM 10-K\nAnnual report", "report.txt", formats.TEXT),
    (b"Received: from a\r\n\tby b\r\nFrom: Ada\r\n\r\nwords", "photo.jpg", formats.EML),
    (b"\xef\xbb\xbfSubject: x\nTo: y\nMessage-ID: z\n\nwords", "letter", formats.EML),
    (b"Subject: x\nTo: y\n\nwords", "draft.EML", formats.EML),
    (b"From: Ada\nMIME-Version: 1.0\n\n\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a", formats.EML),
    (b"From: Ada\nMIME-Version: 1.0\n\n%PDF-1.7\n", "a", formats.EML),
    (b"From: Ada\nTo: Bo\nSubject: bees\nDate: today\n\nwords", "memo.txt", formats.TEXT),
    (b"from: staging\nto: prod\nsteps:\n  - deploy\n", "jobs.yaml", formats.TEXT),
    (b"Words first.\nFrom: Ada\nMIME-Version: 1.0\n", "a.eml", formats.TEXT),
    (b"OTTO OPENED THE DOOR", "novel.txt", formats.TEXT),
    (b"The wide river", "novel.txt", formats.TEXT),
    (b"The free press, skipped.", "novel.txt", formats.TEXT),
]


@pytest.mark.parametrize(("content", "name", "expected"), TEXTS)
def test_text_kinds(tmp_path: Path, content: bytes, name: str, expected: Format) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert detect(path, name) is expected


STRANGERS = [
    (b"MZ\x90\x00" + bytes(60), "a.txt", "Windows program"),
    (b"\x7fELF\x02\x01\x01" + bytes(60), "a.jpg", "Linux program"),
    (b"\x1f\x8b\x08\x00" + bytes(range(200)), "a.txt", "gzip"),
    (random.Random(1).randbytes(5000), "a.txt", "no known format"),
    (bytes(5000), "a.txt", "no known format"),
    (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "a.svg", "SVG"),
    (b"%!PS-Adobe-3.0\n", "a.ps", "PostScript"),
    (b"FORM\0\0\1\2AIFFCOMM" + bytes(60), "a.txt", "AIFF"),
]


@pytest.mark.parametrize(("content", "name", "words"), STRANGERS)
def test_strangers_are_refused_by_name(tmp_path: Path, content: bytes, name: str, words: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(Reject, match=words) as caught:
        detect(path, name)
    assert caught.value.code is FailureCode.UNSUPPORTED_FORMAT


def test_zip_strangers(tmp_path: Path) -> None:
    with pytest.raises(Reject, match="OpenDocument text"):
        detect(files.zip_file(tmp_path / "o", {"mimetype": "application/vnd.oasis.opendocument.text"}), "o.docx")
    with pytest.raises(Reject, match="a ZIP archive") as caught:
        detect(files.zip_file(tmp_path / "z", {"a.txt": "x"}), "z.docx")
    assert caught.value.code is FailureCode.UNSUPPORTED_FORMAT


def test_ole_files(tmp_path: Path) -> None:
    legacy = tmp_path / "old.doc"
    legacy.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000))
    with pytest.raises(Reject, match="an old Microsoft Office file") as caught:
        detect(legacy, "old.doc")
    assert caught.value.code is FailureCode.UNSUPPORTED_FORMAT
    legacy.write_bytes(legacy.read_bytes() + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(Reject) as caught:
        detect(legacy, "new.docx")
    assert caught.value.code is FailureCode.ENCRYPTED


def test_an_empty_file_is_refused_for_its_size(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with pytest.raises(Reject) as caught:
        detect(tmp_path / "empty", "empty.txt")
    assert caught.value.code is FailureCode.FILE_SIZE


_CODES = (FailureCode.UNSUPPORTED_FORMAT, FailureCode.CORRUPT)


def test_any_bytes_are_either_a_format_or_refused(tmp_path: Path) -> None:
    chance = random.Random(7)
    starts = [
        b"",
        b"RIFF",
        b"\x1aE\xdf\xa3B\x82",
        b"OggS",
        b"PK\x03\x04",
        b"ID3",
        b"\xff\xfb",
        b"\xff\xf1",
        b"\0\0\0\x18ftyp",
    ]
    path = tmp_path / "file"
    for _ in range(300):
        path.write_bytes(chance.choice(starts) + chance.randbytes(chance.choice([0, 1, 3, 9, 60, 900])) or b"x")
        assert outcome(path) in {Kind.IMAGE, Kind.VIDEO, Kind.AUDIO, Kind.DOCUMENT, *_CODES}


def outcome(path: Path) -> Kind | FailureCode:
    try:
        return detect(path, "x").kind
    except Reject as reject:
        return reject.code


def test_a_bitmap_needs_more_than_two_letters(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"BMW is a maker of cars")
    assert detect(path, "x.txt") is formats.TEXT
    buffer = io.BytesIO()
    Image.new("L", (3, 3)).save(buffer, "BMP")
    path.write_bytes(buffer.getvalue() + os.urandom(3))
    assert detect(path, "x.txt") is formats.BMP
