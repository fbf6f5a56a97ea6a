"""The one door through which a process calls a provider: concurrency, pace, breaker and budget in that order."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from providers import metrics
from providers.breaker import CircuitBreaker
from providers.budget import DailyBudget
from providers.errors import ProviderError, ProviderPausedError, ProviderUnavailable
from providers.pace import Pace
from providers.prices import Price
from telemetry import spans


class ProviderGate:
    """Holds calls back as long as they must be; belongs to one event loop. ``provider`` names it in spans and metrics.

    ``concurrency`` calls at a time, ``per_minute`` a minute. The budget may be shared with other gates.
    """

    def __init__(
        self,
        provider: str,
        *,
        concurrency: int = 8,
        per_minute: float = 600,
        budget: DailyBudget | None = None,
        breaker: CircuitBreaker | None = None,
    ) -> None:
        self._provider = provider
        self.budget = budget or DailyBudget()
        self._breaker = breaker or CircuitBreaker(time.monotonic)
        self._places = asyncio.Semaphore(concurrency)
        self._pace = Pace(time.monotonic, per_minute=per_minute)

    def check(self) -> None:
        """For what is done before a call, like reading its input. Raises :class:`ProviderPausedError`."""
        for pause, reason in (
            (self._breaker.wait_s(), "the provider is left alone after failures"),
            (self.budget.wait_s(), "the budget of the day is spent"),
        ):
            if pause > 0:
                metrics.paused(self._provider)
                raise ProviderPausedError(f"{self._provider}: {reason}", pause)

    def charge(self, price: Price, input_tokens: int, output_tokens: int = 0) -> float:
        """Counts what an answer cost, usable or not; answers it in US dollars. Counts below 0 are none."""
        tokens_in, tokens_out = max(input_tokens, 0), max(output_tokens, 0)
        cost = price.cost_usd(tokens_in, tokens_out)
        self.budget.charge(cost)
        metrics.paid(self._provider, tokens_in, tokens_out, cost, self.budget.used)
        return cost

    @asynccontextmanager
    async def call(self) -> AsyncGenerator[None, None]:
        """One call. Waits for its turn, raises :class:`ProviderPausedError` when there is none for longer.

        Inside, only :class:`ProviderUnavailable` counts as a failure of the provider; a refusal or a bad answer is one
        more sign that it is there.
        """
        self.check()
        async with self._places:
            await asyncio.sleep(self._pace.reserve())
            self.check()
            self._breaker.begin()
            try:
                with metrics.timed(self._provider), spans.internal(f"call {self._provider}"):
                    yield
            except ProviderUnavailable as error:
                self._breaker.failed(error.retry_after_s)
                raise
            except ProviderError:
                self._breaker.succeeded()
                raise
            except BaseException:
                self._breaker.abandoned()
                raise
            else:
                self._breaker.succeeded()
