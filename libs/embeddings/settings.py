"""Which encoder a service uses; embedder and search must be told the same, for vectors of two models never meet."""

import math
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
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


def chosen_encoder(settings: EncoderSettings) -> tuple[Encoder, AbstractAsyncContextManager[None]]:
    """The encoder behind a cache, and the context in which it may be used (loaded on entering, freed on leaving).

    Raises ``ValueError`` when it lacks its key or a price.
    """
    if settings.embedding_backend == "local":
        local = LocalEncoder(settings.model_cache_dir)
        return CachingEncoder(local), _loaded(local)
    if settings.openai_api_key is None:
        raise ValueError("EMBEDDING_BACKEND=openai needs OPENAI_API_KEY")
    remote = _openai(settings, settings.openai_api_key)
    # The cache lies below the batches: what one request paid for is kept when the next one fails.
    return BatchingEncoder(CachingEncoder(remote)), _closing(remote)


def _openai(settings: EncoderSettings, key: SecretStr) -> OpenAIEncoder:
    gate = ProviderGate(
        "openai",
        concurrency=settings.openai_concurrency,
        per_minute=settings.openai_requests_per_minute,
        budget=DailyBudget(settings.openai_daily_budget_usd, settings.openai_spend_file),
    )
    return OpenAIEncoder(
        key.get_secret_value(),
        base_url=settings.openai_base_url,
        model=settings.openai_embedding_model,
        gate=gate,
        price=price_of(settings.openai_embedding_model, settings.openai_prices),
    )


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
