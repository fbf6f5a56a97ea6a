"""Turns counted tokens into US dollars by a table of prices that settings may replace."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field


class Price(BaseModel):
    """US dollars for a million tokens, in and out; ``audio_usd`` for those of sound, where they cost something else."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input_usd: float = Field(ge=0, allow_inf_nan=False)
    output_usd: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    audio_usd: float | None = Field(default=None, ge=0, allow_inf_nan=False)

    def cost_usd(self, input_tokens: int, output_tokens: int = 0, audio_tokens: int = 0) -> float:
        """What these tokens cost; of ``input_tokens`` so many are sound."""
        dearer = 0.0 if self.audio_usd is None else audio_tokens * (self.audio_usd - self.input_usd)
        return (input_tokens * self.input_usd + dearer + output_tokens * self.output_usd) / 1_000_000


def price_of(model: str, prices: Mapping[str, Price]) -> Price:
    """Raises ``ValueError`` for a model without a price: its cost could not be counted, nor a budget kept."""
    try:
        return prices[model]
    except KeyError:
        raise ValueError(f"the price table has no entry for the model {model}") from None
