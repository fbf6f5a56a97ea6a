"""Writes a PDF with a real text layer: one Helvetica, a heading and lines per page."""

from collections.abc import Sequence
from pathlib import Path

_WIDTH, _HEIGHT, _MARGIN = 595, 842, 56
Page = tuple[str, Sequence[str]]
"""A heading and the lines below it."""


def write_pdf(path: Path, pages: Sequence[Page], title: str, author: str) -> None:
    """Text is Latin-1; a line holds about 110 characters."""
    count = len(pages)
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(count))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {count} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for index, page in enumerate(pages):
        stream = _content(page)
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {_WIDTH} {_HEIGHT}] /Contents {5 + 2 * index} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>".encode(),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        ]
    objects.append(b"<< /Title (%s) /Author (%s) >>" % (_escaped(title), _escaped(author)))
    path.write_bytes(_assembled(objects))


def _content(page: Page) -> bytes:
    heading, lines = page
    parts = [b"BT /F1 17 Tf %d %d Td (%s) Tj" % (_MARGIN, _HEIGHT - 90, _escaped(heading)), b"/F1 9.5 Tf 0 -14 Td"]
    parts += [b"0 -16 Td (%s) Tj" % _escaped(line) for line in lines]
    return b"\n".join([*parts, b"ET"])


def _assembled(objects: Sequence[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets: list[int] = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\n" % (len(objects) + 1, len(objects))
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)


def _escaped(text: str) -> bytes:
    return text.encode("cp1252", "replace").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
