"""Query relaxation: what to search for instead of words that occur in no file found. Pure.

Similar words of file names and contents, or the two words of which one is made; else words that begin like it.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from rapidfuzz.distance import OSA

from search.folding import is_unspaced
from search.query import MAX_TERMS, Query
from search.ranking import TextHit
from search.terms import Phrase, Term
from search.word_index import name_text

REACH = 2
"""Edit distance (letters changed, missing, added or swapped) of words of seven letters and more; 1 for shorter ones."""

_ALPHABETS = tuple(
    "".join(map(chr, range(first, last + 1)))
    for first, last in ((0x61, 0x7A), (0x3B1, 0x3C9), (0x430, 0x457), (0x561, 0x586), (0x5D0, 0x5EA), (0x621, 0x64A))
)
"""Letters that can take each other's place: Latin, Greek, Cyrillic, Armenian, Hebrew, Arabic, as they are folded."""

_SHORTEST = 5
_SHORTEST_IN_CONTENTS = 6
_TWO_FROM = 7
_LONGEST = 32
_LEAST_NAME_WORD = 4
_LEAST_BEGINNING = 4
_ENDING = re.compile(
    "(?:ami|emi|ach|ech|ich|ych|ow|om|em|im|ym|ego|eho|emu|ej|[aeiouy]+"
    "|ами|ями|ах|ях|ів|ов|ев|ом|ем|им|ого|ому|ей|ой|ий|[аеєиіїоуюяьй]+)$"  # noqa: RUF001 - Cyrillic is meant
)
"""Endings of Slavic nouns and adjectives as they are folded, Latin and Cyrillic; of other languages a last vowel."""

_LEAST_NUMBERED = 3
_NUMBERED = re.compile(r"(?:19|20)\d\d|\d\d?")
_EXTENSION = re.compile(
    "jpe?g|png|gif|webp|hei[cf]|tiff?|bmp|avif|mp[34]|mov|m4[av]|avi|mkv|webm|wav|flac|ogg|opus|aac|srt|vtt"
    "|pdf|docx?|xlsx?|pptx?|od[tsp]|rtf|epub|txt|md|[ct]sv|html?|xml|json|eml"
)
"""Endings of file names that say what kind a file is, not which one."""

_CERTAINTY = 0.8
"""Factor for the coverage of a relaxed query's hits: they count a little less than those of the query itself."""


@dataclass(frozen=True)
class Relaxed:
    """What is searched instead of a query, and its ``corrections``: word that occurs nowhere → what is meant by it."""

    query: Query
    corrections: Mapping[str, Phrase]


def name_words(filename: str) -> set[str]:
    """Returns the words of a file name, also those inside camel case, that a query may misspell: letters only, neither
    very short nor very long.
    """
    found = name_text(filename).split()
    return {word for word in found if _LEAST_NAME_WORD <= len(word) <= _LONGEST and _is_spelt(word)}


def unmatched(terms: Iterable[Term], hits: Iterable[TextHit]) -> set[str]:
    """Returns the words of ``terms`` that occur in none of the files found."""
    found = {word for hit in hits for word in hit.found}
    return {word for term in terms for word in term.words} - found


def may_be_misspelt(words: Iterable[str]) -> set[str]:
    """Returns the words that are long enough to be corrected."""
    return {word for word in words if _SHORTEST <= len(word) <= _LONGEST and _is_spelt(word)}


def may_be_misspelt_in_contents(words: Iterable[str]) -> set[str]:
    """Returns the words that are long enough to be corrected by any word of any file: most short ones are a letter away
    from another one that means something else (*trail*, *train*).
    """
    return {word for word in may_be_misspelt(words) if len(word) >= _SHORTEST_IN_CONTENTS}


def one_letter_away(word: str) -> set[str]:
    """Returns what a misspelt word may be in contents: with one letter after the first changed, missing, added or
    swapped with the next. Letters are changed and added only in alphabetic scripts.
    """
    letters = next((alphabet for alphabet in _ALPHABETS if word[-1] in alphabet), "")
    parted = [(word[:i], word[i:]) for i in range(1, len(word) + 1)]
    missing = {left + right[1:] for left, right in parted if right}
    swapped = {left + right[1] + right[0] + right[2:] for left, right in parted if len(right) > 1}
    changed = {left + letter + right[1:] for left, right in parted if right for letter in letters}
    added = {left + letter + right for left, right in parted for letter in letters}
    return (missing | swapped | changed | added) - {word}


def inside(word: str) -> set[str]:
    """Returns the parts of a word that may be words of a file name: of "camelcase" among others "camel" and "case"."""
    least = _LEAST_NAME_WORD
    return {word[i:j] for i in range(len(word) - least + 1) for j in range(i + least, len(word) + 1)} - {word}


