"""The workflows are well formed, may do no more than they need, and call what is there."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.settings_of import SERVICES

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yaml"))
WORKFLOWS: dict[str, dict[Any, Any]] = {path.stem: yaml.safe_load(path.read_text()) for path in FILES}
PINNED = re.compile(r"^[\w.-]+/[\w./-]+@(v\d+(\.\d+)*|[0-9a-f]{40})$")


def jobs() -> list[tuple[str, dict[str, Any]]]:
    return [(f"{name}.{job}", body) for name, flow in WORKFLOWS.items() for job, body in flow["jobs"].items()]


def test_both_are_there() -> None:
    assert set(WORKFLOWS) == {"check", "deploy"}
    assert set(WORKFLOWS["check"]["jobs"]) == {"check", "test", "containers", "images", "terraform"}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_only_read_unless_a_job_says_more(name: str) -> None:
    assert WORKFLOWS[name]["permissions"] == {"contents": "read"}
    more = {job: body["permissions"] for job, body in WORKFLOWS[name]["jobs"].items() if "permissions" in body}
    allowed = {"deploy": {"release": {"contents": "read", "id-token": "write"}}}
    assert more == allowed.get(name, {})


def test_actions_are_pinned_and_leave_no_credentials() -> None:
    for name, job in jobs():
        assert job["timeout-minutes"] <= 180, name
        for step in job["steps"]:
            if "uses" in step:
                assert PINNED.match(step["uses"]), step["uses"]
            if step.get("uses", "").startswith("actions/checkout@") and name != "deploy.release":
                assert step["with"]["persist-credentials"] is False, name


def test_nothing_from_outside_is_pasted_into_a_script() -> None:
    for name, job in jobs():
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), f"{name}: pass it by env"


def test_only_a_tag_deploys_and_only_after_everything_passed() -> None:
    deploy = WORKFLOWS["deploy"]
    assert deploy[True] == {"push": {"tags": ["v*.*.*"]}}  # YAML reads the key "on" as true
    assert deploy["jobs"]["release"]["needs"] == "check"
    assert deploy["concurrency"]["cancel-in-progress"] is False
    text = (ROOT / ".github/workflows/deploy.yaml").read_text()
    assert "secrets." not in text, "by workload identity, not by a stored key"


def test_every_image_is_built_and_tried() -> None:
    assert WORKFLOWS["check"]["jobs"]["images"]["strategy"]["matrix"]["service"] == SERVICES


def test_scripts_and_targets_that_are_called_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for name, job in jobs():
        script = "\n".join(step.get("run", "") for step in job["steps"])
        assert set(re.findall(r"\bmake ([a-z-]+)", script)) <= targets, name
        for path in re.findall(r"(?<![\w.])((?:deploy|tests|\.ci)/[\w./-]+)", script):
            assert (ROOT / path).exists(), path
        for module in re.findall(r"-m (deploy\.[\w.]+)", script):
            assert (ROOT / module.replace(".", "/")).is_dir()


def test_terraform_outputs_are_the_variables_that_are_used() -> None:
    used = set(re.findall(r"vars\.(GCP_\w+)", (ROOT / ".github/workflows/deploy.yaml").read_text()))
    made = set(re.findall(r"^\s+(GCP_\w+)\s+=", (ROOT / "terraform/outputs.tf").read_text(), re.MULTILINE))
    assert used == made
