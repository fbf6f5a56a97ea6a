"""What the dashboard and the alerts speak of is really exported by the running services, under those labels."""

import json

import httpx2
import pytest

from contracts.artifacts import Service
from contracts.topology import SUBSCRIPTIONS
from localcloud.samples import Sample
from tests.pipeline.local_system import LocalSystem, data_of, wait_for
from tests.watch.exposition import exported, missing
from tests.watch.files import expressions
from tests.watch.promql import used

BY_PROMETHEUS = {"up"}


def scrape(system: LocalSystem, name: str) -> str:
    port = json.loads((system.data_dir / "ports.json").read_text())[name]
    return httpx2.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).raise_for_status().text


@pytest.fixture(scope="module")
def scraped(system: LocalSystem, samples: list[Sample], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every exposition after a file that went through, one that failed, and a search."""
    broken = tmp_path_factory.mktemp("broken") / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nis not one")
    good = data_of(system.upload(samples[0].path, on_duplicate="allow"))["upload_id"]
    bad = data_of(system.upload(broken, on_duplicate="allow"))["upload_id"]
    assert system.until_final(good)["status"] == "completed"
    assert system.until_final(bad)["status"] == "failed"
    system.search("anything at all")
    wait_for(lambda: "dead_letters_waiting{" in scrape(system, "upload-gateway"), 30)
    names = [*(service.value for service in Service), "pubsub-jwks"]
    return {name: scrape(system, name) for name in names}


def test_every_metric_and_label_in_use_is_exported(scraped: dict[str, str]) -> None:
    available: dict[str, set[frozenset[str]]] = {}
    for text in scraped.values():
        for name, series in exported(text).items():
            available.setdefault(name, set()).update(series)
    problems = [
        f"{where}: {problem}"
        for where, expression in expressions()
        for metric, labels in used(expression).items()
        # Providers are paid: tests/watch/test_providers.py asks a gate.
        if metric not in BY_PROMETHEUS and not metric.startswith("provider_")
        if (problem := missing(metric, labels, available))
    ]
    assert problems == []


def value(text: str, start: str, **labels: str) -> float:
    wanted = [f'{name}="{value}"' for name, value in labels.items()]
    lines = [line for line in text.splitlines() if line.startswith(start + "{") and all(w in line for w in wanted)]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def test_uploads_stages_and_failures_are_counted(scraped: dict[str, str], samples: list[Sample]) -> None:
    gateway = scraped["upload-gateway"]
    assert value(gateway, "uploads_total", status="completed") >= 1
    assert value(gateway, "uploads_total", status="failed") >= 1
    assert value(gateway, "uploads_total", status="accepted") >= 2
    for stage in ("media-processor", "analyzer", "embedder", "search"):
        assert value(scraped[stage], "processing_duration_seconds_count", stage=stage) >= 1
        assert value(scraped[stage], "active_processing_jobs", service=stage) == 0
    assert value(scraped["media-processor"], "processing_errors_total", code="corrupt", outcome="rejected") >= 1
    assert value(scraped["search"], "search_latency_seconds_count", mode="hybrid") >= 1


def test_routes_are_templates(scraped: dict[str, str]) -> None:
    gateway = scraped["upload-gateway"]
    assert 'route="/api/v1/upload/status/{job_id}"' in gateway
    assert "upl_" not in "".join(scraped.values())


def test_the_broker_shows_the_backlog_of_every_subscription(scraped: dict[str, str]) -> None:
    for subscription in SUBSCRIPTIONS:
        assert f'num_undelivered_messages{{subscription="{subscription.name}"}}' in scraped["pubsub-jwks"]
        assert f'oldest_unacked_message_age{{subscription="{subscription.name}"}}' in scraped["pubsub-jwks"]


def test_counters_start_at_nought(scraped: dict[str, str]) -> None:
    """An alert on an increase sees the first one only when there was something to increase from."""
    letters = [line for line in scraped["upload-gateway"].splitlines() if line.startswith("dead_letters_total{")]
    assert {f'dead_letters_total{{subscription="{s.name}"}}' for s in SUBSCRIPTIONS} <= {
        line.rpartition(" ")[0] for line in letters
    }
