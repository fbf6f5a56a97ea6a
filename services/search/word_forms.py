"""Finds the words of a text that are wanted by a query, or forms of them: by Snowball's stems, as Postgres does."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from types import MappingProxyType

import Stemmer

from search.folding import DEFAULT_CONFIG, SIMPLE, Token, fold, is_unspaced, spelt_text
from search.stop_words import keeps_enough

Mark = tuple[int, int, str]
"""(start, end, word or phrase of the query): a match in a text, in code points, end exclusive."""

_MIN_STEM = 4
_MIN_START = 2
_MAX_ENDING = 3
_MOST_STEMS = 20_000
_CUT_AT_THE_START = frozenset({"arabic", "indonesian"})
"""Languages whose stemmers take away articles and prefixes too."""


class WantedWords:
    """The words to highlight in texts of one language: the query's own, other forms of them there, and words with the
    wanted ``beginnings``.

    Forms are told by the stemmer of the ``language`` (a text search configuration) and by that of English, of which
    there are words in texts of all languages. Other stemmers would take words for each other: that of Hungarian
    ``station`` for ``stat``, that of French ``letter`` for ``let``. In languages without a stemmer a word is a form of
    another if both begin alike.
    """

    def __init__(
        self,
        wanted: Collection[str],
        beginnings: Collection[str] = (),
        language: str = SIMPLE,
        spelt: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._words = frozenset(wanted)
        self._prefixes = tuple(sorted(beginnings))
        self._characters = frozenset(word for word in self._words if len(word) == 1 and is_unspaced(word))
        letters = sorted(word for word in self._words if word.isalpha() and not is_unspaced(word))
        self._by_beginning: defaultdict[str, list[str]] = defaultdict(list)
        if language == SIMPLE:
            for word in letters:
                if len(word) >= _MIN_STEM:
                    self._by_beginning[word[:_MIN_STEM]].append(word)
        written = [*((spelt[word], word) for word in letters if word in spelt), *((word, word) for word in letters)]
        self._by_stem = [
            (stem, {found: word for form, word in written if keeps_enough(found := fold(stem(form)), word)})
            for stem in map(_stemmer, sorted({language, DEFAULT_CONFIG} - {SIMPLE}))
        ]
        stems = {stem for _, by_stem in self._by_stem for stem in by_stem}
        self._starts = {word[:_MIN_START] for word in (*letters, *stems)}
        self.loses_starts = language in _CUT_AT_THE_START
        """True if a form of a wanted word may begin with anything."""

        self.beginnings = _shortest({word[:_MIN_STEM] for word in (*self._words, *stems)} | set(self._prefixes))
        """Otherwise every form of a wanted word begins with one of these."""

    def known(self, word: str, written: str = "") -> str:
        """Returns the wanted word of which ``word`` is a form; empty if there is none.

        ``written``: the word with its accents, by which stemmers know endings.
        """
        if word in self._words:
            return word
        for other in self._by_beginning.get(word[:_MIN_STEM], ()):
            if _same_stem(word, other):
                return other
        if self.loses_starts or word[:_MIN_START] in self._starts:
            for stem, by_stem in self._by_stem:
                if found := by_stem.get(stem(word)):
                    return found
            if spelt := spelt_text(written):
                for stem, by_stem in self._by_stem:
                    if found := by_stem.get(fold(stem(spelt))):
                        return found
        return next((prefix for prefix in self._prefixes if word.startswith(prefix)), "")

    def marks(self, tokens: Sequence[Token], written: str) -> Iterator[Mark]:
        """Yields the matches among the tokens of a word as it is ``written``."""
        whole = written if len(tokens) == 1 else ""
        for token in tokens:
            if word := self.known(token.word, whole):
                yield token.start, token.end, word
            elif self._characters and token.end - token.start == len(token.word):
                for at, character in enumerate(token.word[: 2 if token.ends_run else 1], token.start):
                    if character in self._characters:
                        yield at, at + 1, character


@cache
def _stemmer(language: str) -> Callable[[str], str]:
    return lru_cache(maxsize=_MOST_STEMS)(Stemmer.Stemmer(language, 0).stemWord)


def _shortest(beginnings: Collection[str]) -> set[str]:
    """Leaves out what begins with another one: each word is to be found once."""
    return {one for one in beginnings if not any(one[:end] in beginnings for end in range(1, len(one)))}


def _same_stem(word: str, other: str) -> bool:
    # For languages without a stemmer a shared beginning is near enough.
    shorter, longer = sorted((word, other), key=len)
    shared = max(_MIN_STEM, len(shorter) - 2)
    return len(longer) - len(shorter) <= _MAX_ENDING and word[:shared] == other[:shared] and word.isalpha()
