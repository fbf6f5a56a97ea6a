"""What a file probably is before its first byte is sent: by name, then by header, and never with certainty."""

import pytest

from contracts.artifacts import Kind
from upload_gateway.intake import USUAL_SECONDS
from upload_gateway.sniff import Sniffed, UnsupportedTypeError, expect


@pytest.mark.parametrize(
    ("filename", "media_type", "expected"),
    [
        ("A.JPG", None, Sniffed("image/jpeg", Kind.IMAGE)),
        ("a.tar.pdf", "application/zip", Sniffed("application/pdf", Kind.DOCUMENT)),
        ("notes.md", "application/octet-stream", Sniffed("text/markdown", Kind.DOCUMENT)),
        ("letter.eml", None, Sniffed("message/rfc822", Kind.DOCUMENT)),
        ("film", "Video/MP4; codecs=x", Sniffed("video/mp4", Kind.VIDEO)),
        ("sound.unknown", "audio/x-new", Sniffed("audio/x-new", Kind.AUDIO)),
        ("pdf", None, None),
        ("a.", "application/octet-stream", None),
        ("a.xyz", "nonsense", None),
    ],
)
def test_name_first_then_header(filename: str, media_type: str | None, expected: Sniffed | None) -> None:
    assert expect(filename, media_type) == expected


def test_every_kind_says_how_long_it_usually_takes() -> None:
    assert set(USUAL_SECONDS) == set(Kind)


@pytest.mark.parametrize(
    ("filename", "media_type", "named"),
    [
        ("drawing.svg", "image/png", "SVG"),
        ("a.zip", "image/png", "ZIP"),
        ("report.DOC", None, "old Microsoft Office"),
        ("x", "application/x-msdownload", "application/x-msdownload"),
        ("x", "image/svg+xml", "image/svg"),
        ("x.unknown", "application/gzip", "gzip"),
    ],
)
def test_what_is_hopeless_is_named(filename: str, media_type: str | None, named: str) -> None:
    with pytest.raises(UnsupportedTypeError, match=named):
        expect(filename, media_type)
