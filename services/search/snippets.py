"""Finds the query's words and phrases in a passage and makes a snippet of it."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property, partial
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple, Self

from search.catenation import joined
from search.emoji import emoji_of
from search.folding import MAX_WORD, SIMPLE, Token, is_signed, is_unspaced, text_config, tokens, words, written_words
from search.terms import Phrase, Term
from search.trimming import Range, merged, trimmed
from search.word_forms import Mark, WantedWords

_LEAST_PARTED = 3
"""Letters from which on a word is also found written in parts."""

_WORTH_OF_A_PHRASE = 100
"""The value of a phrase in a snippet; a word is worth 1, and a query has fewer words than this."""

_LONG_RUN = 4
"""Number of pairs from which on each pair of a run without spaces is a term of its own."""

_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_HIRAGANA = re.compile("[\u3041-\u309f]+")
_HAS_DIGIT = re.compile(r"\d")
_BETWEEN = r"[\W_]{0,2}"
_SPACED = bytes(ord(chr(code).lower() if chr(code).isalnum() else " ") for code in range(128)).ljust(256)

_Place = tuple[int, Token]
"""(code point at which a written word begins, a token of it)."""


class Snippet(NamedTuple):
    """The shown part of a passage. ``highlights`` are (start, end) in code points of ``text``, end exclusive, in order.

    ``marks`` are the matches in the whole passage; some may overlap.
    """

    text: str
    highlights: list[Range]
    marks: list[Mark]

    @property
    def found(self) -> list[Range]:
        """The highlights of the whole passage."""
        return merged([mark[:2] for mark in self.marks])


class Highlighter:
    """Highlights one query in any number of passages in one language; examines each written form of a word once."""

    def __init__(
        self,
        wanted: Collection[str],
        phrases: Sequence[Phrase] = (),
        runs: Sequence[Phrase] = (),
        *,
        beginnings: Collection[str] = (),
        language: str = SIMPLE,
        spelt: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """``wanted``: folded words, highlighted wherever they or forms of them in the ``language`` stand;
        ``phrases``: words highlighted only where they follow each other, preferred in snippets; ``runs``: pairs of
        characters, highlighted the same way; ``beginnings`` of words. ``spelt``: wanted word → with its accents.
        """
        wanted_words = WantedWords(wanted, beginnings, language, spelt)
        self._beginnings = [f" {start}" for start in wanted_words.beginnings if start.isascii()]
        self._plain_forms = _PlainForms(wanted_words)
        self._plain_phrases = [
            (" ".join(words), _phrase_pattern(words)) for words in phrases if "".join(words).isascii()
        ]
        self._form = cache(partial(_form, wanted_words))
        self._phrases = _Phrases([*phrases, *runs])
        self._worth = {" ".join(words): _WORTH_OF_A_PHRASE for words in phrases}
        whole = {word for word in wanted if not emoji_of(word)}
        whole |= {" ".join(phrase) for phrase in phrases if len(phrase) == 1 or all(map(str.isdecimal, phrase))}
        self._numbers = _apart_in_text(word for word in whole if _HAS_DIGIT.search(word))
        has_signed = any(map(is_signed, (*wanted, *(word for phrase in phrases for word in phrase))))
        self._plain = not has_signed and not wanted_words.loses_starts
        self._emoji = frozenset(filter(None, map(emoji_of, wanted)))
        self._letters = [word for word in whole if not _HAS_DIGIT.search(word)]

    @classmethod
    def of(cls, terms: Collection[Term], language: str = SIMPLE) -> Self:
        """Builds the highlighter of a query's terms; quoted phrases, codes and file names are highlighted as a whole.

        ``language``: the text search configuration of the texts, by which their stemmer is called.
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
        return cls(words, phrases, runs, beginnings=beginnings, language=language, spelt=spelt)

    def snippet(self, text: str, *, holds_words: bool = False) -> Snippet:
        """Returns about ``MAX_SNIPPET`` characters at most around the best matches, phrases first.

        ``holds_words``: words of the query occur for certain, if need be written in parts (:mod:`search.catenation`).
        """
        plain = self._plain and text.isascii()
        marks = self._marks_in_ascii(text) if plain else self._marks_in_unicode(text)
        if self._numbers:
            marks = sorted({*marks, *_marks(self._numbers, text)})
        if self._emoji:
            marks = sorted([*marks, *((at, at + 1, char) for at, char in enumerate(text) if char in self._emoji)])
        if holds_words and not marks:
            marks = sorted(_marks(self._letters_apart, text))
        return Snippet(*trimmed(text, marks, self._worth), marks)

    @cached_property
    def _letters_apart(self) -> dict[str, re.Pattern[str]]:
        """Compiled when a passage needs them, which few do."""
        return _apart_in_text(self._letters)

    def _marks_in_ascii(self, text: str) -> list[Mark]:
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

    def _marks_in_unicode(self, text: str) -> list[Mark]:
        marks: list[Mark] = []
        places: list[_Place] = []
        for written in written_words(text):
            at = written.start()
            form = self._form(written[0])
            marks += [(at + start, at + end, found) for start, end, found in form.marks]
            if self._phrases:
                places += [(at, token) for token in form.tokens]
        if self._phrases:
            marks += self._phrases.marks(places)
            marks.sort()
        return marks


