"""Other spellings of what was typed, which match as well: of one term, and of terms that stand together. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, groupby, pairwise

from search import dates
from search.catenation import joined, without_edges
from search.folding import is_unspaced, words
from search.terms import Phrase, Term

_RUNS = re.compile(r"\d+|[^\W\d_]+")
_LONGEST_PARTED = 10
"""Characters of a code of three runs of letters or digits, such as a number plate, that may be written apart."""

_SHORT_GROUP = 4
_FEW_GROUPS = range(3, 7)
_VERSION = re.compile(r"v?\d+(?:\.\d+)+", re.IGNORECASE)
_HANGUL = re.compile("[\uac00-\ud7af]+")
_DIGRAPHS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_LONGEST_UNIT = 4
_LEAST_PART = 3
"""Letters of each half of a word that may be written apart."""

_FEW_TERMS = 3
"""Terms up to which neighbours may be one word written apart: in a sentence words just follow each other."""

_ONE_NUMBER = range(7, 41)
"""Digits that groups of digits have together if they are one number."""


def of_code(content: str, found: Phrase) -> tuple[Phrase, ...]:
    """Returns other spellings of a code, file name or date."""
    code = without_edges(content)
    ways = (*as_one(code, found), *parted(found), *_version(code, found), *dates.in_numbers(code))
    return tuple(way for way in ways if way != found)


def as_one(content: str, found: Phrase) -> tuple[Phrase, ...]:
    """Returns a word written in parts as one, as the index has it too."""
    whole = joined(content, found) if len(found) > 1 else ""
    return (tuple(whole.split()),) if whole else ()


def with_digraphs(word: str, spelt: str) -> tuple[Phrase, ...]:
    """Returns ``Koeln`` for ``Köln``; ``spelt`` is the word with its accents, or empty."""
    digraphs = words(spelt.translate(_DIGRAPHS)) if spelt else ()
    return (digraphs,) if len(digraphs) == 1 and digraphs[0] != word else ()


def without_particle(found: Phrase) -> tuple[Phrase, ...]:
    """Returns a Korean word without its last character, which is mostly a particle written together with it."""
    return (found[:-1],) if len(found) > 1 and all(map(_HANGUL.fullmatch, found)) else ()


def with_neighbours(terms: Sequence[Term]) -> list[Term]:
    """Returns the terms with the spellings that they have together with those beside them, and the dates they make."""
    found = list(terms)
    for at, spelling in (*_units(terms), *_groups(terms), *_mixed_groups(terms), *_compounds(terms)):
        found[at] = replace(found[at], respelt=(*found[at].respelt, spelling))
    return [*found, *_dates(terms)]


_Spellings = Iterator[tuple[int, Phrase]]
"""(place of a term, another spelling of it)."""


def _units(terms: Sequence[Term]) -> _Spellings:
    """``16GB`` for ``16 GB``, ``13.4kg`` for ``13.4 kg``, ``DE123456789`` for ``DE 123456789``."""
    for at, (one, other) in enumerate(pairwise(terms)):
        first, second = one.words[-1], _only_word(other)
        if _only_word(one) and _is_number_and_unit(first, second):
            yield from _for_all((at, at + 1), [(first + second,)])
        elif all(map(str.isdecimal, one.words)) and _is_number_and_unit(first, second):
            yield at, (*one.words[:-1], first + second)


def _groups(terms: Sequence[Term]) -> _Spellings:
    """``977200009123`` for ``977 2000 09123``."""
    for is_number, group in groupby(enumerate(terms), lambda numbered: _only_word(numbered[1]).isdecimal()):
        places = [at for at, _ in group] if is_number else []
        whole = "".join(_only_word(terms[at]) for at in places)
        if len(places) > 1 and len(whole) in _ONE_NUMBER:
            yield from _for_all(places, [(whole,)])


def _mixed_groups(terms: Sequence[Term]) -> _Spellings:
    """``03N115562B`` for ``03N 115 562 B``, if the query is nothing else."""
    groups = [_only_word(term) for term in terms]
    numbered = sum(any(map(str.isdecimal, group)) for group in groups)
    short = all(group.isascii() and 0 < len(group) <= _SHORT_GROUP for group in groups)
    whole = "".join(groups)
    if short and len(terms) in _FEW_GROUPS and len(whole) in _ONE_NUMBER and 2 * numbered >= len(groups):
        yield from [] if whole.isdecimal() else _for_all(range(len(terms)), [(whole,)])


def _dates(terms: Sequence[Term]) -> Iterator[Term]:
    """``18 September 2024``, which is found as a code is however it is written, beside its words."""
    written = [word for term in terms if (word := _only_word(term)) not in dates.OF]
    for three in zip(written, written[1:], written[2:], strict=False):
        if ways := dates.in_words(*three):
            yield Term(three, literal=True, respelt=tuple(way for way in ways if way != three))


def _compounds(terms: Sequence[Term]) -> _Spellings:
    """``whiteboard`` for ``white board``, ``Fahrradstellplatz`` for ``Fahrrad Stellplatz``."""
    if len(terms) <= _FEW_TERMS:
        for at, (one, other) in enumerate(pairwise(terms)):
            if _may_be_part(one) and _may_be_part(other):
                yield from _for_all((at, at + 1), [(one.words[0] + other.words[0],)])


def _for_all(places: Iterable[int], spellings: Iterable[Phrase]) -> _Spellings:
    others = list(spellings)
    return ((place, spelling) for place in places for spelling in others)


def _only_word(term: Term) -> str:
    return term.words[0] if len(term.words) == 1 else ""


def _may_be_part(term: Term) -> bool:
    word = _only_word(term)
    return term.is_plain and len(word) >= _LEAST_PART and word.isalpha() and not is_unspaced(word)


def parted(found: Phrase) -> tuple[Phrase, ...]:
    """Returns ``250 ml`` for ``250ml``, ``13.4 kg`` for ``13.4kg``, ``22 µg/l`` for ``22µg/l``, and ``LV19 KXD`` among
    others for ``LV19KXD``; what alternates more often is a hash.
    """
    runs = [_RUNS.findall(word) for word in found]
    lengths = sorted(map(len, runs))
    if lengths == [3] and len(found[0]) <= _LONGEST_PARTED:
        one, two, three = runs[0]
        return ((one, two, three), (one + two, three), (one, two + three))
    is_quantity = any(len(of_word) == 2 and of_word[0].isdecimal() for of_word in runs)
    has_one_joint = lengths == [2] or (lengths[-2:] == [1, 2] and is_quantity)
    return (tuple(chain.from_iterable(runs)),) if has_one_joint else ()


def _version(content: str, found: Phrase) -> tuple[Phrase, ...]:
    """Returns ``v2.3.1`` for ``2.3.1``, and the other way round."""
    if not _VERSION.fullmatch(content):
        return ()
    number = found[0].removeprefix("v")
    return ((number if number != found[0] else f"v{number}", *found[1:]),)


def _is_number_and_unit(one: str, other: str) -> bool:
    unit = other if one.isdecimal() else one
    return one.isdecimal() != other.isdecimal() and unit.isalpha() and unit.isascii() and len(unit) <= _LONGEST_UNIT
