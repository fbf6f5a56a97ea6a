"""What is taken at the door is taken after a drop, and the other way round: two detectors, the same files."""

import io
import struct
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from media_processor import formats
from media_processor.detect import detect
from media_processor.formats import Format
from tests.unit.media_processor import files
from upload_gateway.sniff import ENOUGH_BYTES, sniff


def box(name: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def big_tiff(byte_order: str) -> bytes:
    """As Pillow writes it; turned into the other byte order as far as detectors look."""
    buffer = io.BytesIO()
    Image.new("L", (8, 8)).save(buffer, "TIFF", big_tiff=True)
    written = buffer.getvalue()
    return b"MM\0+" + written[4:] if byte_order == ">" else written


def epub(**first: bytes | int) -> bytes:
    """A book of which the member ``mimetype`` is stored in the ways that packers store it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as book:
        members = [("mimetype", b"application/epub+zip"), ("META-INF/container.xml", b"<container/>")]
        for name, content in reversed(members) if first.get("last") else members:
            member = zipfile.ZipInfo(name)
            if name == "mimetype":
                member.extra = bytes(first.get("extra", b""))
                member.compress_type = int(first.get("compression", zipfile.ZIP_STORED))
            book.writestr(member, content)
    return buffer.getvalue()


FILM = box(b"ftyp", b"isom\0\0\0\0isommp41") + box(b"moov", bytes(40))
TAKEN: list[tuple[bytes, Format]] = [
    (big_tiff("<"), formats.TIFF),
    (big_tiff(">"), formats.TIFF),
    (epub(), formats.EPUB),
    (epub(extra=struct.pack("<HHBI", 0x5455, 5, 1, 1_700_000_000)), formats.EPUB),
    (epub(compression=zipfile.ZIP_DEFLATED), formats.EPUB),
    (epub(last=True), formats.EPUB),
    (FILM, formats.MP4),
    (box(b"free", bytes(100)) + FILM, formats.MP4),
    (box(b"skip") + box(b"free", b"by the maker") + FILM, formats.MP4),
    (box(b"free", bytes(100_000)) + FILM, formats.MOV),
    (box(b"wide") + box(b"mdat", bytes(40)), formats.MOV),
    (struct.pack(">I4s", 100 << 20, b"mdat") + bytes(40), formats.MOV),
    (box(b"pnot", bytes(12)), formats.MOV),
    (b"The free press", formats.TEXT),
    (b"Dear Mr Pettigrew,\r\nthe barometer is mended.\r\n\x1a", formats.TEXT),
    (b"error: no header\x07\n", formats.TEXT),
    (b"a line\x0banother", formats.TEXT),
    (b"one stray sign \x01 in a log\n" + b"plain words\n" * 100, formats.TEXT),
    (b"half an emoji \xf0\x9f\n" + b"plain words\n" * 100, formats.TEXT),
]


@pytest.mark.parametrize(("content", "expected"), TAKEN)
def test_what_one_takes_the_other_takes(tmp_path: Path, content: bytes, expected: Format) -> None:
    (tmp_path / "file").write_bytes(content)
    assert detect(tmp_path / "file", "file") is expected
    assert sniff(content[:ENOUGH_BYTES]).kind is expected.kind


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "gif", "bmp", "tiff", "avif"])
def test_pictures(tmp_path: Path, ending: str) -> None:
    path = files.image_file(tmp_path / f"a.{ending}")
    found = sniff(path.read_bytes()[:ENOUGH_BYTES])
    assert found.media_type == detect(path, path.name).media_type
