"""Turns ranked file names into nDCG@10, hit@1, hit@10, and the rate of answers where none was due."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.bench.relevance.queries import LabelledQuery

DEPTH = 10


@dataclass(frozen=True)
class Quality:
    """Means over the queries that have an answer; ``false_answers`` over those that have none."""

    ndcg: float
    hit_at_1: float
    hit_at_10: float
    false_answers: float


def quality(answers: Mapping[LabelledQuery, Sequence[str]]) -> Quality:
    """``answers``: the file names found for each query, best first."""
    due = [(query, found) for query, found in answers.items() if query.expected]
    undue = [found for query, found in answers.items() if not query.expected]
    return Quality(
        ndcg=_mean([_ndcg(found, query.expected) for query, found in due]),
        hit_at_1=_mean([float(bool(found) and found[0] in query.expected) for query, found in due]),
        hit_at_10=_mean([float(bool(set(found[:DEPTH]) & set(query.expected))) for query, found in due]),
        false_answers=_mean([float(bool(found)) for found in undue]),
    )


def _ndcg(found: Sequence[str], expected: Sequence[str]) -> float:
    gain = sum(1 / math.log2(place + 2) for place, name in enumerate(found[:DEPTH]) if name in expected)
    best = sum(1 / math.log2(place + 2) for place in range(min(len(expected), DEPTH)))
    return gain / best


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
