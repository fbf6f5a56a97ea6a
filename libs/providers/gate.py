"""The one door through which a process calls a provider: concurrency, pace, breaker and budget in that order.

Concurrency and breaker are the process's own; pace and budget are everybody's where there are shared limits.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from providers import metrics
from providers.breaker import CircuitBreaker
from providers.budget import DailyBudget
from providers.errors import ProviderError, ProviderPausedError, ProviderUnavailable
from providers.pace import Pace
from providers.patience import CallUnderWay, left_s
from providers.prices import Price
from providers.shared_limits import SharedLimits
from telemetry import spans


class ProviderGate:
    """Holds calls back as long as they must be; belongs to one event loop. ``provider`` names it in spans and metrics,
    beside ``model``, the ``stage`` that pays, and the ``operation`` (``chat``, ``embeddings``).

    ``concurrency`` calls at a time, ``per_minute`` a minute; with ``shared`` that many of all gates of the same stage,
    provider and model, in whatever process. The budget may be shared with other gates.
    """

    def __init__(
        self,
        provider: str,
        *,
        model: str = "",
        stage: str = "",
        operation: str = "chat",
        concurrency: int = 8,
        per_minute: float = 600,
        budget: DailyBudget | None = None,
        breaker: CircuitBreaker | None = None,
        shared: SharedLimits | None = None,
    ) -> None:
        self._provider = provider
        self._model = model
        self._operation = operation
        self.budget = budget or DailyBudget()
        self._breaker = breaker or CircuitBreaker(time.monotonic)
        self._metrics = metrics.ProviderMetrics(provider, model, stage)
        self._metrics.show(self._breaker.wait_s() > 0, self.budget.used)
        self._places = asyncio.Semaphore(concurrency)
        self._per_minute = per_minute
        self._pace = Pace(time.monotonic, per_minute=per_minute)
        self._shared = shared
        self._next_of_all = asyncio.Lock()
        self._name = f"{stage}/{provider}/{model}"

    async def check(self) -> None:
        """For what is done before a call, like reading its input. Raises :class:`ProviderPausedError`."""
        await self.budget.settle()
        for pause, reason in (
            (self._breaker.wait_s(), "the provider is left alone after failures"),
            (self.budget.wait_s(), "the budget of the day is spent"),
        ):
            if pause > 0:
                self._metrics.paused(reason)
                self._metrics.show(self._breaker.wait_s() > 0, self.budget.used)
                raise ProviderPausedError(f"{self._provider}: {reason}", pause)

    def charge(self, price: Price, input_tokens: int, output_tokens: int = 0, *, audio_tokens: int = 0) -> float:
        """Counts what an answer cost, usable or not; returns it in US dollars. Counts below 0 are none.

        ``audio_tokens`` are the part of ``input_tokens`` that is sound.
        """
        tokens_in, tokens_out = max(input_tokens, 0), max(output_tokens, 0)
        cost = price.cost_usd(tokens_in, tokens_out, min(max(audio_tokens, 0), tokens_in))
        self.budget.charge(cost)
        self._metrics.paid(tokens_in, tokens_out, cost)
        spans.tokens(tokens_in, tokens_out, cost)
        return cost

    async def aclose(self) -> None:
        """Tells the other processes the last of what was paid, and closes the connections to what is shared."""
        await self.budget.settle()
        if self._shared is not None:
            await self._shared.aclose()

    @asynccontextmanager
    async def call(self) -> AsyncGenerator[None, None]:
        """One call. Waits for its turn, raises :class:`ProviderPausedError` when there is none for longer.

        Inside, only :class:`ProviderUnavailable` counts as a failure of the provider, and that it took longer than the
        caller's :func:`~providers.patience.patience`; a refusal or a bad answer is one more sign that it is there.
        """
        await self.check()
        async with self._places:
            await self._turn()
            await self.check()
            self._breaker.begin()
            under_way = CallUnderWay()
            try:
                with (
                    self._metrics.timed(under_way),
                    spans.inference(self._operation, self._provider, self._model, remote=True),
                ):
                    yield
            except ProviderUnavailable as error:
                self._breaker.failed(error.retry_after_s)
                error.pause_s, error.answered = self._breaker.wait_s(), self._breaker.answered
                raise
            except ProviderError:
                self._breaker.succeeded()
                raise
            except BaseException:
                if under_way.took_too_long:
                    self._breaker.failed()
                else:
                    self._breaker.abandoned()
                raise
            else:
                self._breaker.succeeded()
            finally:
                await self.budget.settle()
                self._metrics.show(self._breaker.wait_s() > 0, self.budget.used)

    async def _turn(self) -> None:
        """The process's own pace holds in any case: it is what is left while the shared limits are away.

        Whoever has not twice that long is told at once and takes no turn: a crowd that is too large must not leave
        behind places in which nobody calls.
        """
        self._only_if_soon(self._pace.wait_s())
        try:
            await asyncio.sleep(self._pace.reserve())
        except asyncio.CancelledError:
            self._pace.give_back()
            raise
        if self._shared is None:
            return
        async with self._next_of_all:  # one asks for this process, the others stand in line behind it
            while pause := await self._shared.take(self._name, self._per_minute):
                self._only_if_soon(pause)
                await asyncio.sleep(pause)

    def _only_if_soon(self, pause: float) -> None:
        if pause > left_s() / 2:
            reason = "all calls of the next seconds are spoken for"
            self._metrics.paused(reason)
            raise ProviderPausedError(f"{self._provider}: {reason}", pause)
