"""How similar in meaning a passage must be to a query to be returned, by model and by the words of the query.

The figures are measured by ``python -m tests.bench.calibration``; docs/decisions/0011 says how, and why the thresholds
are absolute.
"""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from embeddings import minilm
from search.folding import words

SENTENCE = 4
"""Words from which on a query is a sentence: fewer come near a passage by chance, and near their own still more."""

_LAST_LATIN = "\u024f"
_HALF = 0.5
_MOST_LETTERS = 100
"""Length of a word up to which a word-piece model splits it into parts that it knows."""


@dataclass(frozen=True)
class Cutoffs:
    """The thresholds of one query: minimum cosines, and the weight (0 to 1) of its semantic vote beside the words'.

    ``alone`` is for files found by meaning only, ``with_words`` for those in which words of the query occur as well.
    """

    alone: float
    with_words: float
    trust: float = 1.0


@dataclass(frozen=True)
class Calibration:
    """The figures of a model. ``plain``: minimum cosine of queries it can read. ``poorly_read``: of those in which it
    knows fewer than half of the words as whole words; such vectors say more about spelling than about meaning, and
    nonsense is read that way. ``with_words``: of files in which words of the query occur as well.

    ``vocabulary``: the words the model knows; None for a model that reads every language. ``rises``: by how much all
    three rise each time the passages become e times as many, because the nearest of more is nearer by chance. Not for
    sentences that the model can read (:data:`SENTENCE`): their true answers begin at ``plain``, however many there are.
    """

    plain: float
    with_words: float
    poorly_read: float = math.inf
    vocabulary: frozenset[str] | None = None
    rises: float = 0.0

    def cutoffs(self, text: str, passages: int = 0) -> Cutoffs:
        """Returns the thresholds for a query over that many passages. If the model cannot tokenize the query (no word
        it knows, or a script it cannot read), semantic hits count only where words match too.
        """
        found = words(text)
        cutoffs, raised = self._cutoffs(found), self.rises * math.log(min(max(passages, _FEW), _MANY) / _FEW)
        if len(found) >= SENTENCE and cutoffs.alone == self.plain:
            return cutoffs
        return replace(cutoffs, alone=cutoffs.alone + raised, with_words=cutoffs.with_words + raised)

    def strange(self, found: Iterable[str]) -> set[str]:
        """Returns the words that the model does not know as a whole; none if it reads every language."""
        return {word for word in found if word not in self.vocabulary} if self.vocabulary is not None else set()

    def _cutoffs(self, found: Sequence[str]) -> Cutoffs:
        if self.vocabulary is None or not found:
            return Cutoffs(self.plain, self.with_words)
        if any(word > _LAST_LATIN for word in found) or not any(self._reads(word) for word in found):
            return Cutoffs(math.inf, self.with_words, _TRUST_IF_POORLY_READ)
        known = sum(len(word) > 1 and word in self.vocabulary for word in found)
        if known >= _HALF * len(found):
            return Cutoffs(self.plain, self.with_words)
        return Cutoffs(self.poorly_read, self.with_words, _TRUST_IF_POORLY_READ)

    def _reads(self, word: str) -> bool:
        """True if the model knows the word or can split it, down to single letters."""
        known = self.vocabulary or frozenset()
        return len(word) <= _MOST_LETTERS and all(char.isascii() or char in known for char in word)


_FEW, _MANY = 500, 10_000
"""Passages among which the thresholds were measured, and beyond which nothing was: there they rise no further."""

_TRUST_IF_POORLY_READ = 0.3
"""The weight of the semantic vote if the model reads the query poorly; anything from 0.2 to 0.5 ranks alike."""


@dataclass(frozen=True)
class _Figures:
    plain: float
    with_words: float
    poorly_read: float = math.inf
    vocabulary: Callable[[], Collection[str]] | None = None
    rises: float = 0.0


_FIGURES: Mapping[str, _Figures] = MappingProxyType(
    {
        "all-minilm-l6-v2": _Figures(0.29, 0.22, 0.42, minilm.vocabulary, rises=0.02),
        "text-embedding-3-small": _Figures(0.25, 0.15),
    }
)
"""By the model's name, without what follows ``@`` in its id.

all-minilm-l6-v2: measured over 492 passages (docs/decisions/0011). text-embedding-3-small: not measured yet, from its
makers' examples; run the calibration with a key. Each time passages become e times as many (400 to 9,300), the cosine
of the nearest unrelated one rises by 0.03; of short queries hardly a result is lost with ``rises`` 0.02.
"""

_UNMEASURED = _Figures(0.2, 0.15)
"""For any other model: low, so that no result is lost before its figures are measured."""


def calibration_for(model_id: str) -> Calibration:
    """Returns the figures of a model; reads its vocabulary from disk if it has one."""
    figures = _FIGURES.get(model_id.partition("@")[0], _UNMEASURED)
    vocabulary = frozenset(figures.vocabulary()) if figures.vocabulary else None
    return Calibration(figures.plain, figures.with_words, figures.poorly_read, vocabulary, figures.rises)
