"""A day's money runs out and comes back at midnight, over a restart too; the gate holds calls back."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from providers.breaker import CircuitBreaker
from providers.budget import DailyBudget
from providers.errors import ProviderAnswerInvalid, ProviderPausedError, ProviderUnavailable
from providers.gate import ProviderGate
from providers.prices import Price

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def test_spending_pauses_until_midnight_and_the_next_day_begins_at_nothing() -> None:
    now = [NOON]
    budget = DailyBudget(1.0, now=lambda: now[0])
    budget.charge(0.6)
    assert budget.wait_s() == 0
    budget.charge(0.6)
    assert budget.wait_s() == 12 * 3600
    now[0] = datetime(2026, 11, 22, tzinfo=UTC)
    assert (budget.wait_s(), budget.spent_usd) == (0, 0)


def test_no_limit_never_pauses_and_no_money_always_does() -> None:
    free = DailyBudget()
    free.charge(1e9)
    assert free.wait_s() == 0
    assert DailyBudget(0.0).wait_s() > 0


@pytest.mark.parametrize("damage", ["", "{", '{"day": 3}', '{"usd": "x"}'])
def test_the_sum_survives_a_restart_and_a_damaged_file_counts_as_nothing(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "spent.json"
    DailyBudget(1.0, path, now=lambda: NOON).charge(0.7)
    again = DailyBudget(1.0, path, now=lambda: NOON)
    assert again.spent_usd == 0.7
    path.write_text(damage)
    assert DailyBudget(1.0, path, now=lambda: NOON).spent_usd == 0


async def test_at_most_so_many_calls_at_a_time() -> None:
    gate = ProviderGate("test", concurrency=2, per_minute=60_000)
    running, most = 0, 0

    async def call() -> None:
        nonlocal running, most
        async with gate.call():
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.001)
            running -= 1

    await asyncio.gather(*(call() for _ in range(8)))
    assert most == 2


async def test_who_waited_for_a_place_is_held_back_when_the_circuit_opened_meanwhile() -> None:
    gate = ProviderGate("test", concurrency=1, per_minute=60_000)

    async def fail() -> None:
        async with gate.call():
            await asyncio.sleep(0)
            raise ProviderUnavailable("no", retry_after_s=30)

    ended = await asyncio.gather(*(fail() for _ in range(4)), return_exceptions=True)
    assert [type(error) for error in ended] == [ProviderUnavailable] + [ProviderPausedError] * 3


async def test_a_cancelled_probe_lets_the_next_one_through() -> None:
    now = [0.0]
    gate = ProviderGate("test", per_minute=60_000, breaker=CircuitBreaker(lambda: now[0], failures=1))
    with pytest.raises(ProviderUnavailable):
        async with gate.call():
            raise ProviderUnavailable("no")
    now[0] = 61
    with pytest.raises(asyncio.CancelledError):
        async with gate.call():
            raise asyncio.CancelledError
    with pytest.raises(ProviderAnswerInvalid):
        async with gate.call():
            raise ProviderAnswerInvalid("it is there, at least")
    await gate.check()


async def test_a_pause_is_a_connection_error_that_says_how_long() -> None:
    gate = ProviderGate("test", budget=DailyBudget(0.0), breaker=CircuitBreaker(time.monotonic))
    with pytest.raises(ConnectionError, match="budget of the day is spent; next call in"):
        await gate.check()


async def test_calls_pauses_tokens_and_cost_are_counted() -> None:
    gate = ProviderGate("counted", model="a model", stage="a stage", budget=DailyBudget(4.0))

    def value(name: str, **labels: str) -> float | None:
        return REGISTRY.get_sample_value(name, {"provider": "counted", **labels})

    who = {"model": "a model", "stage": "a stage"}

    async with gate.call():
        assert gate.charge(Price(input_usd=1, output_usd=2), 1_000_000, 500_000) == 2
    with pytest.raises(ProviderUnavailable):
        async with gate.call():
            raise ProviderUnavailable("no")
    gate.charge(Price(input_usd=1, output_usd=2), -5, 1_000_000)
    with pytest.raises(ProviderPausedError):
        await gate.check()
    assert value("provider_calls_total", **who, outcome="ok") == 1
    assert value("provider_calls_total", **who, outcome="ProviderUnavailable") == 1
    assert value("provider_pauses_total", reason="the budget of the day is spent") == 1
    assert value("provider_tokens_total", **who, direction="input") == 1_000_000
    assert value("provider_cost_usd_total", **who) == 4
    assert value("provider_budget_used_ratio") == 1
