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
from embeddings.shared_cache import SharedVectorCache, shared_vector_cache
from hosting.settings import ServiceSettings
from providers.budget import DailyBudget
from providers.gate import ProviderGate
from providers.prices import Price, price_of
from providers.settings import ProviderSettings, StoreUrl
from providers.shared_limits import SharedLimits, shared_limits


def _prices() -> dict[str, Price]:
    """Of the models' pages below developers.openai.com/api/docs/models, standard tier, as read on 2026-07-03."""
    return {"text-embedding-3-small": Price(input_usd=0.02), "text-embedding-3-large": Price(input_usd=0.13)}


class EncoderSettings(ServiceSettings, ProviderSettings):
    """``openai`` needs the key; ``local`` keeps its built graph in ``model_cache_dir``."""

    embedding_backend: Literal["local", "openai"] = "local"
    """Who turns text into vectors; embedder and search must be told the same."""
    embedding_next_backend: Literal["local", "openai"] | None = None
    """A second model whose index is filled beside the first (docs/reembedding.md)."""
    embedding_next_model: str | None = None
    """Which model of OpenAI the next one is; unset: OPENAI_EMBEDDING_MODEL."""
    model_cache_dir: Path = Path("/tmp/mmsearch-models")  # noqa: S108 - holds public weights, checked by their hash
    """Where the local model is unpacked."""
    embedding_cache_url: StoreUrl = "memory://"
    """Where vectors are kept so that the same text is not encoded again: ``redis://…`` for a week, for all instances
    and over restarts; ``memory://``: the last 10,000 of each process, 40,000 of embedder."""
    openai_api_key: SecretStr | None = None
    """Needed for ``openai``."""
    openai_base_url: str | None = None
    """Another server that speaks the same protocol."""
    openai_embedding_model: str = "text-embedding-3-small"
    """Which of OpenAI's models."""
    openai_prices: dict[str, Price] = Field(default_factory=_prices)
    """US dollars for a million tokens by model, as listed in July 2026 (docs/operations.md). A model that is not in it
    cannot be used."""
    openai_daily_budget_usd: float = Field(default=math.inf, ge=0)
    """When it is spent the stage pauses until midnight UTC; searches then go by words alone."""
    openai_spend_file: Path | None = None
    """Where the day's sum is kept over a restart where PROVIDER_LIMITS_URL does not; one file per process."""
    openai_concurrency: int = Field(default=8, ge=1)
    """Calls at a time, of each process."""
    openai_requests_per_minute: float = Field(default=600, gt=0)
    """Calls a minute; more wait."""


@dataclass(frozen=True)
class ChosenEncoder:
    """An encoder behind a cache, the context in which it may be used, and what a million tokens cost.

    Entering ``in_use`` loads the encoder, leaving it frees what it holds.
    """

    encoder: Encoder
    in_use: AbstractAsyncContextManager[None]
    price: Price


@dataclass(frozen=True)
class _Account:
    """Who pays, out of which budget, where that is counted, and where and how much is kept of what was paid for."""

    stage: str
    budget: DailyBudget
    shared: SharedLimits | None
    kept: SharedVectorCache | None
    remembered_texts: int

    def caching(self, encoder: Encoder) -> CachingEncoder:
        """The encoder with its memory."""
        return CachingEncoder(encoder, max_texts=self.remembered_texts, kept=self.kept)


def chosen_encoders(
    settings: EncoderSettings, stage: str = "", *, remembered_texts: int = 10_000
) -> tuple[ChosenEncoder, ...]:
    """The current encoder and, where one is configured, the next.

    ``stage`` is who pays, for the metrics; of each model's vectors ``remembered_texts`` are kept in memory. Raises
    ``ValueError`` when one lacks its key or a price, or both are the same.
    """
    account = _account(settings, stage, remembered_texts)
    current = _chosen(settings, settings.embedding_backend, settings.openai_embedding_model, account)
    if settings.embedding_next_backend is None:
        return (current,)
    model = settings.embedding_next_model or settings.openai_embedding_model
    following = _chosen(settings, settings.embedding_next_backend, model, account)
    if following.encoder.model_id == current.encoder.model_id:
        raise ValueError(f"EMBEDDING_NEXT_BACKEND names the current model, {current.encoder.model_id}")
    return (current, following)


def _account(settings: EncoderSettings, stage: str, remembered_texts: int) -> _Account:
    shared = shared_limits(settings.provider_limits_url)
    budget = DailyBudget(
        settings.openai_daily_budget_usd, settings.openai_spend_file, shared=shared, purse=f"{stage}/openai"
    )
    return _Account(stage, budget, shared, shared_vector_cache(settings.embedding_cache_url), remembered_texts)


def _chosen(
    settings: EncoderSettings, backend: Literal["local", "openai"], model: str, account: _Account
) -> ChosenEncoder:
    if backend == "local":
        local = LocalEncoder(settings.model_cache_dir)
        return ChosenEncoder(account.caching(local), _loaded(local, account.kept), Price(input_usd=0))
    if settings.openai_api_key is None:
        raise ValueError("the openai embedding backend needs OPENAI_API_KEY")
    price = price_of(model, settings.openai_prices)
    remote = _openai(settings, settings.openai_api_key, model, price, _gate(settings, model, account))
    # The cache lies below the batches: what one request paid for is kept when the next one fails.
    cached = BatchingEncoder(account.caching(remote))
    return ChosenEncoder(cached, _closing(remote, account.kept), price)


def _gate(settings: EncoderSettings, model: str, account: _Account) -> ProviderGate:
    return ProviderGate(
        "openai",
        model=model,
        stage=account.stage,
        operation="embeddings",
        concurrency=settings.openai_concurrency,
        per_minute=settings.openai_requests_per_minute,
        budget=account.budget,
        shared=account.shared,
    )


def _openai(settings: EncoderSettings, key: SecretStr, model: str, price: Price, gate: ProviderGate) -> OpenAIEncoder:
    return OpenAIEncoder(key.get_secret_value(), base_url=settings.openai_base_url, model=model, gate=gate, price=price)


@asynccontextmanager
async def _loaded(local: LocalEncoder, kept: SharedVectorCache | None) -> AsyncGenerator[None, None]:
    await local.load()
    try:
        yield
    finally:
        local.close()
        if kept is not None:
            await kept.aclose()


@asynccontextmanager
async def _closing(remote: OpenAIEncoder, kept: SharedVectorCache | None) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await remote.aclose()
        if kept is not None:
            await kept.aclose()
