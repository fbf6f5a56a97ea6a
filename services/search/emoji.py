"""Makes words of emoji, which have neither letters nor digits: some to be indexed by, and names for the encoder."""

import re
import unicodedata

_WORD = "zqemoji"
"""What no word begins with that anybody looks for."""

# Symbols, dingbats and pictographs; not skin tones, nor the letters that flags are made of.
_EMOJI = "[\u2600-\u27bf\u2b50\u2b55\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff]"
_SEEN = re.compile(_EMOJI)
_IN_ANY_FORM = re.compile(f"({_EMOJI})[\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]*")


def emoji_words(text: str) -> list[str]:
    """Returns a word for each emoji of a text, once. It ends in digits, so that no stemmer cuts it."""
    return [] if text.isascii() else list(dict.fromkeys(f"{_WORD}{ord(char)}" for char in _SEEN.findall(text)))


def emoji_of(word: str) -> str:
    """Returns the emoji of one of :func:`emoji_words`; empty for any other word."""
    code = word.removeprefix(_WORD)
    is_one = code != word and code.isdecimal() and int(code) < 0x20000 and _SEEN.match(chr(int(code)))
    return chr(int(code)) if is_one else ""


def with_names(text: str) -> str:
    """Returns the text with the names that Unicode gives its emoji in their place: ``birthday cake``."""
    return _IN_ANY_FORM.sub(lambda found: f" {unicodedata.name(found[1], '').lower()} ", text).strip()
