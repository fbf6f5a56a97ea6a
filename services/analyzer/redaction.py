"""Turns what the analyzer wrote about a file into the same words without e-mail addresses, phone and card numbers.

Applied to titles, summaries and labels; the file's own text is the owner's and stays as it is.
"""

import re

EMAIL, PHONE, CARD = "[email]", "[phone]", "[card number]"

_EMAIL = re.compile(r"""(?:"[^"@\n]{1,64}"|[\w.+%-]++)(?P<domain>@[\w-]+(?:\.[\w-]+)+)?""")
"""Or the characters that could have been a name: each is looked at once, not once from each before it."""

_SPACE = r"[ \u00a0\u202f\u2011-]"
_GAP = r"[ .\u00a0\u202f\u2011-]"
_CARD = re.compile(rf"(?<![\w.-])(?:\d(?:{_SPACE}{{0,2}}\d){{12,18}}|\d{{4}}(?:\.\d{{4}}){{3}})(?![\w-])")
_PHONES = (
    rf"(?:\+\d{{1,3}}|\(\+\d{{1,3}}\)){_GAP}?(?:\(\d{{1,4}}\){_GAP}?)?\d(?:(?:{_GAP}|/)?\d){{5,12}}",
    rf"\(\d{{2,5}}\){_GAP}?\d(?:{_GAP}?\d){{4,9}}",
    rf"(?:1{_GAP})?[2-9]\d\d{_GAP}[2-9]\d\d{_GAP}\d{{4}}",
    rf"0\d(?:{_GAP}\d\d){{4}}",
    rf"00 ?\d(?:{_SPACE}?\d){{8,13}}",
    rf"0\d{{1,4}}(?:{_SPACE}|/)\d(?:{_SPACE}{{0,2}}\d){{4,9}}",
)
"""+49 89 1234567 and (+44) 20 7946 0123; (206) 555-0100; 206-555-0100 and 1-800-555-0199; 06.12.34.56.78;
0049 89 1234567; 089 1234567, 020 7946 0958 and 089/1234567.
"""

_ACCOUNT = r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z\d]{4}){3,7}(?: ?[A-Z\d]{1,3})?(?!\w)"
"""An IBAN, which stays."""

_PHONE = re.compile(rf"(?P<account>{_ACCOUNT})|(?<![\w.,/#-])(?:{'|'.join(_PHONES)})(?![\w-])")


def redact(text: str) -> str:
    """Dates, amounts, years and identifiers stay; a 13 to 19 digit number goes when its check digit holds (Luhn)."""
    text = _EMAIL.sub(lambda found: EMAIL if found["domain"] else found.group(), text)
    text = _CARD.sub(lambda found: CARD if _passes_luhn(found.group()) else found.group(), text)
    return _PHONE.sub(lambda found: found.group() if found["account"] else PHONE, text)


def _passes_luhn(number: str) -> bool:
    digits = [int(c) for c in reversed(number) if c.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
