"""Settings choose an encoder; a key, a price or money that is missing is said before or instead of a call."""

import pytest

from embeddings.settings import EncoderSettings, chosen_encoders
from providers.errors import ProviderPausedError
from tests.redis_server import redis
from tests.unit.embeddings.openai_server import EmbeddingsServer, Reply, good_answer


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOOGLE_CLOUD_PROJECT", "UPLOADS_BUCKET", "ARTIFACTS_BUCKET"):
        monkeypatch.setenv(name, "acme-test")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("EMBEDDING_BACKEND", "openai")


def test_without_a_key_it_says_so() -> None:
    with pytest.raises(ValueError, match="OPENAI_API_KEY"):
        chosen_encoders(EncoderSettings())


def test_a_model_without_a_price_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_EMBEDDING_MODEL", "text-embedding-9")
    with pytest.raises(ValueError, match="no entry for the model text-embedding-9"):
        chosen_encoders(EncoderSettings())


async def test_the_same_text_is_paid_once_and_a_spent_budget_pauses(
    monkeypatch: pytest.MonkeyPatch, server: EmbeddingsServer
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_DAILY_BUDGET_USD", "0.00000001")
    server.reply = lambda request: Reply(body=good_answer(request))
    (chosen,) = chosen_encoders(EncoderSettings())
    encoder = chosen.encoder
    async with chosen.in_use:
        first = await encoder.encode_query("x")
        assert (await encoder.encode_query("x") == first).all()
        with pytest.raises(ProviderPausedError):
            await encoder.encode_documents(["another"])
    assert (encoder.model_id, len(server.requests)) == ("text-embedding-3-small@1536", 1)


async def test_two_instances_spend_one_budget(monkeypatch: pytest.MonkeyPatch, server: EmbeddingsServer) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_PRICES", '{"text-embedding-3-small": {"input_usd": 1000000}}')
    monkeypatch.setenv("OPENAI_DAILY_BUDGET_USD", "3")
    server.reply = lambda request: Reply(body=good_answer(request))
    with redis() as port:
        monkeypatch.setenv("PROVIDER_LIMITS_URL", f"redis://127.0.0.1:{port}")
        (one,), (other,) = (chosen_encoders(EncoderSettings(), "embedder") for _ in range(2))
        async with one.in_use, other.in_use:
            await one.encoder.encode_documents(["a text of three tokens"])
            with pytest.raises(ProviderPausedError):
                await other.encoder.encode_documents(["another"])
    assert len(server.requests) == 1


def test_a_next_model_stands_beside_the_current_one_with_its_price(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("EMBEDDING_BACKEND", "local")
    monkeypatch.setenv("EMBEDDING_NEXT_BACKEND", "openai")
    monkeypatch.setenv("EMBEDDING_NEXT_MODEL", "text-embedding-3-large")
    current, following = chosen_encoders(EncoderSettings())
    assert current.encoder.model_id.startswith("all-minilm-l6-v2@")
    assert (following.encoder.model_id, following.price.input_usd) == ("text-embedding-3-large@1536", 0.13)
    assert (current.price.input_usd, current.encoder.dimensions) == (0, 384)


def test_the_next_model_cannot_be_the_current_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("EMBEDDING_NEXT_BACKEND", "openai")
    with pytest.raises(ValueError, match="names the current model"):
        chosen_encoders(EncoderSettings())
