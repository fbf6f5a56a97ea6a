"""Which encoders a service uses; embedder and search must be told the same, for vectors of two models never meet.

Beside the current one there may be a next one, whose index is filled while the current one answers.
"""

import math
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from embeddings.batching import BatchingEncoder
from embeddings.cache import CachingEncoder
from embeddings.encoder import Encoder
from embeddings.local import LocalEncoder
from embeddings.openai import OpenAIEncoder
from hosting.settings import ServiceSettings
from providers.budget import DailyBudget
from providers.gate import ProviderGate
from providers.prices import Price, price_of


class EncoderSettings(ServiceSettings):
    """``openai`` needs the key; ``local`` keeps its built graph in ``model_cache_dir``."""

    embedding_backend: Literal["local", "openai"] = "local"
    embedding_next_backend: Literal["local", "openai"] | None = None
    """A second model whose index is filled beside the first (docs/reembedding.md)."""
    embedding_next_model: str | None = None
    """Which model of OpenAI the next one is; unset: OPENAI_EMBEDDING_MODEL."""
    model_cache_dir: Path = Path("/tmp/mmsearch-models")  # noqa: S108 - holds public weights, checked by their hash
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    openai_embedding_model: str = "text-embedding-3-small"
    openai_prices: dict[str, Price] = Field(
        default_factory=lambda: {
            "text-embedding-3-small": Price(input_usd=0.02),
            "text-embedding-3-large": Price(input_usd=0.13),
        }
    )
    openai_daily_budget_usd: float = Field(default=math.inf, ge=0)
    openai_spend_file: Path | None = None
    """Where the day's sum is kept over a restart; one file per process."""
    openai_concurrency: int = Field(default=8, ge=1)
    openai_requests_per_minute: float = Field(default=600, gt=0)


@dataclass(frozen=True)
class ChosenEncoder:
    """An encoder behind a cache, the context in which it may be used, and what a million tokens cost.

    Entering ``in_use`` loads the encoder, leaving it frees what it holds.
    """

    encoder: Encoder
    in_use: AbstractAsyncContextManager[None]
    price: Price


def chosen_encoders(settings: EncoderSettings, stage: str = "") -> tuple[ChosenEncoder, ...]:
    """The current encoder and, where one is configured, the next.

    ``stage`` is who pays, for the metrics. Raises ``ValueError`` when one lacks its key or a price, or both are the
    same.
    """
    budget = DailyBudget(settings.openai_daily_budget_usd, settings.openai_spend_file)
    current = _chosen(settings, settings.embedding_backend, settings.openai_embedding_model, stage, budget)
    if settings.embedding_next_backend is None:
        return (current,)
    model = settings.embedding_next_model or settings.openai_embedding_model
    following = _chosen(settings, settings.embedding_next_backend, model, stage, budget)
    if following.encoder.model_id == current.encoder.model_id:
        raise ValueError(f"EMBEDDING_NEXT_BACKEND names the current model, {current.encoder.model_id}")
    return (current, following)


def _chosen(
    settings: EncoderSettings, backend: Literal["local", "openai"], model: str, stage: str, budget: DailyBudget
) -> ChosenEncoder:
    if backend == "local":
        local = LocalEncoder(settings.model_cache_dir)
        return ChosenEncoder(CachingEncoder(local), _loaded(local), Price(input_usd=0))
    if settings.openai_api_key is None:
        raise ValueError("the openai embedding backend needs OPENAI_API_KEY")
    price = price_of(model, settings.openai_prices)
    remote = _openai(settings, settings.openai_api_key, model, price, _gate(settings, model, stage, budget))
    # The cache lies below the batches: what one request paid for is kept when the next one fails.
    return ChosenEncoder(BatchingEncoder(CachingEncoder(remote)), _closing(remote), price)


def _gate(settings: EncoderSettings, model: str, stage: str, budget: DailyBudget) -> ProviderGate:
    return ProviderGate(
        "openai",
        model=model,
        stage=stage,
        operation="embeddings",
        concurrency=settings.openai_concurrency,
        per_minute=settings.openai_requests_per_minute,
        budget=budget,
    )


def _openai(settings: EncoderSettings, key: SecretStr, model: str, price: Price, gate: ProviderGate) -> OpenAIEncoder:
    return OpenAIEncoder(key.get_secret_value(), base_url=settings.openai_base_url, model=model, gate=gate, price=price)


@asynccontextmanager
async def _loaded(local: LocalEncoder) -> AsyncGenerator[None, None]:
    await local.load()
    try:
        yield
    finally:
        local.close()


@asynccontextmanager
async def _closing(remote: OpenAIEncoder) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await remote.aclose()
