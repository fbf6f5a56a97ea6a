"""Decides from the words of a query how near in meaning a passage must be to count as an answer, per model.

The figures are measured by ``python -m tests.bench.calibration``; what it measures and why the bar is absolute
stands in docs/decisions/0011.
"""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from embeddings import minilm
from search.folding import words

_LAST_LATIN = "\u024f"
_HALF = 0.5
_MOST_LETTERS = 100
"""Letters of a word up to which a word-piece model looks for parts of it that it knows."""


@dataclass(frozen=True)
class Bar:
    """What the meaning of one query is worth: least cosines, and the weight of its vote (0 to 1) beside the words'.

    ``alone`` holds where nothing else speaks for a file, ``with_words`` where words of the query occur in it as well.
    """

    alone: float
    with_words: float
    trust: float = 1.0


@dataclass(frozen=True)
class CutOff:
    """A model's bars. ``plain``: for queries it can read. ``poorly_read``: where it knows fewer than half of the words
    as whole words; such vectors say more about spelling than about meaning, and nonsense is read that way.

    ``vocabulary``: the words the model knows; None stands for a model that reads every language. ``rises``: by how much
    all three bars rise for each time e as many passages, of which the nearest comes the nearer by chance.
    """

    plain: float
    with_words: float
    poorly_read: float = math.inf
    vocabulary: frozenset[str] | None = None
    rises: float = 0.0

    def bar(self, text: str, passages: int = 0) -> Bar:
        """The bar for a query among so many passages. What a model cannot read is all alike to it: where it can read
        nothing of a query, or meets a script it cannot read, nothing is near enough by itself.
        """
        bar, raised = self._bar(text), self.rises * math.log(min(max(passages, _FEW), _MANY) / _FEW)
        return replace(bar, alone=bar.alone + raised, with_words=bar.with_words + raised)

    def _bar(self, text: str) -> Bar:
        found = words(text)
        if self.vocabulary is None or not found:
            return Bar(self.plain, self.with_words)
        if any(word > _LAST_LATIN for word in found) or not any(self._reads(word) for word in found):
            return Bar(math.inf, self.with_words, _DOUBTFUL)
        known = sum(len(word) > 1 and word in self.vocabulary for word in found)
        if known >= _HALF * len(found):
            return Bar(self.plain, self.with_words)
        return Bar(self.poorly_read, self.with_words, _DOUBTFUL)

    def _reads(self, word: str) -> bool:
        """True when the model knows the word or can take it apart, down to single letters."""
        known = self.vocabulary or frozenset()
        return len(word) <= _MOST_LETTERS and all(char.isascii() or char in known for char in word)


_FEW, _MANY = 500, 10_000
"""The bars are measured among so few passages; beyond so many nothing is measured, and they rise no further."""

_DOUBTFUL = 0.3
"""The weight of a vote cast on a query that was read poorly; anything from 0.2 to 0.5 ranks alike."""


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
makers' examples; run the calibration with a key. The nearest of what is unrelated rises by 0.03 for each time e as many
passages, 400 to 9,300 of them; at 0.02 hardly an answer is lost.
"""

_UNMEASURED = _Figures(0.2, 0.15)
"""For any other model: low, so that no answer is lost before its figures are measured."""


def cut_off_for(model_id: str) -> CutOff:
    """The bars of a model; reads its vocabulary from disk where it has one."""
    figures = _FIGURES.get(model_id.partition("@")[0], _UNMEASURED)
    vocabulary = frozenset(figures.vocabulary()) if figures.vocabulary else None
    return CutOff(figures.plain, figures.with_words, figures.poorly_read, vocabulary, figures.rises)
