"""A short run of chaos with a fixed seed, so that it belongs to every run of the suite."""

from pathlib import Path

from tests.chaos.run import run

SEED = 20261121


def test_every_promise_is_kept_after_a_few_seconds_of_harm(tmp_path: Path) -> None:
    lines: list[str] = []
    try:
        summary = run(tmp_path, SEED, 6, lines.append, pause_s=(0.2, 1.0))
    except AssertionError as broken:
        raise AssertionError("\n".join([str(broken), *lines])) from broken
    assert summary.files >= 5, summary
    assert summary.faults >= 2, summary
