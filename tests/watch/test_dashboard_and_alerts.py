"""Dashboard and alerts are well formed: every expression parses, every alert says what to do, nothing overlaps."""

import importlib
import itertools
import re
from collections.abc import Iterator

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram

from tests.watch.files import ALERTS, GUIDE, ROOT, RUNBOOK, alerts, expressions, panels
from tests.watch.promql import used

WANTED = {"OldestUnackedMessage", "QueueDepth", "ApiErrorRate", "ApiLatency", "DeadLetters", "ProviderQuota"}


@pytest.mark.parametrize(("where", "expression"), list(expressions()), ids=lambda text: text[:40])
def test_every_expression_parses_and_speaks_of_a_metric(where: str, expression: str) -> None:
    assert used(expression)


def test_a_broken_expression_is_noticed() -> None:
    with pytest.raises(ValueError, match=r"."):
        used("sum by (service (rate(http_requests_total[5m]))")


def test_labels_are_found_wherever_they_stand() -> None:
    found = used('sum by (a) (rate(one{b="x"}[5m])) / on (c) max by (d) (two{e!~"y"}) > 3')
    assert found == {"one": {"a", "b"}, "two": {"d", "e"}}


def test_every_alert_has_a_severity_a_summary_and_its_own_place_in_the_runbook() -> None:
    for alert in alerts():
        kebab = re.sub(r"(?<!^)(?=[A-Z])", "-", alert["alert"]).lower()
        assert alert["annotations"]["runbook_url"] == f"docs/operations.md#alert-{kebab}"
        assert alert["annotations"]["summary"]
        assert alert["labels"]["severity"] in ("page", "ticket")
    names = [alert["alert"] for alert in alerts()]
    assert len(set(names)) == len(names)
    assert set(names) >= WANTED


def test_the_runbook_says_what_to_do_about_every_alert_and_about_no_other() -> None:
    headings = re.findall(r"^### (Alert [a-z ]+)$", RUNBOOK.read_text(), re.MULTILINE)
    described = {heading.lower().replace(" ", "-") for heading in headings}
    assert described == {alert["annotations"]["runbook_url"].partition("#")[2] for alert in alerts()}


def test_the_guide_describes_every_metric_in_use() -> None:
    text = GUIDE.read_text()
    metrics = {metric for _, expression in expressions() for metric in used(expression)}
    families = {re.sub(r"_(bucket|count|sum)$", "", metric) for metric in metrics}
    assert {family for family in families if f"`{family}`" not in text and f"`{family}{{" not in text} == set()


def exported_by_our_code() -> Iterator[str]:
    """The name of every metric that a module of libs or services makes, as ``/metrics`` spells it."""
    for folder in ("libs", "services"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "from prometheus_client import" not in path.read_text():
                continue
            module = importlib.import_module(".".join(path.relative_to(ROOT / folder).with_suffix("").parts))
            for made in vars(module).values():
                if isinstance(made, Counter | Gauge | Histogram):
                    (family,) = made.describe()
                    yield f"{family.name}_total" if isinstance(made, Counter) else family.name


def test_the_guide_describes_every_metric_there_is() -> None:
    text = GUIDE.read_text()
    names = set(exported_by_our_code())
    assert names >= {"uploads_total", "uploads_silent", "http_request_duration_seconds", "rate_limited_total"}
    assert {name for name in names if f"`{name}`" not in text and f"`{name}{{" not in text} == set()


def test_panels_do_not_overlap_and_fit_the_grid() -> None:
    boxes = [panel["gridPos"] for panel in panels()]
    assert all(box["x"] + box["w"] <= 24 for box in boxes)
    for one, other in itertools.combinations(boxes, 2):
        apart_x = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        apart_y = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert apart_x or apart_y, (one, other)


def test_rules_and_provisioning_are_yaml_that_means_something() -> None:
    assert yaml.safe_load(ALERTS.read_text())["groups"][0]["name"] == "mmsearch"
    for path in (ROOT / "deploy/grafana/provisioning").rglob("*.yaml"):
        assert yaml.safe_load(path.read_text())["apiVersion"] == 1
