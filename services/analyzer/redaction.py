"""Turns what the analyzer wrote about a file into the same words without e-mail addresses, phone and card numbers.

Applied to titles, summaries and labels; the file's own text is the owner's and stays as it is.
"""

import re

EMAIL, PHONE, CARD = "[email]", "[phone]", "[card number]"

_EMAIL = re.compile(r"[\w.+%-]++(?P<domain>@[\w-]+(?:\.[\w-]+)+)?")
"""Or the characters that could have been a name: each is looked at once, not once from each before it."""

_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])")
_PHONE = re.compile(
    r"""(?<![\w.,/#-])(?:
        \+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d(?:[ ./-]?\d){5,12}   # +49 89 1234567, +1 (206) 555-0100
      | \(\d{2,5}\)[ .-]?\d(?:[ .-]?\d){4,9}                         # (206) 555-0100
      | \d{3}[ .-]\d{3}[ .-]\d{4}                                     # 206-555-0100
      | 0\d{1,4}[ /-]\d(?:[ -]?\d){4,9}                               # 089 1234567, 020 7946 0958
      | 00\d(?:[ -]?\d){8,13}                                         # 0049 89 1234567
    )(?![\w-])""",
    re.VERBOSE,
)


def redact(text: str) -> str:
    """Dates, amounts, years and identifiers stay; a 13 to 19 digit number goes when its check digit holds (Luhn)."""
    text = _EMAIL.sub(lambda found: EMAIL if found["domain"] else found.group(), text)
    text = _CARD.sub(lambda found: CARD if _passes_luhn(found.group()) else found.group(), text)
    return _PHONE.sub(PHONE, text)


def _passes_luhn(number: str) -> bool:
    digits = [int(c) for c in reversed(number) if c.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
