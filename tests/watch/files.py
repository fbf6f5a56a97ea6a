"""The dashboard and the alert rules as they are committed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "deploy/grafana/dashboards/mmsearch.json"
ALERTS = ROOT / "deploy/prometheus/alerts.yaml"
GUIDE = ROOT / "docs/watching.md"
RUNBOOK = ROOT / "docs/operations.md"


def panels() -> list[dict[str, Any]]:
    return json.loads(DASHBOARD.read_text())["panels"]


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def expressions() -> Iterator[tuple[str, str]]:
    """Where it stands, and the expression."""
    for panel in panels():
        for target in panel.get("targets", []):
            yield f"panel {panel['title']}", target["expr"]
    for alert in alerts():
        yield f"alert {alert['alert']}", alert["expr"]
