"""Prometheus metrics of every paid provider: calls by outcome, their time, tokens, cost, breaker, and money left."""

from collections.abc import Generator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

from providers.errors import ProviderUnavailable
from providers.patience import CallUnderWay

_WHO = ["provider", "model", "stage"]
_CALLS = Counter("provider_calls", "Calls made", [*_WHO, "outcome"])
_PAUSES = Counter("provider_pauses", "Calls not made: breaker open or budget spent", ["provider", "reason"])
_DURATION = Histogram(
    "provider_call_seconds", "Time of a call", _WHO, buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
)
_TOKENS = Counter("provider_tokens", "Tokens paid for", [*_WHO, "direction"])
_COST = Counter("provider_cost_usd", "US dollars paid", _WHO)
_BUDGET_USED = Gauge(
    "provider_budget_used_ratio", "Share of the day's budget that is spent", ["provider"], multiprocess_mode="livemax"
)
_OPEN = Gauge(
    "provider_circuit_open", "1 while the provider is left alone after failures", ["provider"],
    multiprocess_mode="livemax",
)  # fmt: skip
_ALONE = Gauge(
    "provider_limits_alone",
    "1 while pace and budget hold for this process alone because the shared counters are away",
    multiprocess_mode="livemax",
)


def limits_alone(alone: bool) -> None:
    """Notes whether the counters that all instances share are away."""
    _ALONE.set(alone)


class ProviderMetrics:
    """What one gate counts. Its series are there from the start, at 0, so that their first step is an increase."""

    def __init__(self, provider: str, model: str, stage: str) -> None:
        self._who = (provider, model, stage)
        self._cost = _COST.labels(*self._who)
        self._input = _TOKENS.labels(*self._who, "input")
        self._output = _TOKENS.labels(*self._who, "output")
        self._duration = _DURATION.labels(*self._who)
        _CALLS.labels(*self._who, "ok")
        _CALLS.labels(*self._who, "quota")

    @contextmanager
    def timed(self, under_way: CallUnderWay) -> Generator[None, None, None]:
        """Counts one call: ``ok``, ``quota`` when the provider wants fewer calls, else the name of its error."""
        outcome = "ok"
        try:
            with self._duration.time():
                yield
        except BaseException as error:
            spent = isinstance(error, ProviderUnavailable) and error.quota
            kind = TimeoutError if under_way.took_too_long else type(error)
            outcome = "quota" if spent else kind.__name__
            raise
        finally:
            _CALLS.labels(*self._who, outcome).inc()

    def paused(self, reason: str) -> None:
        """Counts a call that was not made."""
        _PAUSES.labels(self._who[0], reason).inc()

    def paid(self, input_tokens: int, output_tokens: int, cost_usd: float) -> None:
        """Counts what an answer cost."""
        self._input.inc(input_tokens)
        self._output.inc(output_tokens)
        self._cost.inc(cost_usd)

    def show(self, circuit_open: bool, budget_used: float) -> None:
        """Notes how the provider stands now."""
        _OPEN.labels(self._who[0]).set(circuit_open)
        _BUDGET_USED.labels(self._who[0]).set(budget_used)
