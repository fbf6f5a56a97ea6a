"""A release in its order, on paper and against a gcloud that writes down what it is asked."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.artifacts import Service
from contracts.envelope import EventData
from contracts.events import MediaFailedV1, MediaIndexedV1, UploadDeletedV1, UploadReembedV1, UploadReprocessV1
from contracts.topology import SUBSCRIPTIONS
from deploy.release import commands
from tests.deploy.hcl import configuration

ROOT = Path(__file__).parents[2]
PLACE = ["--project=p", "--region=europe-west1", "--image-root=europe-west1-docker.pkg.dev/p/mmsearch"]

FAKE_GCLOUD = """#!{python} -IS
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
        {{"revisionName": service + "-" + os.environ.get("SERVES", "v1-0-0"), "percent": 100}},
        {{"revisionName": service + "-x", "tag": "x"}}]}}}}))
if "worker-pools describe" in line:
    containers = [{{"name": "collector", "image": "c:1"}}, {{"name": "service", "image": words[3] + ":v0.9.0"}}]
    inner = {{"containers": containers}}
    first_version = {{"spec": {{"template": {{"spec": inner}}}}}}
    print(json.dumps(first_version if "analyzer" in line else {{"template": inner}}))
if "logging read" in line and os.environ.get("ERRORS_AT"):
    moved = [w for c in open(os.environ["CALLS"]) for w in json.loads(c) if w.startswith("--to-revisions=")]
    if os.environ["ERRORS_AT"] in moved[-1]:
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


def moves(lines: list[str]) -> list[str]:
    """``search=10`` for traffic to the new revision, ``analyzer-pull`` for a worker pool, ``watch``, in order."""
    story: list[str] = []
    for line in lines:
        if "update-traffic" in line:
            service, share = re.findall(r"update-traffic (\S+) --to-revisions=\S+=(\d+)", line)[0]
            story.append(f"{service}={share}")
        elif "worker-pools update" in line:
            story.append(line.split("worker-pools update ")[1].split()[0])
        elif "logging read" in line:
            story.append("watch")
    return story


def test_a_service_has_its_full_share_before_the_next_begins() -> None:
    expected = [
        word for service in commands.ORDER for share in (10, 50, 100) for word in (f"{service}={share}", "watch")
    ]
    plan = rollout_plan("--soak-seconds=60")
    assert moves(plan) == expected
    assert sum(line == "sleep 60" for line in plan) == expected.count("watch")
    assert all(f"-v1-2-3={line.split('=')[2].split()[0]}" in line for line in plan if "update-traffic" in line)


def test_a_stage_that_pulls_moves_with_its_workers_at_once() -> None:
    story = moves(rollout_plan("--workers=media-processor,embedder"))
    after = story.index("embedder=100")
    assert story[after - 2 : after + 4] == [
        "upload-gateway=100", "watch", "embedder=100", "embedder-pull", "watch", "analyzer=10",
    ]  # fmt: skip
    assert story[-3:] == ["media-processor=100", "media-processor-pull", "watch"]


def test_consumers_come_before_producers() -> None:
    """What a stage says of a file is heard by none that is older. While a service moves it also hears itself."""
    position = {service: i for i, service in enumerate(commands.ORDER)}
    assert set(position) == {service.value for service in Service}
    to_older = {
        (publisher, subscription.event)
        for subscription in SUBSCRIPTIONS
        for publisher in speakers(subscription.event)
        if position[subscription.service.value] >= position[publisher.value]
    }
    assert to_older == {
        (Service.UPLOAD_GATEWAY, UploadDeletedV1),
        (Service.UPLOAD_GATEWAY, UploadReprocessV1),
        (Service.UPLOAD_GATEWAY, UploadReembedV1),
        (Service.UPLOAD_GATEWAY, MediaFailedV1),
        (Service.EMBEDDER, UploadReembedV1),
        (Service.SEARCH, MediaIndexedV1),
    }, "docs/extending.md says where a new value needs two releases"


def speakers(event: type[EventData]) -> set[Service]:
    """Who publishes an event; projections of search fail no file."""
    return set(Service) - {Service.SEARCH} if event is MediaFailedV1 else set(event.publishers)


def test_the_migrations_are_the_jobs_that_terraform_makes() -> None:
    rows = configuration().locals["services"]
    assert set(commands.MIGRATED) == {name for name, row in rows.items() if row["database"]}


def test_the_workers_are_the_pools_that_terraform_makes() -> None:
    pool = configuration().resource("google_cloud_run_v2_worker_pool.pulling")
    assert pool["name"] == "${each.key}-pull"
    assert {c["name"] for c in pool["template"][0]["containers"]} >= {"service"}
    allowed = configuration().variables["worker_instances"]["validation"][0]["condition"]
    assert all(f'"{stage}"' in allowed for stage in commands.CAN_PULL)
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


def test_a_rollout_that_is_run_again_takes_no_share_away(gcloud: dict[str, str]) -> None:
    done = release("rollout", *PLACE, "--version=v1.2.3", "--soak-seconds=0", **gcloud, SERVES="v1-2-3")
    assert done.returncode == 0, done.stderr
    assert moves(calls(gcloud)) == [word for service in commands.ORDER for word in (f"{service}=100", "watch")]


