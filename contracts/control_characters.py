"""Tells text from other bytes by the control characters in it: the same rule at the door and after a drop."""

_NOT_IN_TEXT = frozenset(map(chr, (*range(0x07), *range(0x0E, 0x1B), *range(0x1C, 0x20), 0x7F)))
"""All but bell, backspace, tab, line ends, form feed and the escape that colours logs and begins other alphabets."""

_MOST = 0.002
_NEVER = "\0"
_END_OF_DOS_FILE = "\x1a"


def hardly_any(text: str) -> bool:
    """True where there are so few that it is a text; the sign that ends files of DOS does not count."""
    text = text.rstrip(_END_OF_DOS_FILE)
    return _NEVER not in text and sum(char in _NOT_IN_TEXT for char in text) <= len(text) * _MOST
