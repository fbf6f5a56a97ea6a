"""Cuts the part of a passage worth showing and says which stretches of it are the query's words and phrases."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple, Self

from search.folding import MAX_WORD, Token, is_unspaced, tokens, written_words
from search.query import Phrase, Term
from search.word_forms import Mark, WantedWords

MAX_SNIPPET = 300
_LEAD = 60
_ROOM = MAX_SNIPPET - _LEAD
_LEAST_PARTED = 4
ELLIPSIS = "…"

_WORTH_OF_A_PHRASE = 100
"""In a snippet; each word is worth 1, and a query has fewer of them."""

_LONG_RUN = 4
"""Pairs of characters from which on each pair of a run without spaces is a term of its own."""

_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_HIRAGANA = re.compile("[\u3041-\u309f]+")
_HAS_DIGIT = re.compile(r"\d")
_BETWEEN = r"[\W_]{0,2}"
_SPACED = bytes(ord(chr(code).lower() if chr(code).isalnum() else " ") for code in range(128)).ljust(256)

Range = tuple[int, int]

_Place = tuple[int, Token]
"""A token of a written word, and where that word begins."""


class Snippet(NamedTuple):
    """``highlights`` are (start, end) in Unicode code points of ``text``, end exclusive, in order.

    ``marks`` are those of the whole passage, and some may overlap.
    """

    text: str
    highlights: list[Range]
    marks: list[Mark]

    @property
    def found(self) -> list[Range]:
        """Like ``highlights``, in the whole passage."""
        return _merged([mark[:2] for mark in self.marks])


class Highlighter:
    """Of one query: looks at each form of a word once, however many passages it occurs in."""

    def __init__(
        self,
        wanted: Collection[str],
        phrases: Sequence[Phrase] = (),
        runs: Sequence[Phrase] = (),
        *,
        beginnings: Collection[str] = (),
        languages: Iterable[str] = (),
        spelt: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """``wanted``: folded words, marked wherever they or forms of them in one of the ``languages`` stand;
        ``phrases``: words that are marked where they follow each other, and come first; ``runs``: pairs of characters
        that are marked the same way; ``beginnings`` of words. ``spelt``: a wanted word with its accents.
        """
        sought = WantedWords(wanted, beginnings, languages, spelt)
        self._beginnings = [f" {start}" for start in sought.beginnings if start.isascii()]
        self._plain_forms = _PlainForms(sought)
        self._plain_phrases = [(" ".join(words), _plain(words)) for words in phrases if "".join(words).isascii()]
        self._form = cache(partial(_form, sought))
        self._phrases = _Phrases([*phrases, *runs])
        self._worth = {" ".join(words): _WORTH_OF_A_PHRASE for words in phrases}
        whole = {*wanted, *(words[0] for words in phrases if len(words) == 1)}
        self._numbers = _apart_in_text(word for word in whole if _HAS_DIGIT.search(word))
        self._words = _apart_in_text(word for word in whole if not _HAS_DIGIT.search(word))

    @classmethod
    def of(cls, terms: Collection[Term], languages: Iterable[str] = ()) -> Self:
        """Of a query's terms: what is quoted, a code or a file name is marked as a whole or not at all.

        ``languages`` by the names of their stemmers, which are those of Postgres' text search configurations.
        """
        phrases: list[Phrase] = []
        runs: list[Phrase] = []
        single: list[str] = []
        beginnings: list[str] = []
        for term in terms:
            if term.begins:
                single += term.words[:-1]
                beginnings.append(term.words[-1])
            elif term.literal:
                phrases += (term.words, *term.respelt)
            elif len(term.words) > 1 and all(map(is_unspaced, term.words)):
                # Hiragana alone is an ending, and half of one says nothing.
                runs += [term.words] if _HIRAGANA.fullmatch("".join(term.words)) else pairwise(term.words)
            else:
                single += (*term.words, *(word for phrase in term.respelt for word in phrase))
        words: list[str] = []
        for chain in _chains(single):
            if len(chain) < _LONG_RUN:
                words += chain
            else:
                runs += pairwise(chain)
                # Two Chinese characters are a word more often than not, those of other scripts are sounds.
                words += [pair for pair in chain if _CHINESE.fullmatch(pair)]
        spelt = {term.words[0]: term.spelt for term in terms if term.spelt}
        return cls(words, phrases, runs, beginnings=beginnings, languages=languages, spelt=spelt)

    def snippet(self, text: str, *, holds_words: bool = False) -> Snippet:
        """At most about ``MAX_SNIPPET`` characters around the most of what is wanted, phrases first.

        ``holds_words``: some of what is wanted occurs, if need be written in parts (:mod:`search.catenation`).
        """
        marks = self._plain(text) if text.isascii() else self._unlike_ascii(text)
        if self._numbers:
            marks = sorted({*marks, *_marks(self._numbers, text)})
        if holds_words and not marks and self._words:
            marks = list(_marks(self._words, text))
        if len(text) <= MAX_SNIPPET:
            return Snippet(text, _merged([mark[:2] for mark in marks]), marks)
        start, end = _cut(text, _best(marks, self._worth))
        lead, tail = (ELLIPSIS if start else ""), (ELLIPSIS if end < len(text) else "")
        return Snippet(f"{lead}{text[start:end]}{tail}", _inside(marks, start, end, len(lead) - start), marks)

    def _plain(self, text: str) -> list[Mark]:
        # Spaces around each word: to look for what words begin with is faster than any pattern.
        spaced = f" {text.encode().translate(_SPACED).decode()} "
        forms, find = self._plain_forms, spaced.find
        marks: list[Mark] = []
        for beginning in self._beginnings:
            at = find(beginning)
            while at >= 0:
                end = find(" ", at + 1)
                if found := forms[spaced[at:end]]:
                    marks.append((at, end - 1, found))
                at = find(beginning, end)
        for name, phrase in self._plain_phrases:
            marks += [(words.start(), words.end() - 1, name) for words in phrase.finditer(spaced)]
        if len(marks) > 1:
            marks.sort()
        return marks

    def _unlike_ascii(self, text: str) -> list[Mark]:
        marks: list[Mark] = []
        said: list[_Place] = []
        for written in written_words(text):
            at = written.start()
            form = self._form(written[0])
            marks += [(at + start, at + end, found) for start, end, found in form.marks]
            if self._phrases:
                said += [(at, token) for token in form.tokens]
        if self._phrases:
            marks += self._phrases.marks(said)
            marks.sort()
        return marks


class _PlainForms(dict[str, str]):
    """An ASCII word after a space → which wanted word it is, if any; found out at the first time."""

    def __init__(self, wanted: WantedWords) -> None:
        super().__init__()
        self._wanted = wanted

    def __missing__(self, written: str) -> str:
        self[written] = self._wanted.known(written[1 : MAX_WORD + 1])
        return self[written]


class _Form(NamedTuple):
    """What there is in a word as it is written, and what of that is wanted."""

    tokens: tuple[Token, ...]
    marks: tuple[Mark, ...]


class _Phrases:
    """Finds words that follow each other among the tokens of a text."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._by_first: defaultdict[str, list[Phrase]] = defaultdict(list)
        for phrase in phrases:
            self._by_first[phrase[0]].append(phrase)

    def __bool__(self) -> bool:
        return bool(self._by_first)

    def marks(self, said: Sequence[_Place]) -> Iterator[Mark]:
        by_first = self._by_first
        for place, (at, token) in enumerate(said):
            for phrase in by_first.get(token.word, ()):
                following = said[place : place + len(phrase)]
                here = [one for _, one in following]
                if _are(here, phrase) and not any(_apart(*two) for two in pairwise(here)):
                    last_at, last = following[-1]
                    # Of a pair that only begins with the last character the other one is not meant.
                    end = last.end if last.word == phrase[-1] else last.start + 1
                    yield at + token.start, last_at + end, " ".join(phrase)


