"""The encoders under test: fake, local (its graph built once per session) and OpenAI against a local server."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from embeddings.encoder import Encoder
from embeddings.local import LocalEncoder
from embeddings.openai import OpenAIEncoder
from embeddings.testing import FakeEncoder
from tests.unit.embeddings.openai_server import DIMENSIONS, EmbeddingsServer, embeddings_server


@pytest.fixture(scope="session")
def graph_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("encoder-cache")


@pytest.fixture
def local_encoder(graph_cache: Path) -> Iterator[LocalEncoder]:
    encoder = LocalEncoder(graph_cache, threads=1)
    yield encoder
    encoder.close()


@pytest.fixture
def server() -> Iterator[EmbeddingsServer]:
    with embeddings_server() as state:
        yield state


@pytest.fixture
async def openai_encoder(server: EmbeddingsServer) -> AsyncIterator[OpenAIEncoder]:
    encoder = OpenAIEncoder("sk-test", base_url=server.url, dimensions=DIMENSIONS, timeout_s=5)
    yield encoder
    await encoder.aclose()


@pytest.fixture(params=["fake", "local", "openai"])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    if request.param == "fake":
        return FakeEncoder()
    return request.getfixturevalue(f"{request.param}_encoder")
