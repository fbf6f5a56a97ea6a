"""A release in its order, on paper and against a gcloud that writes down what it is asked."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.artifacts import Service
from contracts.events import EVENTS
from contracts.topology import SUBSCRIPTIONS
from deploy.release import commands
from tests.deploy.hcl import configuration

ROOT = Path(__file__).parents[2]
PLACE = ["--project=p", "--region=europe-west1", "--image-root=europe-west1-docker.pkg.dev/p/mmsearch"]

FAKE_GCLOUD = """#!{python}
import json, os, sys
words = sys.argv[1:]
with open(os.environ["CALLS"], "a") as calls:
    calls.write(json.dumps(words) + "\\n")
line = " ".join(words)
if "revisions describe" in line:
    sys.exit(1)
if os.environ.get("FAIL_ON") and os.environ["FAIL_ON"] in line:
    sys.exit(1)
if "services describe" in line:
    service = words[3]
    print(json.dumps({{"status": {{"traffic": [
        {{"revisionName": service + "-v1-0-0", "percent": 100}}, {{"revisionName": service + "-x", "tag": "x"}}]}}}}))
if "logging read" in line:
    shares = [w for c in open(os.environ["CALLS"]) for w in json.loads(c) if w.startswith("--to-revisions=")]
    if os.environ.get("ERRORS_AT") and shares[-1].endswith("=" + os.environ["ERRORS_AT"]):
        print("\\n".join("abcdef"))
