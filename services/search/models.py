"""From the encoders this process is told of to the models that can answer, by their ids.

Which of them answers whom is a row (:mod:`search.store.models`), read in the transaction of each search. A query is
encoded before that transaction begins, so what answered a user last time is remembered as a guess.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from embeddings.encoder import Encoder
from embeddings.settings import ChosenEncoder
from providers.prices import Price
from search.cut_offs import CutOff, cut_off_for

_MOST_REMEMBERED = 10_000
_FREE = Price(input_usd=0)


@dataclass(frozen=True)
class Space:
    """Which vectors are compared: those of one model, by its id."""

    model_id: str
    dimensions: int


@dataclass(frozen=True)
class Model:
    """A vector space queries can be brought into, how near is near enough in it, and what a million tokens cost."""

    encoder: Encoder
    cut_off: CutOff
    price: Price = _FREE

    @property
    def model_id(self) -> str:
        """Stands in every row of the space."""
        return self.encoder.model_id

    @property
    def dimensions(self) -> int:
        """Length of its vectors."""
        return self.encoder.dimensions

    @property
    def space(self) -> Space:
        """That of its vectors."""
        return Space(self.model_id, self.dimensions)


class Models:
    """The current model, which answers whoever has no other choice, and those beside it. Belongs to one event loop."""

    def __init__(self, current: Model, beside: Iterable[Model] = ()) -> None:
        self.current = current
        self._by_id = {model.model_id: model for model in (current, *beside)}
        self._answered_by: OrderedDict[str, Model] = OrderedDict()

    @classmethod
    def configured(cls, chosen: Sequence[ChosenEncoder]) -> "Models":
        """Of the encoders that settings chose; the first one is the current."""
        current, *beside = [
            Model(choice.encoder, cut_off_for(choice.encoder.model_id), choice.price) for choice in chosen
        ]
        return cls(current, beside)

    @property
    def beside(self) -> tuple[Model, ...]:
        """All but the current."""
        return tuple(model for model in self._by_id.values() if model is not self.current)

    @property
    def ids(self) -> tuple[str, ...]:
        """Of all, the current first."""
        return tuple(self._by_id)

    def named(self, model_id: str | None) -> Model | None:
        """The model of that id, without one the current; None for one this process cannot encode for."""
        return self.current if model_id is None else self._by_id.get(model_id)

    def guess(self, user_id: str) -> Model:
        """What will most probably answer this user."""
        return self._answered_by.get(user_id, self.current)

    def remember(self, user_id: str, model: Model) -> None:
        """What has just answered this user."""
        self._answered_by.pop(user_id, None)
        if model is self.current:
            return
        self._answered_by[user_id] = model
        while len(self._answered_by) > _MOST_REMEMBERED:
            self._answered_by.popitem(last=False)
