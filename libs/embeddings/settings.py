"""Which encoder a service uses; embedder and search must be told the same, for vectors of two models never meet."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from embeddings.batching import BatchingEncoder
from embeddings.cache import CachingEncoder
from embeddings.encoder import Encoder
from embeddings.local import LocalEncoder
from embeddings.openai import OpenAIEncoder
from hosting.settings import ServiceSettings


class EncoderSettings(ServiceSettings):
    """``openai`` needs the key; ``local`` keeps its built graph in ``model_cache_dir``."""

    embedding_backend: Literal["local", "openai"] = "local"
    model_cache_dir: Path = Path("/tmp/mmsearch-models")  # noqa: S108 - holds public weights, checked by their hash
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None


def chosen_encoder(settings: EncoderSettings) -> tuple[Encoder, AbstractAsyncContextManager[None]]:
    """The encoder behind a cache, and the context in which it may be used (loaded on entering, freed on leaving).

    Raises ``ValueError`` when it lacks its key.
    """
    if settings.embedding_backend == "local":
        local = LocalEncoder(settings.model_cache_dir)
        return CachingEncoder(local), _loaded(local)
    if settings.openai_api_key is None:
        raise ValueError("EMBEDDING_BACKEND=openai needs OPENAI_API_KEY")
    remote = OpenAIEncoder(settings.openai_api_key.get_secret_value(), base_url=settings.openai_base_url)
    return CachingEncoder(BatchingEncoder(remote)), _closing(remote)


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
