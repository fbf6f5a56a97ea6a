"""Turns an e-mail (eml) into its subject, who wrote to whom and when, what is written in it, and names of attachments.

Of a text that is there in several forms the plain one is read if it has words, else the HTML.
Attachments are named, not opened. What is forwarded is read below, and so are reports on mails.
"""

from collections.abc import Iterator
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import EmailPolicy
from email.utils import parseaddr
from typing import Any

from lxml.etree import LxmlError

from contracts.artifacts import FailureCode
from eventing.errors import Reject
from media_processor.documents import web
from media_processor.documents.content import Content, Sections, cut_notes
from media_processor.kinds.row import Source
from media_processor.text_encoding import clip, decode, known_encoding

_LONGEST_HEADER = 10_000
"""Python's parser takes time with the square of a header's length."""

_LONGEST_NAME = 255
_MOST_NAMES = 200
_SHOWN = ("from", "to", "cc", "date")
_FORWARDED = frozenset({"message/rfc822", "message/global"})
_ENCODED = frozenset({"base64", "quoted-printable"})
_READ = frozenset({"text/plain", "text/html", "message/delivery-status", "message/disposition-notification"})


class _Mail(EmailMessage):
    """Python's parser would take a message that is encoded for a mail as it stands; it is none until it is decoded."""

    def get_content_maintype(self) -> str:
        """As written, except of an encoded message."""
        kind = super().get_content_maintype()
        if kind == "message" and str(self.get("content-transfer-encoding", "")).lower() in _ENCODED:
            return "application"
        return kind


class _Policy(EmailPolicy):
    """Headers as they are meant, of bounded length; one that is beyond Python's parser is taken as it is written."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_LONGEST_HEADER]

    def header_fetch_parse(self, name: str, value: str) -> Any:
        try:
            return super().header_fetch_parse(name, value)
        except (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


_PARSER = BytesParser(_Mail, policy=_Policy())


def read(source: Source) -> Content:
    """Raises ``Reject(resource_limit)`` for a mail in a mail in a mail, hundreds of times."""
    try:
        with source.path.open("rb") as file:
            mail = _PARSER.parse(file)
        assert isinstance(mail, EmailMessage)
        sections = Sections()
        is_cut = _add(mail, sections, source.limits.max_text_chars)
    except RecursionError as error:
        raise Reject(FailureCode.RESOURCE_LIMIT, "The e-mail is nested too deeply.") from error
    return Content(
        texts=sections.close(),
        title=_header(mail, "subject"),
        author=next(filter(None, parseaddr(_header(mail, "from"))), ""),
        tags={"to": _header(mail, "to"), "cc": _header(mail, "cc"), "sent": _header(mail, "date")},
        degradations=cut_notes(is_cut, source.limits.max_text_chars),
    )


def _add(mail: EmailMessage, sections: Sections, most: int) -> bool:
    """Adds a mail and those it forwards, at most ``most`` characters of each text; whether that left anything out."""
    sections.start(_header(mail, "subject"))
    said = ((name, _header(mail, name)) for name in _SHOWN)
    sections.add("\n".join(f"{name.capitalize()}: {value}" for name, value in said if value))
    names: list[str] = []
    is_cut = False
    forwarded: list[EmailMessage] = []
    for part in _parts(mail):
        if part.get_content_type() in _FORWARDED:
            forwarded += _forwarded(part)
        elif _is_read(part):
            text = _text(part)
            is_cut |= len(text) > most
            _add_text(text[:most], part.get_content_subtype() == "html", sections)
        elif name := clip(part.get_filename("") or part.get_content_type(), _LONGEST_NAME):
            names.append(name)
    if names:
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        sections.add(f"\nAttachments: {', '.join(names[:_MOST_NAMES])}{more}")
    for inner in forwarded:
        is_cut |= _add(inner, sections, most)
    return is_cut


def _parts(part: EmailMessage) -> Iterator[EmailMessage]:
    """The leaves in order; of a text in several forms the one that is read, and what is attached to the others."""
    if not part.is_multipart() or part.get_content_maintype() == "message":
        yield part
        return
    forms = [list(_parts(inner)) for inner in part.get_payload() if isinstance(inner, EmailMessage)]
    if part.get_content_type() == "multipart/alternative":
        chosen = _chosen(forms)
        forms = [form if form is chosen else [part for part in form if not _is_wording(part)] for form in forms]
    for form in forms:
        yield from form


def _chosen(forms: list[list[EmailMessage]]) -> list[EmailMessage]:
    """The first in which plain text has words, else the last in which any has."""
    worded = [form for form in forms if any(_has_words(part) for part in form)]
    plain = [form for form in worded if any(_is_plain(part) and _has_words(part) for part in form)]
    return next(iter(plain or worded[::-1]), [])


def _is_plain(part: EmailMessage) -> bool:
    return part.get_content_type() == "text/plain"


def _is_wording(part: EmailMessage) -> bool:
    return part.get_content_maintype() in {"text", "multipart"} and not part.get_filename()


def _has_words(part: EmailMessage) -> bool:
    return _is_read(part) and bool(_text(part).strip())


def _is_read(part: EmailMessage) -> bool:
    # A multipart that is a leaf has lost its boundaries: what is in it is read as it stands.
    is_text = part.get_content_type() in _READ or part.get_content_maintype() == "multipart"
    return is_text and part.get_content_disposition() != "attachment"


def _forwarded(part: EmailMessage) -> list[EmailMessage]:
    data = part.get_payload(decode=True)
    inside = [_PARSER.parsebytes(data)] if isinstance(data, bytes) else part.iter_parts()
    return [mail for mail in inside if isinstance(mail, EmailMessage)]


def _add_text(text: str, is_html: bool, sections: Sections) -> None:
    if not is_html:
        sections.add(f"\n{text.strip()}")
    elif text.strip():
        try:
            web.add_sections(web.parse(text), sections)
        except (LxmlError, ValueError):  # markup without any element
            sections.add(text)


def _text(part: EmailMessage) -> str:
    """As the part says that it is encoded, or if that is not true, as it seems."""
    data = part.get_payload(decode=True)
    if part.is_multipart():  # a report: Python's parser takes its lines for headers
        fields = (f"{name}: {value}" for block in part.iter_parts() for name, value in block.items())
        return "\n".join(fields)
    if not isinstance(data, bytes):
        return ""
    encoding = known_encoding(part.get_content_charset("utf-8"))
    try:
        return data.decode(encoding) if encoding else decode(data)
    except UnicodeDecodeError:
        return decode(data)


def _header(mail: EmailMessage, name: str) -> str:
    return clip(str(mail.get(name, "")), _LONGEST_HEADER)