class Highlighters:
    """Highlights one query in files of any language: one highlighter for each, made for the first file in it."""

    def __init__(self, terms: Collection[Term] = ()) -> None:
        self._of = cache(partial(Highlighter.of, terms))

    def for_language(self, language: str | None) -> Highlighter:
        """Returns the highlighter for texts in an ISO 639 or BCP 47 language."""
        return self._of(text_config(language))


class _PlainForms(dict[str, str]):
    """A space and an ASCII word → the wanted word it is a form of, empty if none; computed on first use."""

    def __init__(self, wanted: WantedWords) -> None:
        super().__init__()
        self._wanted = wanted

    def __missing__(self, written: str) -> str:
        self[written] = self._wanted.known(written[1 : MAX_WORD + 1])
        return self[written]


class _Form(NamedTuple):
    """The tokens of a word as it is written, and the wanted ones among them."""

    tokens: tuple[Token, ...]
    marks: tuple[Mark, ...]


class _Phrases:
    """Finds phrases among the tokens of a text."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._by_first: defaultdict[str, list[Phrase]] = defaultdict(list)
        for phrase in phrases:
            self._by_first[phrase[0]].append(phrase)

    def __bool__(self) -> bool:
        return bool(self._by_first)

    def marks(self, places: Sequence[_Place]) -> Iterator[Mark]:
        by_first = self._by_first
        for place, (at, token) in enumerate(places):
            for phrase in by_first.get(token.word, ()):
                following = places[place : place + len(phrase)]
                here = [one for _, one in following]
                if _are(here, phrase) and not any(_apart(*two) for two in pairwise(here)):
                    last_at, last = following[-1]
                    # If the last word is only the first character of a pair, the second one is not highlighted.
                    end = last.end if last.word == phrase[-1] else last.start + 1
                    yield at + token.start, last_at + end, " ".join(phrase)


def _apart_in_text(wanted: Iterable[str]) -> dict[str, re.Pattern[str]]:
    """Words, or whole and decimals of an amount, with patterns for them in parts."""
    each = (word for word in sorted(wanted) if len(word) >= _LEAST_PARTED and not is_unspaced(word))
    # A pattern of its own for each, that begins with a character: the engine looks for that one alone.
    return {word: re.compile(rf"{_BETWEEN.join(word.replace(' ', ''))}(?![^\W_])", re.IGNORECASE) for word in each}


def _marks(patterns: Mapping[str, re.Pattern[str]], text: str) -> Iterator[Mark]:
    for wanted, pattern in patterns.items():
        for found in pattern.finditer(text):
            start, end = found.span()
            if (not start or not text[start - 1].isalnum()) and _is_one(found[0], wanted):
                yield start, end, "".join(filter(str.isalnum, found[0].lower()))


def _is_one(written: str, wanted: str) -> bool:
    """True if what is written is the wanted word, or its parts that catenation joins: 20/24 is not 2024."""
    parts = words(written)
    return wanted in (" ".join(parts), joined(written, parts))


def _form(wanted: WantedWords, written: str) -> _Form:
    found = tuple(tokens(written))
    return _Form(found, tuple(wanted.marks(found, written)))


def _are(found: Sequence[Token], phrase: Phrase) -> bool:
    """True if the tokens are the words of the phrase; its last word may be the first character of a pair."""
    if len(found) < len(phrase) or any(one.word != word for one, word in zip(found, phrase[:-1], strict=False)):
        return False
    last = phrase[-1]
    return found[-1].word == last or (len(last) == 1 and is_unspaced(last) and found[-1].word.startswith(last))


def _apart(one: Token, other: Token) -> bool:
    """True for pairs that share a character but stand in two runs."""
    return one.ends_run and is_unspaced(other.word) and one.word[-1] == other.word[0]


def _phrase_pattern(phrase: Phrase) -> re.Pattern[str]:
    """Returns a pattern for a phrase after a space in a text in which all other characters became spaces."""
    # Longer words are known by their beginning.
    whole = (word + "[a-z0-9]*" if len(word) == MAX_WORD else word for word in phrase)
    return re.compile(" " + " +".join(whole) + "(?![a-z0-9])")


def _chains(words: Iterable[str]) -> list[list[str]]:
    """Groups words: overlapping pairs of characters were one run, every other word is a group of its own."""
    chains: list[list[str]] = []
    for word in words:
        if chains and len(word) == 2 and is_unspaced(word) and chains[-1][-1][-1] == word[0]:
            chains[-1].append(word)
        else:
            chains.append([word])
    return chains
