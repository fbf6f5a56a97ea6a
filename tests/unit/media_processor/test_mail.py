"""E-mails: what is written in them is read, however it is encoded, and a hostile one costs only itself."""

import base64
import quopri
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest

from contracts.artifacts import FailureCode
from tests.unit.media_processor import files
from tests.unit.media_processor.conftest import Decode, Refuse

HEAD = b"From: ada@example.org\r\nMIME-Version: 1.0\r\nSubject: Bees\r\n"


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _letter(subject: str, text: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Date"] = "Ada <ada@example.org>", "Bo <bo@example.org>", "Mon, 02 Mar 2026 10:00:00"
    mail["Subject"] = subject
    mail.set_content(text, cte="base64")
    return mail


def test_a_mail_is_read_from_its_plain_text_with_its_headers_and_the_names_of_what_is_attached(
    tmp_path: Path, decode: Decode
) -> None:
    decoded = decode(files.mail_file(tmp_path / "a.eml"))
    assert decoded.media_type == "message/rfc822"
    headers = "From: Ada Löwe <ada@example.org>\nTo: bo@example.org\nDate: Mon, 02 Mar 2026 10:00:00 +0000"
    text = "Die Spülmaschine kommt am Donnerstag."
    assert [(t.locator.section, t.text) for t in decoded.texts] == [
        ("Küchenrenovierung", f"Küchenrenovierung\n{headers}\n\n{text}\n\nAttachments: Pläne.pdf")
    ]
    properties = decoded.properties
    assert (properties.title, properties.author) == ("Küchenrenovierung", "Ada Löwe")
    assert properties.tags == {"to": "bo@example.org", "sent": "Mon, 02 Mar 2026 10:00:00 +0000"}


def test_html_is_read_where_there_is_no_plain_text_and_words_around_a_picture_are(
    tmp_path: Path, decode: Decode
) -> None:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "ada@example.org", "Hives"
    mail.set_content("<h1>Plan</h1><p>Build a <b>hive</b>.<script>no()</script></p>", subtype="html")
    mail.add_related(b"\x89PNG", "image", "png", filename="hive.png")
    mail.make_mixed()
    mail.attach(part := EmailMessage())
    part.set_content("Sent from the garden.")
    decoded = decode(_written(tmp_path / "a.eml", mail.as_bytes()))
    assert [t.text for t in decoded.texts] == [
        "Hives\nFrom: ada@example.org",
        "Plan\nBuild a hive.\n\nSent from the garden.\n\nAttachments: hive.png",
    ]


@pytest.mark.parametrize("blank", ["", " \r\n\u00a0\r\n"])
def test_html_is_read_where_the_plain_text_has_no_words(tmp_path: Path, decode: Decode, blank: str) -> None:
    mail = _letter("Hives", blank)
    mail.add_alternative("<p>Build a hive.</p>", subtype="html")
    mail.add_alternative("BEGIN:VCALENDAR", subtype="calendar")
    decoded = decode(_written(tmp_path / "a.eml", mail.as_bytes()))
    assert decoded.texts[-1].text.endswith("\nBuild a hive.")


def test_what_is_attached_to_the_html_alone_is_named_as_well(tmp_path: Path, decode: Decode) -> None:
    mail = _letter("Lease", "Please sign.")
    mail.make_alternative()
    mail.attach(html := EmailMessage())
    html.set_content("<p>Please sign.</p>", subtype="html")
    html.add_attachment(b"%PDF-1.7", "application", "pdf", disposition="inline", filename="lease.pdf")
    html.add_attachment("Read me first.", filename="notes.txt")
    html.attach(end := EmailMessage())
    end.set_content("<p>Ada</p>", subtype="html")
    decoded = decode(_written(tmp_path / "a.eml", mail.as_bytes()))
    assert decoded.texts[-1].text.endswith("\n\nPlease sign.\n\nAttachments: lease.pdf, notes.txt")


def test_what_is_forwarded_stands_below_its_own_subject(tmp_path: Path, decode: Decode) -> None:
    mail = _letter("Fwd: Honey", "See below.")
    mail.add_attachment(_letter("Honey", "Forty jars are ready."))
    decoded = decode(_written(tmp_path / "a.eml", mail.as_bytes()))
    assert [t.locator.section for t in decoded.texts] == ["Fwd: Honey", "Honey"]
    assert "Forty jars" in decoded.texts[1].text


@pytest.mark.parametrize(
    ("encoding", "encoded"),
    [(b"base64", base64.encodebytes), (b"Quoted-Printable", quopri.encodestring), (b"8bit", bytes)],
)
@pytest.mark.parametrize("kind", [b"rfc822", b"global"])
def test_what_is_forwarded_is_read_also_if_it_is_encoded(
    tmp_path: Path, decode: Decode, encoding: bytes, encoded: Callable[[bytes], bytes], kind: bytes
) -> None:
    forwarded = _letter("Honey", "Forty jars are ready.")
    forwarded.add_attachment(b"%PDF-1.7", "application", "pdf", filename="jars.pdf")
    head = b"Content-Type: message/%b; name=old.eml\r\nContent-Transfer-Encoding: %b\r\n\r\n" % (kind, encoding)
    decoded = decode(_written(tmp_path / "a.eml", HEAD + head + encoded(forwarded.as_bytes())))
    assert [t.locator.section for t in decoded.texts] == ["Bees", "Honey"]
    assert decoded.texts[1].text.endswith("\n\nForty jars are ready.\n\nAttachments: jars.pdf")


def test_why_a_mail_was_not_delivered_is_read(tmp_path: Path, decode: Decode) -> None:
    status = b"Reporting-MTA: dns; mx.example.org\r\n\r\nDiagnostic-Code: smtp;\r\n 550 quota exceeded by B\xc3\xb6\r\n"
    head = b"Content-Type: message/delivery-status\r\n\r\n"
    decoded = decode(_written(tmp_path / "a.eml", HEAD + head + status))
    said = "Reporting-MTA: dns; mx.example.org\nDiagnostic-Code: smtp; 550 quota exceeded by Bö"
    assert decoded.texts[0].text.endswith(f"\n\n{said}")


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (b'Content-Type: text/plain; charset="nonsense"', "Küche und Bäder, schön über alles".encode("cp1252")),
        (b'Content-Type: text/plain; charset="utf-8"', "Küche und Bäder, schön über alles".encode("cp1252")),
        (b'Content-Type: text/plain; charset="punycode"', "Küche und Bäder, schön über alles".encode()),
        (b"Content-Type: text/plain", "Küche und Bäder, schön über alles".encode()),
        (b"Content-Type: multipart/mixed", "Küche und Bäder, schön über alles".encode()),
        (b"Content-Type: text/plain; charset*=broken'\r\nContent-Disposition: ;;=", "Küche und Bäder, schön".encode()),
        (
            b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64",
            base64.b64encode("Küche und Bäder, schön".encode())[:12]
            + b"!!\r\n"
            + base64.b64encode("Küche und Bäder, schön".encode())[12:],
        ),
    ],
)
def test_a_text_that_is_not_as_its_headers_say_is_read_as_it_seems(
    tmp_path: Path, decode: Decode, headers: bytes, body: bytes
) -> None:
    decoded = decode(_written(tmp_path / "a.eml", HEAD + headers + b"\r\n\r\n" + body + b"\r\n"))
    assert "Küche und Bäder, schön" in decoded.texts[0].text