def test_a_dry_run_runs_nothing(gcloud: dict[str, str]) -> None:
    assert release("rollout", *PLACE, "--version=v1.2.3", "--dry-run", **gcloud).returncode == 0
    assert not Path(gcloud["CALLS"]).exists()


def test_a_release_runs_what_its_plan_says(gcloud: dict[str, str]) -> None:
    words = ["--soak-seconds=0", "--workers=analyzer,embedder"]
    done = release("rollout", *PLACE, "--version=v1.2.3", *words, **gcloud)
    assert done.returncode == 0, done.stderr
    made = calls(gcloud)
    assert moves([f"gcloud {call}" for call in made]) == moves(rollout_plan(*words))
    for stage in ("analyzer", "embedder"):
        update = next(call for call in made if f"worker-pools update {stage}-pull" in call)
        assert f"/{stage}:v1.2.3" in update
    assert all("--quiet" in call for call in made), "nothing may wait for an answer at a keyboard"


@pytest.mark.parametrize("share", ["10", "50", "100"])
def test_errors_take_back_what_has_moved_the_last_first(gcloud: dict[str, str], share: str) -> None:
    at = f"embedder-v1-2-3={share}"
    done = release("rollout", *PLACE, "--version=v1.2.3", "--soak-seconds=0", **gcloud, ERRORS_AT=at)
    assert done.returncode == 1
    assert f"errors at {share} % of embedder" in done.stderr
    made = calls(gcloud)
    last_watch = max(i for i, call in enumerate(made) if "logging read" in call)
    assert moves(made[last_watch + 1 :]) == ["embedder=100", "upload-gateway=100", "search=100"]
    assert all(f"--to-revisions={call.split()[3]}-v1-0-0=100" in call for call in made[last_watch + 1 :])


def test_workers_are_taken_back_to_the_image_they_had(gcloud: dict[str, str]) -> None:
    words = ["--soak-seconds=0", "--workers=analyzer,embedder"]
    done = release("rollout", *PLACE, "--version=v1.2.3", *words, **gcloud, ERRORS_AT="media-processor-v1-2-3=50")
    assert done.returncode == 1
    made = calls(gcloud)
    back = made[max(i for i, call in enumerate(made) if "logging read" in call) + 1 :]
    assert moves(back) == [
        "media-processor=100", "analyzer-pull", "analyzer=100", "embedder-pull", "embedder=100",
        "upload-gateway=100", "search=100",
    ]  # fmt: skip
    assert "--image=analyzer-pull:v0.9.0" in back[1]
    assert "--image=embedder-pull:v0.9.0" in back[3]


def test_a_step_that_fails_is_taken_back_too(gcloud: dict[str, str]) -> None:
    words = ["--soak-seconds=0", "--workers=embedder"]
    fails = "worker-pools update embedder-pull --container=service --image=europe"
    done = release("rollout", *PLACE, "--version=v1.2.3", *words, **gcloud, FAIL_ON=fails)
    assert done.returncode == 1
    assert moves(calls(gcloud))[-4:] == ["embedder-pull", "embedder=100", "upload-gateway=100", "search=100"]


@pytest.mark.parametrize("step", ["images describe", "jobs execute migrate-search", "services update analyzer"])
def test_what_fails_before_traffic_moves_moves_none(gcloud: dict[str, str], step: str) -> None:
    done = release("rollout", *PLACE, "--version=v1.2.3", "--soak-seconds=0", **gcloud, FAIL_ON=step)
    assert done.returncode == 1
    assert step in done.stderr
    assert not [call for call in calls(gcloud) if "update-traffic" in call]


def test_going_back_needs_only_the_version_and_begins_with_the_producers(gcloud: dict[str, str]) -> None:
    workers = "--workers=embedder,analyzer"
    assert release("rollback", *PLACE, "--version=v1.2.2", workers, **gcloud).returncode == 0
    made = calls(gcloud)
    assert moves(made) == [
        "media-processor=100", "analyzer-pull", "analyzer=100", "embedder-pull", "embedder=100",
        "upload-gateway=100", "search=100",
    ]  # fmt: skip
    assert all(("-v1-2-2=100" in call) or (":v1.2.2" in call) for call in made)


@pytest.mark.parametrize("workers", ["", "embedder", "search", "analyzer;ls"])
def test_only_stages_can_pull(workers: str) -> None:
    done = release("rollout", *PLACE, "--version=v1.2.3", f"--workers={workers}", "--dry-run")
    assert done.returncode == (0 if workers in ("", "embedder") else 2)
    assert done.stdout.count("worker-pools update") == (workers == "embedder")


@pytest.mark.parametrize("version", ["1.2.3", "v1.2", "latest", "v1.2.3; rm -rf /", "v1.2.3-" + "x" * 60, "V1.2.3"])
def test_only_versions_can_be_released(version: str) -> None:
    done = release("rollout", *PLACE, f"--version={version}", "--dry-run")
    assert done.returncode == 2
    assert done.stdout == ""
