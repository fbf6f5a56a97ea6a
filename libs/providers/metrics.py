"""Prometheus metrics of every paid provider: calls by outcome, their time, tokens, cost, and how much money is left."""

from collections.abc import Generator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

_CALLS = Counter("provider_calls", "Calls made", ["provider", "outcome"])
_PAUSES = Counter("provider_pauses", "Calls not made: breaker open or budget spent", ["provider"])
_DURATION = Histogram(
    "provider_call_seconds", "Time of a call", ["provider"], buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
)
_TOKENS = Counter("provider_tokens", "Tokens paid for", ["provider", "direction"])
_COST = Counter("provider_cost_usd", "US dollars paid", ["provider"])
_BUDGET_USED = Gauge("provider_budget_used_ratio", "Share of the day's budget that is spent", ["provider"])


@contextmanager
def timed(provider: str) -> Generator[None, None, None]:
    """Counts one call under the name of the error it ended with, or ``ok``."""
    outcome = "ok"
    try:
        with _DURATION.labels(provider).time():
            yield
    except BaseException as error:
        outcome = type(error).__name__
        raise
    finally:
        _CALLS.labels(provider, outcome).inc()


def paused(provider: str) -> None:
    """Counts a call that was not made."""
    _PAUSES.labels(provider).inc()


def paid(provider: str, input_tokens: int, output_tokens: int, cost_usd: float, budget_used: float) -> None:
    """Counts what an answer cost."""
    _TOKENS.labels(provider, "input").inc(input_tokens)
    _TOKENS.labels(provider, "output").inc(output_tokens)
    _COST.labels(provider).inc(cost_usd)
    _BUDGET_USED.labels(provider).set(budget_used)
