"""A call given up for taking too long is the provider's failure; a call that is cancelled for anything else is not."""

import asyncio

import pytest
from prometheus_client import REGISTRY

from providers.breaker import CircuitBreaker
from providers.errors import ProviderPausedError
from providers.gate import ProviderGate
from providers.patience import patience

LONG_S = 3600.0


class Provider:
    """Hangs until the patience of who waits has run out, or for ever; counts who called."""

    def __init__(self, gate: ProviderGate) -> None:
        self.gate = gate
        self.calls = 0

    async def hang(self, timeout: asyncio.Timeout | None = None) -> None:
        async with self.gate.call():
            self.calls += 1
            if timeout is not None:
                runs_out(timeout)
            await asyncio.Event().wait()


def runs_out(timeout: asyncio.Timeout, left_s: float = 0) -> None:
    timeout.reschedule(asyncio.get_running_loop().time() + left_s)


async def given_up(provider: Provider) -> None:
    with pytest.raises(TimeoutError):
        async with patience(LONG_S) as timeout:
            await provider.hang(timeout)


async def given_up_after_a_queue(provider: Provider, left_s: float) -> None:
    async with patience(LONG_S) as timeout:
        runs_out(timeout, left_s)
        await provider.hang(timeout)


async def cancelled(provider: Provider) -> None:
    async def wait() -> None:
        async with patience(LONG_S):
            await provider.hang()

    before = provider.calls
    call = asyncio.create_task(wait())
    while provider.calls == before:
        await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def provider(now: list[float]) -> Provider:
    return Provider(ProviderGate("test", per_minute=60_000, breaker=CircuitBreaker(lambda: now[0])))


async def test_after_five_that_took_too_long_nobody_calls_until_a_probe(provider: Provider, now: list[float]) -> None:
    for _ in range(5):
        await given_up(provider)
    with pytest.raises(ProviderPausedError):
        await provider.hang()
    assert provider.calls == 5
    now[0] = 61
    await given_up(provider)
    with pytest.raises(ProviderPausedError):
        await provider.hang()
    assert provider.calls == 6
    now[0] = 122
    async with provider.gate.call():
        pass
    await provider.gate.check()


async def test_a_client_that_went_away_says_nothing_of_the_provider(provider: Provider) -> None:
    for _ in range(10):
        await cancelled(provider)
    for _ in range(4):
        await given_up(provider)
    await provider.gate.check()
    await given_up(provider)
    with pytest.raises(ProviderPausedError):
        await provider.gate.check()


async def test_a_timeout_of_somebody_who_does_not_wait_for_the_provider_says_nothing_of_it(provider: Provider) -> None:
    for _ in range(5):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(LONG_S) as timeout, patience(LONG_S):
                await provider.hang(timeout)
    await provider.gate.check()


async def test_who_spent_most_of_the_time_waiting_for_a_turn_says_nothing_of_the_provider(provider: Provider) -> None:
    for _ in range(5):
        with pytest.raises(TimeoutError):
            await given_up_after_a_queue(provider, LONG_S / 3)
    await provider.gate.check()
    assert provider.calls == 5


async def test_time_that_runs_out_in_the_queue_is_no_call() -> None:
    provider = Provider(ProviderGate("test", concurrency=1, per_minute=60_000))
    first = asyncio.create_task(provider.hang())
    while not provider.calls:
        await asyncio.sleep(0)
    for _ in range(5):
        with pytest.raises(TimeoutError):
            await given_up_after_a_queue(provider, 0)
    first.cancel()
    await asyncio.wait([first])
    await provider.gate.check()
    assert provider.calls == 1


async def test_a_call_made_in_a_task_of_its_own_is_known_to_have_taken_too_long(provider: Provider) -> None:
    for _ in range(5):
        with pytest.raises(TimeoutError):
            async with patience(LONG_S) as timeout:
                await asyncio.gather(provider.hang(timeout))
    with pytest.raises(ProviderPausedError):
        await provider.gate.check()


async def test_the_metric_tells_too_long_from_cancelled() -> None:
    provider = Provider(ProviderGate("slow", model="m", stage="s", per_minute=60_000))
    await given_up(provider)
    await cancelled(provider)

    def calls(outcome: str) -> float | None:
        labels = {"provider": "slow", "model": "m", "stage": "s", "outcome": outcome}
        return REGISTRY.get_sample_value("provider_calls_total", labels)

    assert (calls("TimeoutError"), calls("CancelledError")) == (1, 1)


async def test_a_crowd_beyond_the_pace_is_told_at_once_and_leaves_no_places_behind() -> None:
    between_s = 2 * LONG_S
    gate = ProviderGate("test", per_minute=60 / between_s)
    calls, pauses = 0, list[float]()
    for _ in range(100):
        try:
            async with patience(LONG_S), gate.call():
                calls += 1
        except ProviderPausedError as error:
            pauses.append(error.pause_s)
    assert (calls, len(pauses)) == (10, 90)
    assert max(pauses) <= between_s, "the next turn is as near as before, however many asked meanwhile"


async def test_a_turn_that_is_waited_for_no_longer_is_given_back() -> None:
    between_s = 2 * LONG_S
    provider = Provider(ProviderGate("test", per_minute=60 / between_s, concurrency=1000))
    calls = [asyncio.create_task(provider.hang()) for _ in range(100)]
    while provider.calls < 10:
        await asyncio.sleep(0)
    for call in calls:
        call.cancel()
    await asyncio.wait(calls)
    with pytest.raises(ProviderPausedError) as paused:
        await given_up(provider)
    assert paused.value.pause_s <= between_s
