"""Two gates with one store: one pace, one budget; without the store each goes on by itself and catches up after."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest
from prometheus_client import REGISTRY
from pydantic import ValidationError

from providers.budget import DailyBudget
from providers.errors import ProviderPausedError
from providers.gate import ProviderGate
from providers.prices import Price
from providers.settings import ProviderSettings
from providers.shared_limits import SharedLimits, shared_limits
from tests.redis_server import redis

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DOLLAR = Price(input_usd=1_000_000)
"""A token is a dollar."""

Connect = Callable[[], SharedLimits]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Connections to one store, as many as there are instances."""
    with redis() as port:
        made: list[SharedLimits] = []

        def connected() -> SharedLimits:
            made.append(SharedLimits(f"redis://127.0.0.1:{port}/0"))
            return made[-1]

        yield connected
        for limits in made:
            await limits.aclose()


def gate_of(shared: SharedLimits, limit_usd: float = 10, *, stage: str = "stage") -> ProviderGate:
    budget = DailyBudget(limit_usd, now=lambda: NOON, shared=shared, purse=f"{stage}/provider")
    return ProviderGate("provider", model="m", stage=stage, per_minute=60_000, budget=budget, shared=shared)


def alone() -> float | None:
    return REGISTRY.get_sample_value("provider_limits_alone")


async def test_instances_share_one_budget(connect: Connect) -> None:
    one, other, elsewhere = gate_of(connect()), gate_of(connect()), gate_of(connect(), stage="another stage")
    async with one.call():
        one.charge(DOLLAR, 6)
    async with other.call():
        other.charge(DOLLAR, 4)
    for gate in (one, other):
        with pytest.raises(ProviderPausedError, match="budget"):
            await gate.check()
    await elsewhere.check()
    assert elsewhere.budget.spent_usd == 0


async def test_an_instance_that_starts_later_knows_what_the_day_has_cost(connect: Connect) -> None:
    first = gate_of(connect())
    async with first.call():
        first.charge(DOLLAR, 10)
    with pytest.raises(ProviderPausedError):
        async with gate_of(connect()).call():
            pass


async def test_less_than_a_millionth_of_a_dollar_adds_up(connect: Connect) -> None:
    one, other = gate_of(connect()), gate_of(connect())
    for _ in range(10):
        async with one.call():
            one.charge(Price(input_usd=0.02), 15)  # a query: 0.3 micro-dollars
    await other.check()
    assert other.budget.spent_usd == pytest.approx(3e-6)
    assert one.budget.spent_usd == pytest.approx(3e-6)


async def test_concurrent_calls_are_told_once(connect: Connect) -> None:
    one, other = gate_of(connect(), 1000), gate_of(connect(), 1000)

    async def call(gate: ProviderGate) -> None:
        async with gate.call():
            await asyncio.sleep(0)
            gate.charge(DOLLAR, 3)

    await asyncio.gather(*(call(gate) for gate in (one, other) * 10))
    await one.check()
    assert one.budget.spent_usd == 60


async def test_a_day_is_the_days_own(connect: Connect) -> None:
    now = [NOON]
    budget = DailyBudget(1.0, now=lambda: now[0], shared=connect(), purse="p")
    budget.charge(2)
    await budget.settle()
    assert budget.wait_s() > 0
    now[0] = datetime(2026, 11, 22, tzinfo=UTC)
    await budget.settle()
    assert (budget.wait_s(), budget.spent_usd) == (0, 0)


async def test_instances_share_one_pace(connect: Connect) -> None:
    one, other = connect(), connect()
    taken = [await limits.take("s/p/m", per_minute=30) for _ in range(5) for limits in (one, other)]
    assert taken == [0.0] * 10, "ten in twenty seconds are 30 a minute"
    pause = await one.take("s/p/m", per_minute=30)
    assert pause is not None
    assert 0 < pause <= 20
    assert await other.take("s/p/another model", per_minute=30) == 0


@pytest.mark.parametrize("per_minute", [0.5, 1, 7, 60, 119, 600, 6000])
async def test_no_minute_has_more_calls_than_it_may(connect: Connect, per_minute: float) -> None:
    limits = connect()
    most = max(int(per_minute), 1)
    taken = [await limits.take("s/p/m", per_minute) for _ in range(min(most, 200) + 1)]
    at_once = taken.count(0.0)
    assert 1 <= at_once <= most
    pause = next((pause for pause in taken if pause), None)
    if per_minute <= 60:
        assert pause
        assert at_once * 60 / max(pause, 0.001) >= per_minute * 0.9, "nor fewer than it should"


async def test_a_call_waits_for_a_place_that_another_instance_has_taken(connect: Connect) -> None:
    limits = connect()
    gate = ProviderGate("provider", model="m", stage="s", per_minute=20, shared=connect())
    while await limits.take("s/provider/m", 20) == 0:
        pass
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1), gate.call():
            pass


async def test_without_the_store_each_goes_on_alone_and_tells_later() -> None:
    now = [0.0]
    with redis() as port:
        limits = SharedLimits(f"redis://127.0.0.1:{port}/0", clock=lambda: now[0])
        gate = gate_of(limits)
        async with gate.call():
            gate.charge(DOLLAR, 2)
        await limits.aclose()
    async with gate.call():
        gate.charge(DOLLAR, 3)
    assert (gate.budget.spent_usd, alone()) == (5, 1)
    with redis(port):
        async with gate.call():
            gate.charge(DOLLAR, 1)
        assert alone() == 1, "what was away rests for a while"
        now[0] = 6
        await gate.check()
        other = SharedLimits(f"redis://127.0.0.1:{port}/0")
        colleague = gate_of(other)
        await colleague.check()
        assert (alone(), colleague.budget.spent_usd) == (0, 6), "this store is a fresh one, and was told all"
        await other.aclose()
        await gate.aclose()


async def test_alone_the_money_ends_too() -> None:
    limits = SharedLimits("redis://127.0.0.1:1/0")
    gate = gate_of(limits, 5)
    async with gate.call():
        gate.charge(DOLLAR, 5)
    with pytest.raises(ProviderPausedError, match="budget"):
        await gate.check()
    await limits.aclose()


async def test_a_gate_tells_the_last_of_it_before_it_closes(connect: Connect) -> None:
    gate = gate_of(connect())
    gate.charge(DOLLAR, 7)
    await gate.aclose()
    late = gate_of(connect())
    await late.check()
    assert late.budget.spent_usd == 7


def test_in_memory_nothing_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shared_limits(ProviderSettings().provider_limits_url) is None
    monkeypatch.setenv("PROVIDER_LIMITS_URL", "memcached://x")
    with pytest.raises(ValidationError):
        ProviderSettings()
