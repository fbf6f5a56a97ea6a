"""What is looked for: words, codes and phrases with their spellings, as text of a ``tsquery``. Pure."""

import re
from dataclasses import dataclass, field
from itertools import pairwise

from search.folding import is_unspaced

SHORT_RUN = 3
"""Pairs of characters of a run without spaces that is looked for as it is: four characters."""

HIRAGANA = re.compile("[\u3041-\u309f]")

Phrase = tuple[str, ...]
"""Folded words that follow each other."""


@dataclass(frozen=True)
class Term:
    """Words that must follow each other. ``literal``: a code, file name or phrase, which is enough to find a file by.

    ``spelt``: a single word in lower case with its accents, if folding changed it. ``respelt``: other spellings that
    match as well: ``PO-88012`` and ``PO88012``, ``e-mail`` and ``email``, ``250ml`` and ``250 ml``, ``Köln`` and
    ``Koeln``. ``begins``: its last word may be the beginning of a longer one.
    """

    words: Phrase
    literal: bool = False
    spelt: str = field(default="", compare=False)
    respelt: tuple[Phrase, ...] = field(default=(), compare=False)
    begins: bool = False

    @property
    def is_plain(self) -> bool:
        """True for a single word that is searched in all its forms."""
        return len(self.words) == 1 and not self.literal and not self.begins

    @property
    def tsquery(self) -> str:
        """The term as a tsquery text of the ``simple`` configuration; words are letters and digits: quoting is safe."""
        spellings = [_following(self.words, begins=self.begins), *map(_following, self.respelt)]
        if self.literal and len(self.words) == 1 and not is_unspaced(self.words[0]):
            # Stems lie beside the words, but without positions: the word itself is where it is.
            spellings[0] = f"('{self.words[0]}' <0> '{self.words[0]}')"
        if not self.literal and _is_two_words(self.words):
            spellings.append(f"('{self.words[0]}' & '{self.words[-1]}')")
        return f"({' | '.join(spellings)})" if len(spellings) > 1 else spellings[0]


def _following(phrase: Phrase, *, begins: bool = False) -> str:
    steps = (f" <{_distance(*two)}> '{two[1]}'" for two in pairwise(phrase))
    # A single character of a script without spaces is the beginning of a pair more often than a run of its own.
    open_end = begins or (len(phrase[-1]) == 1 and is_unspaced(phrase[-1]))
    return f"('{phrase[0]}'{''.join(steps)}{':*' if open_end else ''})"


def _is_two_words(run: Phrase) -> bool:
    """True for four characters of Chinese or Japanese: mostly two words, which need not stand together."""
    return len(run) == SHORT_RUN and all(map(is_unspaced, run)) and not HIRAGANA.search("".join(run))


def _distance(word: str, following: str) -> int:
    """Returns the distance of two tokens in the index, where a run without spaces has its last character once more."""
    ends_run = len(word) == 2 and is_unspaced(word) and not (is_unspaced(following) and following[0] == word[1])
    return 2 if ends_run else 1
