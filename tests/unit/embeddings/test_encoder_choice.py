"""Settings choose an encoder; a key, a price or money that is missing is said before or instead of a call."""

import pytest

from embeddings.settings import EncoderSettings, chosen_encoder
from providers.errors import ProviderPausedError
from tests.unit.embeddings.openai_server import EmbeddingsServer, Reply, good_answer


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOOGLE_CLOUD_PROJECT", "UPLOADS_BUCKET", "ARTIFACTS_BUCKET"):
        monkeypatch.setenv(name, "acme-test")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("EMBEDDING_BACKEND", "openai")


def test_without_a_key_it_says_so() -> None:
    with pytest.raises(ValueError, match="OPENAI_API_KEY"):
        chosen_encoder(EncoderSettings())


def test_a_model_without_a_price_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_EMBEDDING_MODEL", "text-embedding-9")
    with pytest.raises(ValueError, match="no entry for the model text-embedding-9"):
        chosen_encoder(EncoderSettings())


async def test_the_same_text_is_paid_once_and_a_spent_budget_pauses(
    monkeypatch: pytest.MonkeyPatch, server: EmbeddingsServer
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_DAILY_BUDGET_USD", "0.00000001")
    server.reply = lambda request: Reply(body=good_answer(request))
    encoder, in_use = chosen_encoder(EncoderSettings())
    async with in_use:
        first = await encoder.encode_query("x")
        assert (await encoder.encode_query("x") == first).all()
        with pytest.raises(ProviderPausedError):
            await encoder.encode_documents(["another"])
    assert (encoder.model_id, len(server.requests)) == ("text-embedding-3-small@1536", 1)
