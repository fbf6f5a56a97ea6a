"""Which metrics and labels a PromQL expression speaks of."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import promql_parser

OF_PROMETHEUS = frozenset({"job", "instance", "le"})
"""Labels that the server adds, and the one of a histogram's buckets."""


def used(expression: str) -> dict[str, set[str]]:
    """Label names by metric. Raises ``ValueError`` for what does not parse."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for metric, labels in _walk(promql_parser.parse(expression.replace("$__rate_interval", "5m")), frozenset()):
        found[metric] |= labels - OF_PROMETHEUS
    return dict(found)


def _walk(node: Any, grouped: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    match node:
        case promql_parser.VectorSelector():
            yield node.name, grouped | {matcher.name for matcher in node.matchers.matchers}
        case promql_parser.MatrixSelector():
            yield from _walk(node.vector_selector, grouped)
        case promql_parser.AggregateExpr():
            labels = frozenset(node.modifier.labels) if node.modifier else frozenset()
            yield from _walk(node.expr, grouped | labels)
        case promql_parser.Call():
            for argument in node.args:
                yield from _walk(argument, grouped)
        case promql_parser.BinaryExpr():
            yield from _walk(node.lhs, grouped)
            yield from _walk(node.rhs, grouped)
        case promql_parser.ParenExpr() | promql_parser.UnaryExpr():
            yield from _walk(node.expr, grouped)
        case promql_parser.NumberLiteral() | promql_parser.StringLiteral():
            return
        case _:
            raise ValueError(f"{type(node).__name__} is not looked into")
