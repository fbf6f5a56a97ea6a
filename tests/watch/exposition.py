"""What a process exports, as Prometheus reads it."""

from collections import defaultdict

from prometheus_client.parser import text_string_to_metric_families


def exported(text: str) -> dict[str, set[frozenset[str]]]:
    """The label sets of every series by sample name."""
    found: defaultdict[str, set[frozenset[str]]] = defaultdict(set)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name].add(frozenset(sample.labels))
    return dict(found)


def missing(metric: str, labels: set[str], available: dict[str, set[frozenset[str]]]) -> str | None:
    """What is wrong with an expression's metric, or None."""
    if metric not in available:
        return f"{metric} is not exported"
    if not any(labels <= series for series in available[metric]):
        return f"{metric} has no series with {sorted(labels)}, only {[sorted(s) for s in available[metric]]}"
    return None
