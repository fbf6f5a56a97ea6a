"""The first bytes of a file into whether it is an e-mail, by one rule at the door and after a drop.

The door knows no name and sees fewer bytes: what only those tell is a text there.
"""

import re

_FIELD = rb"(?:[!-9;-~]++[ \t]*+:[^\n]*+\n(?:[ \t][^\n]*+\n)*+)"
_ADDRESSED, _SENT = (
    re.compile(rb"(?:\xef\xbb\xbf)?%b*?(?:%b)[ \t]*+:" % (_FIELD, names), re.IGNORECASE)
    for names in (
        rb"from|to|subject|date",
        rb"message-id|mime-version|received|return-path|delivered-to",
    )
)
"""What people write above a memo, and what only programs that send mail do."""


def is_mail(head: bytes, filename: str = "") -> bool:
    """True where both are among the header lines that the file begins with; one will do for a name that says so."""
    return bool(_ADDRESSED.match(head) and (filename.lower().endswith(".eml") or _SENT.match(head)))