def _apart_in_text(wanted: Iterable[str]) -> re.Pattern[str] | None:
    """Finds words whose characters may be parted by what catenation leaves out."""
    each = [_BETWEEN.join(word) for word in sorted(wanted) if len(word) >= _LEAST_PARTED and not is_unspaced(word)]
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(each)})(?![^\W_])", re.IGNORECASE) if each else None


def _marks(pattern: re.Pattern[str], text: str) -> Iterator[Mark]:
    for found in pattern.finditer(text):
        yield found.start(), found.end(), "".join(filter(str.isalnum, found[0].lower()))


def _form(wanted: WantedWords, written: str) -> _Form:
    said = tuple(tokens(written))
    return _Form(said, tuple(wanted.marks(said)))


def _are(said: Sequence[Token], phrase: Phrase) -> bool:
    """The last word of a phrase may be a single character and begin a pair."""
    if len(said) < len(phrase) or any(one.word != word for one, word in zip(said, phrase[:-1], strict=False)):
        return False
    last = phrase[-1]
    return said[-1].word == last or (len(last) == 1 and is_unspaced(last) and said[-1].word.startswith(last))


def _apart(one: Token, other: Token) -> bool:
    """True for pairs that share a character and yet stand in two runs."""
    return one.ends_run and is_unspaced(other.word) and one.word[-1] == other.word[0]


