"""Turns a question that was already paid for into its answer: a delivery that is repeated never pays twice here.

The pipeline's own memory is the manifest; this one covers the minutes before it, when storing fails or a file needs
several answers and the third is not to be had.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

from analyzer.backends.gemini.answers import Closed
from contracts.artifacts import Usage

_MOST = 100
AnswerT_co = TypeVar("AnswerT_co", bound=Closed, covariant=True)


@dataclass(frozen=True)
class Paid(Generic[AnswerT_co]):
    """A usable answer, the harms named beside it, and all that was paid for it, failed tries included."""

    answer: AnswerT_co
    harms: tuple[str, ...]
    usage: Usage


class PaidAnswers:
    """The last hundred answers by key. Belongs to one event loop."""

    def __init__(self) -> None:
        self._answers: OrderedDict[str, Paid[Closed]] = OrderedDict()

    def recall(self, key: str) -> Paid[Closed] | None:
        """The answer, if it is remembered."""
        return self._answers.get(key)

    def remember(self, key: str, paid: Paid[Closed]) -> None:
        """Forgets the oldest when there are too many."""
        self._answers[key] = paid
        while len(self._answers) > _MOST:
            self._answers.popitem(last=False)
