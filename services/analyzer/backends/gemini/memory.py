"""Turns a question that was already paid for into its answer: a repeated delivery never pays twice here.

The pipeline's own memory is the manifest; this one covers the minutes before it, when storing fails or a file needs
several answers and the third is not to be had.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

from analyzer.backends.gemini.answers import AnswerT, Closed
from contracts.artifacts import Usage

_MOST = 100
AnswerT_co = TypeVar("AnswerT_co", bound=Closed, covariant=True)


@dataclass(frozen=True)
class Paid(Generic[AnswerT_co]):
    """A usable answer, and the harms named beside it."""

    answer: AnswerT_co
    harms: tuple[str, ...]


class PaidAnswers:
    """The last hundred questions by key: its answer, and what was paid for it and is on no file's bill yet.

    Belongs to one event loop.
    """

    def __init__(self) -> None:
        self._bills: OrderedDict[str, Usage] = OrderedDict()
        self._answers: dict[str, Paid[Closed]] = {}

    def settle(self, key: str) -> Usage:
        """All that was paid for a question, in earlier deliveries too, usable or not; from now on it is paid.

        Should the caller's result then not be stored, its next delivery is told of no cost: rather that than twice.
        """
        if key not in self._bills:
            return Usage()
        owed, self._bills[key] = self._bills[key], Usage()
        return owed

    def charge(self, key: str, usage: Usage) -> None:
        """Adds one try. Forgets the oldest question when there are too many."""
        self._bills[key] = total(self._bills.get(key, Usage()), usage)
        self._bills.move_to_end(key)
        while len(self._bills) > _MOST:
            forgotten, _ = self._bills.popitem(last=False)
            self._answers.pop(forgotten, None)

    def recall(self, key: str) -> Paid[Closed] | None:
        """The answer, if it is remembered."""
        return self._answers.get(key)

    def remember(self, key: str, answer: AnswerT, harms: tuple[str, ...]) -> Paid[AnswerT]:
        """Keeps the answer; call :meth:`charge` first."""
        paid = Paid(answer, harms)
        self._answers[key] = paid
        return paid


def total(one: Usage, other: Usage) -> Usage:
    """Both bills on one."""
    return Usage(
        input_tokens=one.input_tokens + other.input_tokens,
        output_tokens=one.output_tokens + other.output_tokens,
        cost_usd=one.cost_usd + other.cost_usd,
    )
