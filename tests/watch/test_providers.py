"""What dashboard and alerts say about paid providers is exported by a gate from its first moment."""

from prometheus_client import REGISTRY, generate_latest

from providers.budget import DailyBudget
from providers.gate import ProviderGate
from providers.prices import Price
from tests.watch.exposition import exported, missing
from tests.watch.files import expressions
from tests.watch.promql import used


async def test_every_metric_of_providers_in_use_is_exported() -> None:
    gate = ProviderGate("watched", model="a model", stage="analyzer", budget=DailyBudget(1.0))
    before = generate_latest(REGISTRY).decode()
    assert 'provider_cost_usd_total{model="a model",provider="watched",stage="analyzer"} 0.0' in before
    async with gate.call():
        gate.charge(Price(input_usd=1), 250_000)
    gate.budget.charge(5)
    try:
        await gate.check()
    except ConnectionError:
        available = exported(generate_latest(REGISTRY).decode())
    wanted = [pair for _, e in expressions() for pair in used(e).items() if pair[0].startswith("provider_")]
    assert len(wanted) > 5
    assert [problem for metric, labels in wanted if (problem := missing(metric, labels, available))] == []
