"""The commands behind the figures of search run to their end, and print what docs/figures.md quotes."""

import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.timeout(240)


class Row(NamedTuple):
    """A row of the table of relevance."""

    ndcg: float
    hit_at_1: float
    hit_at_10: float
    false_answers: float


def printed_by(*command: str) -> str:
    ended = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def rows_of(mode: str, table: str) -> dict[str, Row]:
    """Those of one mode, by the kind of query; of all kinds under the mode's own name."""
    found = re.search(rf"^{mode} .*\n(?: +\w.*\n)+", table, re.MULTILINE)
    assert found, table
    rows = [line.split() for line in found[0].splitlines()]
    return {name: Row(*map(float, figures)) for name, _, *figures in rows}


def test_on_the_labelled_set_both_together_beat_meaning_or_words_alone() -> None:
    table = printed_by("tests.bench.relevance")
    hybrid, semantic, keyword = (rows_of(mode, table)[mode] for mode in ("hybrid", "semantic", "keyword"))
    assert hybrid.ndcg >= max(semantic.ndcg, keyword.ndcg, 0.95), table
    assert hybrid.hit_at_1 >= max(semantic.hit_at_1, keyword.hit_at_1, 0.93), table
    assert hybrid.hit_at_10 >= max(semantic.hit_at_10, keyword.hit_at_10), table
    assert rows_of("hybrid", table)["nonsense"].false_answers == 0, table


def test_a_smoke_run_of_the_speed_of_search_measures_everything() -> None:
    with TemporaryDirectory(prefix="mmsearch-bench-") as home:
        quick = ("--quick", "--without-rivals", "--dims", "384", "--data-dir", home)
        printed = printed_by("tests.bench.search", *quick)
        assert (Path(home) / "search-by-size.png").stat().st_size > 10_000
    for part in ("recall@20 in files", "SQL ms p50/p95", "endpoint ms p50/p95", "writing 500 passages"):
        assert part in printed
    assert "all at least 0.99, none missing" in printed
    assert re.search(r"one tenant beyond the crossover: +\d+ passages/s", printed)