"""


def release(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.release", *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def rollout_plan(*words: str) -> list[str]:
    done = release("rollout", *PLACE, "--version=v1.2.3", "--dry-run", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def gcloud(tmp_path: Path) -> dict[str, str]:
    """The environment in which a written-down gcloud is the first on the path."""
    program = tmp_path / "bin" / "gcloud"
    program.parent.mkdir()
    program.write_text(FAKE_GCLOUD.format(python=sys.executable))
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:{os.environ['PATH']}", "CALLS": str(tmp_path / "calls")}


def calls(gcloud: dict[str, str]) -> list[str]:
    return [" ".join(json.loads(line)) for line in Path(gcloud["CALLS"]).read_text().splitlines()]


def test_the_order_is_images_schemas_revisions_then_traffic() -> None:
    plan = rollout_plan()
    first = {kind: next(i for i, line in enumerate(plan) if kind in line) for kind in (
        "images describe", "jobs update", "jobs execute", "services describe", "--no-traffic", "update-traffic",
    )}  # fmt: skip
    assert list(first) == sorted(first, key=lambda kind: first[kind])
    last_start = max(i for i, line in enumerate(plan) if "--no-traffic" in line)
    assert last_start < first["update-traffic"], "every new revision is well before any gets traffic"


def test_traffic_moves_in_three_shares_and_errors_are_looked_at_after_each() -> None:
    plan = rollout_plan("--soak-seconds=60")
    shares = [line.split("=")[-3:] for line in plan if "update-traffic" in line]
    assert len(shares) == len(commands.SHARES) * len(Service)
    story = [
        "traffic" if "update-traffic" in x else x.split()[0] for x in plan if "update-traffic" in x or "sleep" in x
    ]
    assert story == (["traffic"] * 5 + ["sleep"]) * 3
    assert sum("logging read" in line for line in plan) == 3
    for share, line in zip((10, 50, 100), [x for x in plan if "update-traffic search" in x], strict=True):
        assert f"--to-revisions=search-v1-2-3={share} " in line


def test_consumers_come_before_producers() -> None:
    """Whoever hears an event is new before whoever says it; what goes round to the gateway is additive anyway."""
    position = {service: i for i, service in enumerate(commands.ORDER)}
    assert set(position) == {service.value for service in Service}
    for subscription in SUBSCRIPTIONS:
        for publisher in set(subscription.event.publishers) - {subscription.service}:
            if subscription.service is not Service.UPLOAD_GATEWAY:
                assert position[subscription.service.value] < position[publisher.value], subscription.name
    assert {publisher for event in EVENTS for publisher in event.publishers} <= set(Service)


def test_the_migrations_are_the_jobs_that_terraform_makes() -> None:
    rows = configuration().locals["services"]
    assert set(commands.MIGRATED) == {name for name, row in rows.items() if row["database"]}


def test_the_workers_are_the_pools_that_terraform_makes() -> None:
    pool = configuration().resource("google_cloud_run_v2_worker_pool.pulling")
    assert pool["name"] == "${each.key}-pull"
    assert {c["name"] for c in pool["template"][0]["containers"]} >= {"service"}
    allowed = configuration().variables["worker_instances"]["validation"][0]["condition"]
    assert all(f'"{stage}"' in allowed for stage in commands.CAN_PULL)
    assert list(commands.CAN_PULL) == [service for service in commands.ORDER if service in commands.CAN_PULL]
    told = configuration().outputs["github_variables"]["value"]
    assert told["GCP_WORKERS"] == '${join(",", keys(var.worker_instances))}'


def test_the_plan_is_a_script_that_a_shell_takes(tmp_path: Path) -> None:
    script = tmp_path / "plan.sh"
    for plan in (
        rollout_plan("--workers=analyzer"),
        release("rollback", *PLACE, "--version=v1.2.2", "--workers=analyzer", "--dry-run").stdout.splitlines(),
        release("images", *PLACE, "--version=v1.2.3", "--commit=abc", "--dry-run").stdout.splitlines(),
    ):
        assert plan
        script.write_text("\n".join(plan) + "\n")
        checked = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
        if shellcheck := shutil.which("shellcheck"):
            warned = subprocess.run(
                [shellcheck, "--shell=bash", str(script)], capture_output=True, text=True, check=False
            )
            assert warned.returncode == 0, warned.stdout


def test_a_dry_run_runs_nothing(gcloud: dict[str, str]) -> None:
    assert release("rollout", *PLACE, "--version=v1.2.3", "--dry-run", **gcloud).returncode == 0
    assert not Path(gcloud["CALLS"]).exists()


def test_a_release_runs_what_its_plan_says(gcloud: dict[str, str]) -> None:
    done = release("rollout", *PLACE, "--version=v1.2.3", "--soak-seconds=0", "--workers=analyzer,embedder", **gcloud)
    assert done.returncode == 0, done.stderr
    made = calls(gcloud)
    assert "worker-pools update embedder-pull" in made[-2]
    assert "worker-pools update analyzer-pull" in made[-1]
    assert "/analyzer:v1.2.3" in made[-1]
    assert [c.split("=")[-1].split()[0] for c in made if "update-traffic search" in c] != []
    assert all("--quiet" in call for call in made), "nothing may wait for an answer at a keyboard"


@pytest.mark.parametrize("share", ["10", "50", "100"])
def test_errors_send_the_traffic_back_where_it_was(gcloud: dict[str, str], share: str) -> None:
    done = release("rollout", *PLACE, "--version=v1.2.3", "--soak-seconds=0", **gcloud, ERRORS_AT=share)
    assert done.returncode == 1
    assert f"errors at {share} %" in done.stderr
    back = calls(gcloud)[-len(commands.ORDER) :]
    assert [call.split()[3] for call in back] == list(reversed(commands.ORDER))
    assert all(f"--to-revisions={call.split()[3]}-v1-0-0=100" in call for call in back)


@pytest.mark.parametrize("step", ["images describe", "jobs execute migrate-search", "services update analyzer"])
def test_what_fails_before_traffic_moves_moves_none(gcloud: dict[str, str], step: str) -> None:
    done = release("rollout", *PLACE, "--version=v1.2.3", "--soak-seconds=0", **gcloud, FAIL_ON=step)
    assert done.returncode == 1
    assert step in done.stderr
    assert not [call for call in calls(gcloud) if "update-traffic" in call]


def test_going_back_needs_only_the_version(gcloud: dict[str, str]) -> None:
    assert release("rollback", *PLACE, "--version=v1.2.2", **gcloud).returncode == 0
    made = calls(gcloud)
    assert [call.split()[3] for call in made] == list(reversed(commands.ORDER))
    assert all("-v1-2-2=100" in call for call in made)


def test_workers_go_back_producers_first(gcloud: dict[str, str]) -> None:
    workers = "--workers=embedder,analyzer,media-processor"
    assert release("rollback", *PLACE, "--version=v1.2.2", workers, **gcloud).returncode == 0
    assert [call.split()[3] for call in calls(gcloud)[-3:]] == [
        "media-processor-pull",
        "analyzer-pull",
        "embedder-pull",
    ]


@pytest.mark.parametrize("workers", ["", "embedder", "search", "analyzer;ls"])
def test_only_stages_can_pull(workers: str) -> None:
    done = release("rollout", *PLACE, "--version=v1.2.3", f"--workers={workers}", "--dry-run")
    assert done.returncode == (0 if workers in ("", "embedder") else 2)
    assert done.stdout.count("worker-pools") == (workers == "embedder")


@pytest.mark.parametrize("version", ["1.2.3", "v1.2", "latest", "v1.2.3; rm -rf /", "v1.2.3-" + "x" * 60, "V1.2.3"])
def test_only_versions_can_be_released(version: str) -> None:
    done = release("rollout", *PLACE, f"--version={version}", "--dry-run")
    assert done.returncode == 2
    assert done.stdout == ""
