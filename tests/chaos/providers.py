"""The two paid providers as local servers: they answer, count every answer that is paid for, and fail on request."""

import hashlib
import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.analyzer import gemini_server as gemini
from tests.unit.embeddings import openai_server as openai

TROUBLES = ("429", "500", "stall")
_STALL_S = 1.5


@dataclass
class Providers:
    """``paid`` counts answers by what was asked; ``trouble`` holds how the next calls fail."""

    environment: dict[str, str]
    paid: Counter[str] = field(default_factory=Counter[str])
    failed: int = 0
    _trouble: list[str] = field(default_factory=list[str])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def make_trouble(self, chance: random.Random) -> str:
        """The next few calls fail; five in a row would open the breaker for a minute, too long for a test."""
        kinds = [chance.choice(TROUBLES) for _ in range(chance.randint(1, 3))]
        with self._lock:
            self._trouble = kinds
        return ", ".join(kinds)

    def behave(self) -> None:
        with self._lock:
            self._trouble = []

    def next_trouble(self) -> str | None:
        with self._lock:
            if not self._trouble:
                return None
            self.failed += 1
            return self._trouble.pop(0)

    def pay(self, provider: str, asked: Any) -> None:
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        with self._lock:
            self.paid[f"{provider} {digest}"] += 1

    @property
    def paid_calls(self) -> int:
        return sum(self.paid.values())

    @property
    def paid_again(self) -> int:
        """Questions paid for beyond the first time: an answer of the model, or the vector of one passage."""
        return sum(times - 1 for times in self.paid.values())

    def told(self) -> dict[str, int]:
        """What was paid again, by provider."""
        again: Counter[str] = Counter()
        for asked, times in self.paid.items():
            again[asked.partition(" ")[0]] += times - 1
        return dict(again)


@contextmanager
def providers() -> Iterator[Providers]:
    """Both, until the block ends."""
    with gemini.gemini_server() as model, openai.embeddings_server() as embeddings:
        both = Providers(
            {
                "ANALYZER_BACKEND": "gemini",
                "GEMINI_API_KEY": "k",
                "GEMINI_BASE_URL": model.url,
                "GEMINI_REQUESTS_PER_MINUTE": "6000",
                "EMBEDDING_BACKEND": "openai",
                "OPENAI_API_KEY": "k",
                "OPENAI_BASE_URL": embeddings.url,
                "OPENAI_REQUESTS_PER_MINUTE": "6000",
            }
        )
        model.replies = [lambda request: _gemini(both, request)]
        embeddings.reply = lambda request: _openai(both, request)
        yield both


def _gemini(both: Providers, request: dict[str, Any]) -> gemini.Reply:
    trouble = both.next_trouble()
    if trouble == "429":
        return gemini.refusal(429, "RESOURCE_EXHAUSTED", Retry_After="1")
    if trouble:
        return gemini.Reply(503, b"{}", delay_s=_STALL_S if trouble == "stall" else 0)
    both.pay("gemini", request["contents"])
    fields = request["generationConfig"]["responseJsonSchema"]["properties"]
    if "utterances" in fields:
        return gemini.Reply(body=gemini.answer({"utterances": []}))
    said = gemini.whole()
    return gemini.Reply(body=gemini.answer({name: said[name] for name in fields}))


def _openai(both: Providers, request: dict[str, Any]) -> openai.Reply:
    trouble = both.next_trouble()
    if trouble:
        status, headers = (429, {"retry-after": "1"}) if trouble == "429" else (500, {})
        return openai.Reply(status, b"{}", headers, delay_s=_STALL_S if trouble == "stall" else 0)
    for text in request["input"]:
        if " " in text.strip():  # the audit's own queries are single words, and no work of the pipeline
            both.pay("openai", text)
    return openai.Reply(body=openai.good_answer(request))