def relaxed(query: Query, missing: Set[str], known: Mapping[str, int], *, unstemmed: bool = False) -> Relaxed | None:
    """Returns the query with each of its ``missing`` words replaced by the nearest of the words ``known`` to be in so
    many files, or by the known ones that it is made of. If half of its terms are missing, those without a replacement
    match as beginnings of words, and of a file name each word is searched. Quoted phrases stay as they are. None if
    nothing changes.

    ``unstemmed``: the user has files in a language without a stemmer, so beginnings are looked for without an ending.
    """
    quoted = {term.words for term in query.required}
    lacking = [term for term in query.terms if term.words not in quoted and not missing.isdisjoint(term.words)]
    corrected = _corrected({word for term in lacking for word in term.words} & missing, known)
    widens = 2 * len(lacking) >= len(query.terms)
    terms: dict[Term, None] = {}
    for term in query.terms:
        instead = _instead(term, corrected, widens=widens, unstemmed=unstemmed) if term in lacking else [term]
        terms |= dict.fromkeys(instead)
    widened = tuple(terms)[:MAX_TERMS]
    return None if widened == query.terms else Relaxed(replace(query, terms=widened), corrected)


def discounted(hits: Iterable[TextHit]) -> list[TextHit]:
    """Returns the hits of a relaxed query with their coverage discounted."""
    return [hit._replace(coverage=hit.coverage * _CERTAINTY) for hit in hits]


def _corrected(missing: Iterable[str], known: Mapping[str, int]) -> dict[str, Phrase]:
    unknown = may_be_misspelt(missing) - known.keys()
    guesses = ((word, _nearest(word, known) or _split_compound(word, known)) for word in unknown)
    return {word: meant for word, meant in guesses if meant}


def _instead(term: Term, corrected: Mapping[str, Phrase], *, widens: bool, unstemmed: bool) -> Sequence[Term]:
    if any(word in corrected for word in term.words):
        return [Term(tuple(meant for word in term.words for meant in corrected.get(word, (word,))))]
    if _is_in_words(term.words) and (widens or all(map(str.isalpha, term.words))):
        return [Term((word,)) for word in _telling(term.words)] or [term]
    if not widens:
        return [term]
    if not _may_begin(term.words):
        return [term]
    return [Term(_without_ending(term.words) if unstemmed else term.words, begins=True)]


def _is_in_words(words: Phrase) -> bool:
    """True for names and identifiers of several words, also numbered ones: ``harbour-survey-2024``."""
    if len(words) == 1 or is_unspaced(words[-1]):
        return False
    spelt = [word for word in words if word.isalpha() and len(word) >= _LEAST_NAME_WORD]
    return words[-1].isalpha() or (len(spelt) > 1 and bool(_NUMBERED.fullmatch(words[-1])))


def _telling(words: Phrase) -> list[str]:
    """Returns the words of a name that tell it from others: not the kind of file, nor short numbers."""
    stem = words[:-1] if _EXTENSION.fullmatch(words[-1]) else words
    return [word for word in stem if word.isalpha() or len(word) >= _LEAST_NUMBERED]


def _may_begin(words: Phrase) -> bool:
    last = words[-1]
    if is_unspaced(last) or (len(words) == 1 and last.isdecimal()):
        return False
    return sum(map(len, words)) >= _LEAST_BEGINNING


def _without_ending(words: Phrase) -> Phrase:
    """Returns a word without its ending if enough of it is left, anything else as it is."""
    beginning = _ENDING.sub("", words[0])
    return (beginning,) if len(words) == 1 and words[0].isalpha() and len(beginning) >= _LEAST_BEGINNING else words


def _nearest(word: str, known: Mapping[str, int]) -> Phrase:
    """Returns the known word with the fewest letters changed, of equals the one that is in the most files."""
    reach = REACH if len(word) >= _TWO_FROM else 1
    alike = (other for other in known if other[0] == word[0])
    near = ((OSA.distance(word, other, score_cutoff=reach), -known[other], other) for other in alike)
    best = min((one for one in near if 0 < one[0] <= reach), default=None)
    return (best[-1],) if best else ()


def _split_compound(word: str, known: Collection[str]) -> Phrase:
    """Returns the known words of which a word is made, the longest possible first one; empty if it is not."""
    for end in range(len(word) - _LEAST_NAME_WORD, _LEAST_NAME_WORD - 1, -1):
        first, rest = word[:end], word[end:]
        if first in known and (others := (rest,) if rest in known else _split_compound(rest, known)):
            return (first, *others)
    return ()


def _is_spelt(word: str) -> bool:
    return word.isalpha() and not is_unspaced(word)