def _plain(phrase: Phrase) -> re.Pattern[str]:
    """Of a phrase after a space, whatever it was that parted its words."""
    # Longer words are known by their beginning.
    whole = (word + "[a-z0-9]*" if len(word) == MAX_WORD else word for word in phrase)
    return re.compile(" " + " +".join(whole) + "(?![a-z0-9])")


def _chains(words: Iterable[str]) -> list[list[str]]:
    """Pairs of characters that overlap were one run; every other word is alone."""
    chains: list[list[str]] = []
    for word in words:
        if chains and len(word) == 2 and is_unspaced(word) and chains[-1][-1][-1] == word[0]:
            chains[-1].append(word)
        else:
            chains.append([word])
    return chains


def _merged(ranges: Sequence[Range]) -> list[Range]:
    """Those that touch as one."""
    merged: list[Range] = []
    reach = -1
    for start, end in ranges:
        if start > reach:
            merged.append((start, end))
            reach = end
        elif end > reach:
            merged[-1] = (merged[-1][0], end)
            reach = end
    return merged


def _best(marks: Sequence[Mark], worth: Mapping[str, int]) -> Range:
    """The stretch that holds most of what is wanted, each thing once; of several the shortest, then the first."""
    if not marks:
        return 0, 0
    begin, last, leaving = marks[0]
    if marks[-1][1] - begin <= _ROOM:
        return begin, marks[-1][1]
    best, most, shortest = (begin, last), 0, 0
    held: dict[str, int] = {}
    first = 0
    for start, end, found in marks:
        held[found] = held.get(found, 0) + 1
        while held[leaving] > 1 or (end - begin > _ROOM and begin < start):
            held[leaving] -= 1
            if not held[leaving]:
                del held[leaving]
            first += 1
            begin, _, leaving = marks[first]
        holding = sum([worth.get(one, 1) for one in held]) if worth else len(held)
        if holding > most or (holding == most and end - begin < shortest):
            best, most, shortest = (begin, end), holding, end - begin
    return best


def _cut(text: str, best: Range) -> Range:
    """What is shown of a text that is too long: all of ``best`` as far as there is room, between spaces."""
    start = max(0, min(best[0] - _LEAD, len(text) - MAX_SNIPPET))
    if start:
        start = text.find(" ", start, start + _LEAD) + 1 or start
    end = start + MAX_SNIPPET
    if end >= len(text):
        return start, len(text)
    return start, max(text.rfind(" ", start, end + 1), start + MAX_SNIPPET // 2, min(best[1], end))


def _inside(marks: Iterable[Mark], start: int, end: int, shift: int) -> list[Range]:
    """What of ``marks`` lies between ``start`` and ``end``, moved by ``shift``."""
    return _merged([(max(a, start) + shift, min(b, end) + shift) for a, b, _ in marks if a < end and b > start])
