"""Gemini's backend through the real SDK against the local server, its breaker slow to open unless a test wants it."""

import time
from collections.abc import AsyncIterator, Iterator

import pytest
from google import genai
from google.genai.types import HttpOptions
from google.oauth2.credentials import Credentials

from analyzer.backends.gemini.backend import GeminiBackend
from analyzer.backends.gemini.model import GeminiModel
from providers.breaker import CircuitBreaker
from providers.gate import ProviderGate
from providers.prices import Price
from tests.conformance.analyzer.gemini_server import GeminiServer, gemini_server

PRICE = Price(input_usd=1, output_usd=10, audio_usd=3)


@pytest.fixture
def server() -> Iterator[GeminiServer]:
    with gemini_server() as state:
        yield state


@pytest.fixture
def gate() -> ProviderGate:
    return ProviderGate("test", per_minute=60_000, breaker=CircuitBreaker(time.monotonic, failures=1000))


@pytest.fixture
async def model(server: GeminiServer, gate: ProviderGate) -> AsyncIterator[GeminiModel]:
    client = genai.Client(vertexai=False, api_key="k-test", http_options=HttpOptions(base_url=server.url, timeout=5000))
    async with GeminiModel(client, "gemini-test", gate, PRICE, timeout_s=5) as model:
        yield model


@pytest.fixture
async def vertex_model(server: GeminiServer, gate: ProviderGate) -> AsyncIterator[GeminiModel]:
    client = genai.Client(
        vertexai=True,
        project="acme",
        location="europe-west4",
        credentials=Credentials(token="t-test"),
        http_options=HttpOptions(base_url=server.url, timeout=5000),
    )
    async with GeminiModel(client, "gemini-test", gate, PRICE, timeout_s=5) as model:
        yield model


@pytest.fixture
def backend(model: GeminiModel) -> GeminiBackend:
    return GeminiBackend(model)
