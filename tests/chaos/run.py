"""One run of chaos: users and a nemesis at the same time, then healing, repairing and the audit."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mmsearch.operations import OperatorClient
from tests.chaos.auditing import Audit
from tests.chaos.feeding import Feeder
from tests.chaos.history import History
from tests.chaos.nemesis import Nemesis
from tests.chaos.providers import Providers, providers
from tests.pipeline.local_system import LocalSystem

HASTE = {
    "SWEEP_AFTER_S": "4",
    "SWEEP_EVERY_S": "1",
    "RECONCILE_SETTLE_S": "0",
    "REDRIVES_PER_MINUTE": "100000",
    "REPROCESSES_PER_MINUTE": "100000",
}
AT_ONCE = 5
"""Calls of one service that may be under way when it is harmed: paid for, and not kept yet."""


@dataclass(frozen=True)
class Summary:
    """What a run was."""

    seed: int
    files: int
    deleted: int
    faults: int
    kills: int
    provider_failures: int
    repaired: int
    paid_calls: int
    paid_again: int
    drain_s: float
    took_s: float

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.files} files ({self.deleted} deleted), {self.faults} faults ({self.kills} kills, "
            f"{self.provider_failures} provider failures), {self.repaired} sent again by the operator, "
            f"{self.paid_calls} paid calls ({self.paid_again} twice), drained in {self.drain_s:.1f} s, "
            f"all invariants held, {self.took_s:.0f} s in all"
        )


def run(
    directory: Path,
    seed: int,
    seconds: float,
    say: Callable[[str], None],
    *,
    pause_s: tuple[float, float] = (0.3, 2.5),
    patience_s: float = 240,
) -> Summary:
    """Raises ``AssertionError`` when a promise was broken. ``pause_s`` is the time between two faults."""
    began = time.monotonic()
    history = History(say)
    with providers() as paid:
        system = LocalSystem(directory / "data", **HASTE, **paid.environment)
        system.start()
        history.add(f"a system with seed {seed}")
        try:
            return _run(system, paid, history, directory, seed, seconds, pause_s, patience_s, began)
        finally:
            system.stop()


def _run(
    system: LocalSystem,
    paid: Providers,
    history: History,
    directory: Path,
    seed: int,
    seconds: float,
    pause_s: tuple[float, float],
    patience_s: float,
    began: float,
) -> Summary:
    feeder = Feeder(system, directory / "files", seed, history, limit=max(12, round(seconds * 1.5)))
    nemesis = Nemesis(system, paid, history, seed, pause_s)
    feeder.start()
    try:
        nemesis.rage(seconds)
    finally:
        nemesis.heal()
        expected = feeder.finish()
    operator = OperatorClient(system.url, system.variables["MMSEARCH_API_KEY"])
    with operator:
        audit = Audit(system, operator, expected, history)
        drain_s = audit.drain(patience_s)
        history.add(f"drained: {expected.files} files")
        audit.check()
    allowed = AT_ONCE * nemesis.harm_to_paid + audit.repaired
    assert paid.paid_again <= allowed, f"paid twice: {paid.told()}, at most {allowed} can be explained"
    return Summary(
        seed=seed,
        files=expected.files,
        deleted=len(expected.deleted),
        faults=nemesis.faults,
        kills=nemesis.kills,
        provider_failures=paid.failed,
        repaired=audit.repaired,
        paid_calls=paid.paid_calls,
        paid_again=paid.paid_again,
        drain_s=drain_s,
        took_s=time.monotonic() - began,
    )
