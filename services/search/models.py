"""The embedding models this process can encode queries for, by id.

Which one answers whom is a row (:mod:`search.store.models`), read in the transaction of each search. A query is
encoded before that transaction begins, so the model that answered a user last is remembered as a guess.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from embeddings.encoder import Encoder
from embeddings.settings import ChosenEncoder
from hosting.answers import ApiError
from providers.prices import Price
from search.cut_offs import Calibration, calibration_for

_MOST_REMEMBERED = 10_000
_FREE = Price(input_usd=0)


@dataclass(frozen=True)
class Space:
    """The vectors that may be compared with each other: those of one model."""

    model_id: str
    dimensions: int

    @classmethod
    def without_vectors(cls, model_id: str | None) -> Self:
        """The space of a model without an encoder here: 0 dimensions, so only its texts are searched."""
        return cls(model_id or "", 0)


@dataclass(frozen=True)
class Model:
    """An encoder, the similarity thresholds of its vector space, and the price of a million tokens."""

    encoder: Encoder
    calibration: Calibration
    price: Price = _FREE

    @property
    def model_id(self) -> str:
        """The id of the model, as in every row of passages and vectors."""
        return self.encoder.model_id

    @property
    def dimensions(self) -> int:
        """Length of its vectors."""
        return self.encoder.dimensions

    @property
    def space(self) -> Space:
        """The space of its vectors."""
        return Space(self.model_id, self.dimensions)


class Models:
    """The current model, which answers everybody without another choice, and those beside it. For one event loop."""

    def __init__(self, current: Model, beside: Iterable[Model] = ()) -> None:
        self.current = current
        self._by_id = {model.model_id: model for model in (current, *beside)}
        self._answered_by: OrderedDict[str, Model] = OrderedDict()

    @classmethod
    def configured(cls, chosen: Sequence[ChosenEncoder]) -> "Models":
        """Builds the models of the encoders named in the settings; the first is the current one."""
        current, *beside = [
            Model(choice.encoder, calibration_for(choice.encoder.model_id), choice.price) for choice in chosen
        ]
        return cls(current, beside)

    @property
    def beside(self) -> tuple[Model, ...]:
        """All models but the current one."""
        return tuple(model for model in self._by_id.values() if model is not self.current)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all models, the current one first."""
        return tuple(self._by_id)

    def named(self, model_id: str | None) -> Model | None:
        """Returns the model of an id, the current one for None; None if this process has no encoder for it."""
        return self.current if model_id is None else self._by_id.get(model_id)

    def require(self, model_id: str | None) -> Model:
        """Returns the model of an id like :meth:`named`. Raises ``ApiError`` 409 if there is no encoder for it."""
        model = self.named(model_id)
        if model is None:
            message = f"This search cannot encode queries for {model_id}: see EMBEDDING_NEXT_BACKEND."
            raise ApiError(409, "model_not_configured", message, details={"models": list(self.ids)})
        return model

    def guess(self, user_id: str) -> Model:
        """Returns the model that will most probably answer this user."""
        return self._answered_by.get(user_id, self.current)

    def remember(self, user_id: str, model: Model) -> None:
        """Stores the model that has just answered this user, for :meth:`guess`."""
        self._answered_by.pop(user_id, None)
        if model is self.current:
            return
        self._answered_by[user_id] = model
        while len(self._answered_by) > _MOST_REMEMBERED:
            self._answered_by.popitem(last=False)
