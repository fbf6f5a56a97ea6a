"""Turns settings into Gemini behind its gate: by API key, or through a project's Vertex AI."""

from google import genai
from google.genai.types import HttpOptions

from analyzer.backends.gemini.model import GeminiModel
from analyzer.settings import Settings
from contracts.artifacts import Service
from providers.budget import DailyBudget
from providers.gate import ProviderGate
from providers.prices import price_of
from providers.shared_limits import shared_limits


def connected_model(settings: Settings) -> GeminiModel:
    """Raises ``ValueError`` when key and project, or the price of the model, are missing."""
    shared = shared_limits(settings.provider_limits_url)
    stage = Service.ANALYZER.value
    budget = DailyBudget(
        settings.gemini_daily_budget_usd, settings.gemini_spend_file, shared=shared, purse=f"{stage}/gemini"
    )
    gate = ProviderGate(
        "gcp.vertex_ai" if settings.gemini_vertex_project else "gcp.gemini",
        model=settings.gemini_model,
        stage=stage,
        concurrency=settings.gemini_concurrency,
        per_minute=settings.gemini_requests_per_minute,
        budget=budget,
        shared=shared,
    )
    price = price_of(settings.gemini_model, settings.gemini_prices)
    return GeminiModel(_client(settings), settings.gemini_model, gate, price, timeout_s=settings.gemini_timeout_s)


def _client(settings: Settings) -> genai.Client:
    # Without retry options the SDK makes one attempt; its timeout is in milliseconds and for each read.
    options = HttpOptions(base_url=settings.gemini_base_url, timeout=round(settings.gemini_timeout_s * 1000))
    if settings.gemini_vertex_project:
        return genai.Client(
            vertexai=True,
            project=settings.gemini_vertex_project,
            location=settings.gemini_vertex_location,
            http_options=options,
        )
    if settings.gemini_api_key is None:
        raise ValueError("ANALYZER_BACKEND=gemini needs GEMINI_API_KEY or GEMINI_VERTEX_PROJECT")
    return genai.Client(vertexai=False, api_key=settings.gemini_api_key.get_secret_value(), http_options=options)
