"""Recognises a date in figures or with the name of its month, and writes it the other ways that documents do. Pure.

Months are those of ten languages, as words are folded. Numbers between slashes may be in the American order.
"""

import re
from collections.abc import Sequence
from datetime import date
from itertools import chain

from search.terms import Phrase

_BY_YEAR = re.compile(r"(?P<year>(?:19|20)\d\d)[-./](?P<month>\d\d?)[-./](?P<day>\d\d?)")
_BY_DAY = re.compile(r"(?P<day>\d\d?)[-./](?P<month>\d\d?)[-./](?P<year>(?:19|20)\d\d)")
YEAR = re.compile(r"(?:19|20)\d\d")
_DAY = re.compile(r"(\d\d?)(?:st|nd|rd|th|er)?")

# English, German, French, Spanish, Portuguese, Italian, Polish, Czech, Russian, Turkish.
_NAMES: Sequence[Sequence[str]] = [
    names.split()
    for names in (
        "january januar janvier enero janeiro gennaio stycznia ledna января ocak",
        "february februar fevrier febrero fevereiro febbraio lutego unora февраля subat",
        "march marz mars marzo marco marzo marca brezna марта mart",
        "april april avril abril abril aprile kwietnia dubna апреля nisan",
        "may mai mai mayo maio maggio maja kvetna мая mayis",
        "june juni juin junio junho giugno czerwca cervna июня haziran",
        "july juli juillet julio julho luglio lipca cervence июля temmuz",
        "august august aout agosto agosto agosto sierpnia srpna августа agustos",
        "september september septembre septiembre setembro settembre wrzesnia zari сентября eylul",
        "october oktober octobre octubre outubro ottobre pazdziernika rijna октября ekim",
        "november november novembre noviembre novembro novembre listopada listopadu ноября kasim",
        "december dezember decembre diciembre dezembro dicembre grudnia prosince декабря aralik",
    )
]
_MONTHS = {name: month for month, names in enumerate(_NAMES, 1) for name in names}
_FRENCH, _SPANISH, _PORTUGUESE = 2, 3, 4
_MONTHS_OF_A_YEAR = 12
_PARTS = 3
_TEENS = range(11, 14)

OF = frozenset({"of", "de", "del"})
"""Words that stand between the parts of a date."""


def in_numbers(content: str) -> tuple[Phrase, ...]:
    """Returns other ways to write ``12.3.2024`` or ``2024-03-12``; none if it is no date."""
    found = _BY_YEAR.fullmatch(content) or _BY_DAY.fullmatch(content)
    if not found:
        return ()
    year, month, day = (int(found[part]) for part in ("year", "month", "day"))
    meant = [_date(year, month, day), *([_date(year, day, month)] if "/" in content else [])]
    return tuple(dict.fromkeys(chain.from_iterable(_ways(one) for one in meant if one)))


def in_words(first: str, second: str, third: str) -> tuple[Phrase, ...]:
    """Returns other ways to write ``12 March 2024`` or ``March 12 2024``, three folded words; none if it is no date."""
    day, month = (second, first) if first in _MONTHS else (first, second)
    number = _DAY.fullmatch(day)
    if not number or month not in _MONTHS or not YEAR.fullmatch(third):
        return ()
    meant = _date(int(third), _MONTHS[month], int(number[1]))
    return _ways(meant) if meant else ()


def is_in_words(phrase: Phrase) -> bool:
    """True for ``12 March 2024``."""
    return len(phrase) == _PARTS and bool(in_words(*phrase))


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _ways(meant: date) -> tuple[Phrase, ...]:
    day, month, year = str(meant.day), str(meant.month), str(meant.year)
    names = tuple(dict.fromkeys(_NAMES[meant.month - 1]))
    numbers = [(day, month, year), (day.zfill(2), month.zfill(2), year)]
    numbers += [(year, month.zfill(2), day.zfill(2)), (year, month, day)]
    if meant.day > _MONTHS_OF_A_YEAR:  # only then is it no other date in the order of Americans
        numbers.append((month, day, year))
    english, ordinal = names[0], day + _ordinal_ending(meant.day)
    ordinals = [(ordinal, english, year), (english, ordinal, year), (ordinal, "of", english, year)]
    ordinals += [("1er", _NAMES[meant.month - 1][_FRENCH], year)] if meant.day == 1 else []
    named = [*((of_month, name, year) for name in names for of_month in (day, day.zfill(2))), (names[0], day, year)]
    de = [(day, "de", _NAMES[meant.month - 1][language], "de", year) for language in (_SPANISH, _PORTUGUESE)]
    return tuple(dict.fromkeys([*numbers, *named, *ordinals, *de]))


def _ordinal_ending(day: int) -> str:
    return "th" if day in _TEENS else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