@pytest.mark.parametrize(
    "header",
    [
        b"To: " + b"a b <x@example.org>, " * 200_000,
        b"To: " + b"(" * 200_000,
        b"Content-Type: text/plain" + b"; a=b" * 200_000,
        b"X-Subject: " + b"=?utf-8?q?x?= " * 200_000,
        b"Date: nonsense\r\nTo: \xff\xfe <",
        b"X: y\r\n" * 50_000 + b"X: y",
    ],
    ids=["addresses", "brackets", "parameters", "words", "bytes", "many"],
)
def test_headers_that_are_huge_or_broken_cost_nothing_of_the_text(
    tmp_path: Path, decode: Decode, header: bytes
) -> None:
    decoded = decode(_written(tmp_path / "a.eml", HEAD + header + b"\r\n\r\nForty jars are ready."))
    assert decoded.properties.title == "Bees"
    assert decoded.texts[0].text.endswith("\n\nForty jars are ready.")


@pytest.mark.parametrize(
    "level",
    [
        'multipart/mixed; boundary="b{0}"\r\n\r\n--b{0}',
        "message/rfc822\r\n",
        "message/rfc822\r\nContent-Transfer-Encoding: quoted-printable\r\n",
    ],
)
def test_a_mail_in_a_mail_in_a_mail_is_refused_at_a_depth_that_nobody_writes(
    tmp_path: Path, refuse: Refuse, level: str
) -> None:
    nested = "".join(f"Content-Type: {level.format(depth)}\r\n" for depth in range(2000))
    rejection = refuse(_written(tmp_path / "a.eml", HEAD + nested.encode() + b"\r\nwords"))
    assert rejection.code is FailureCode.RESOURCE_LIMIT


def test_of_a_text_that_is_too_long_the_beginning_is_kept_and_that_is_said(tmp_path: Path, decode: Decode) -> None:
    decoded = decode(_written(tmp_path / "a.eml", HEAD + b"\r\n" + b"bee " * 1000), max_text_chars=100)
    assert len(decoded.texts[0].text) == 100
    assert [d.step for d in decoded.degradations] == ["text"]
