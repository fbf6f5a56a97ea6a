"""Prints how well search finds: nDCG@10, hit@1, hit@10 and false answers per mode, on the labelled set beside it.

python -m tests.bench.relevance [--misses]
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from database.engine import Database
from embeddings.cache import CachingEncoder
from embeddings.local import LocalEncoder
from search.cut_offs import calibration_for
from search.finder import Finder
from search.models import Model, Models
from search.request import Mode, SearchRequest
from tests.bench.postgres import service_database
from tests.bench.relevance.collection import Collection
from tests.bench.relevance.documents import documents
from tests.bench.relevance.metrics import DEPTH, Quality, quality
from tests.bench.relevance.queries import LabelledQuery, labelled_queries

USER = "reader"


async def ask(finder: Finder, mode: Mode) -> dict[LabelledQuery, list[str]]:
    """The names found for every labelled query."""
    answers: dict[LabelledQuery, list[str]] = {}
    for query in labelled_queries():
        found = await finder.find(USER, SearchRequest(query=query.text, mode=mode.value, limit=DEPTH))
        answers[query] = [result.filename for result in found.results]
    return answers


async def main(*, misses: bool) -> None:
    """About half a minute on two cores, most of it encoding."""
    with tempfile.TemporaryDirectory(prefix="mmsearch-bench-") as directory:
        encoder = CachingEncoder(LocalEncoder(Path(directory) / "models"))
        async with service_database(Path(directory), "search") as database:
            started = time.perf_counter()
            count = await Collection(database, encoder, USER).fill(documents())
            _print(f"{len(documents())} files, {count} passages indexed in {time.perf_counter() - started:.0f} s")
            await _print_table(database, encoder, misses=misses)


async def _print_table(database: Database, encoder: CachingEncoder, *, misses: bool) -> None:
    finder = Finder(database, Models(Model(encoder, calibration_for(encoder.model_id))), encoder_timeout_s=30)
    _print(f"{'':18}{'queries':>8} {'nDCG@10':>8} {'hit@1':>7} {'hit@10':>7} {'false answers':>14}")
    for mode in Mode:
        answers = await ask(finder, mode)
        _print(_line(mode.value, quality(answers), len(answers)))
        for kind in dict.fromkeys(query.kind for query in answers):
            part = {query: found for query, found in answers.items() if query.kind == kind}
            _print(_line(f"  {kind}", quality(part), len(part)))
        if misses:
            _print_misses(answers)


def _line(name: str, figures: Quality, count: int) -> str:
    return (
        f"{name:18}{count:8} {figures.ndcg:8.3f} {figures.hit_at_1:7.3f} {figures.hit_at_10:7.3f}"
        f" {figures.false_answers:14.3f}"
    )


def _print_misses(answers: dict[LabelledQuery, list[str]]) -> None:
    for query, found in answers.items():
        if query.expected and (not found or found[0] not in query.expected):
            place = next((i for i, name in enumerate(found, 1) if name in query.expected), 0)
            _print(f"    {query.kind}: {query.text!r} expects {query.expected[0]}, is number {place}: {found[:3]}")
        elif found and not query.expected:
            _print(f"    {query.kind}: {query.text!r} finds {found[:3]}")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="tests.bench.relevance")
    parser.add_argument("--misses", action="store_true", help="also list the queries that went wrong")
    asyncio.run(main(misses=parser.parse_args().misses))
