"""terraform/ leads paths and alerts where they belong; its files refer to what is there, and Terraform takes them."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy.hcl import TERRAFORM, TERRAFORM_BINARY, configuration, parsed, tfvars, undefined_references

CONFIG = configuration()
ALERTS = TERRAFORM.parent / "deploy" / "prometheus" / "alerts.yaml"


def test_paths_go_to_the_service_that_answers_them() -> None:
    matchers = {m["name"]: m for m in CONFIG.resource("google_compute_url_map.public")["path_matcher"]}
    assert 'services["upload-gateway"]' in matchers["api"]["default_service"]
    to_search, hidden = matchers["api"]["route_rules"]
    assert 'services["search"]' in to_search["service"]
    assert [next(iter(rule.values())) for rule in to_search["match_rules"]] == [
        "/api/v1/search",
        "/api/v1/feedback",
        "/api/v1/file/{id=*}/similar",
        "/api/v1/file/{id=*}/text",
    ]
    assert [next(iter(rule.values())) for rule in hidden["match_rules"]] == ["/events/", "/metrics"]
    assert CONFIG.resource("google_compute_backend_bucket.thumbnails")["enable_cdn"] is True
    assert CONFIG.resource("google_compute_url_map.redirect")["default_url_redirect"][0]["https_redirect"] is True


def test_every_alert_of_the_specification_is_there() -> None:
    thresholds = CONFIG.locals["threshold_alerts"]
    assert {"oldest-unacked-message", "queue-depth"} <= set(thresholds)
    assert thresholds["queue-depth"]["threshold"] == 1000
    rules = {rule["alert"]: rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]}
    assert {"ApiErrorRate", "ApiLatency", "DeadLetters", "ProviderBudget", "ProviderQuota"} <= set(rules)
    asked_of_google = {name for name, rule in rules.items() if "pubsub_subscription_" in rule["expr"]}
    assert asked_of_google == {"OldestUnackedMessage", "QueueDepth"}
    assert "/../deploy/prometheus/alerts.yaml" in CONFIG.locals["rules"]
    for rule in rules.values():
        assert re.match(r"^\d+m$", rule.get("for", "0m")), "terraform/monitoring.tf reads minutes"
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_every_reference_leads_somewhere() -> None:
    assert undefined_references(CONFIG) == set()


def test_a_reference_to_nothing_is_found() -> None:
    source = """
        locals { a = var.nowhere }
        output "b" { value = "x-${local.c}-${google_pubsub_topic.d["e"].id}" }
        resource "google_pubsub_topic" "f" { name = data.google_project.g.number }
    """
    broken = parsed([source])
    assert undefined_references(broken) == {
        "var.nowhere", "local.c", "google_pubsub_topic.d", "data.google_project.g",
    }  # fmt: skip


def test_every_variable_is_used_and_described() -> None:
    used = set(re.findall(r"\bvar\.([a-z_]+)", "".join(p.read_text() for p in TERRAFORM.glob("*.tf"))))
    assert set(CONFIG.variables) == used
    assert all(variable.get("description") for variable in CONFIG.variables.values())


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_an_environment_sets_every_variable_that_has_no_default(environment: str) -> None:
    given = set(tfvars(environment))
    rendered = set(json.loads((TERRAFORM / "topology.auto.tfvars.json").read_text()))
    needed = {name for name, variable in CONFIG.variables.items() if "default" not in variable} - rendered
    assert needed - given == set()
    assert given - set(CONFIG.variables) == set()


def test_format_and_validity_by_terraform_itself(tmp_path: Path) -> None:
    if TERRAFORM_BINARY is None:
        pytest.skip("neither tofu nor terraform is installed")
    formatted = subprocess.run(
        [TERRAFORM_BINARY, "fmt", "-check", "-recursive", "-diff", str(TERRAFORM)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert formatted.returncode == 0, formatted.stdout
    shutil.copytree(TERRAFORM, tmp_path / "terraform", ignore=shutil.ignore_patterns(".terraform*"))
    for folder in ("cloudrun", "prometheus"):
        shutil.copytree(TERRAFORM.parent / "deploy" / folder, tmp_path / "deploy" / folder)
    plugins = TERRAFORM / ".terraform"
    if not plugins.is_dir():
        pytest.skip("terraform fmt is clean; validate needs the providers: run terraform init first")
    shutil.copytree(plugins, tmp_path / "terraform" / ".terraform")
    shutil.copy(TERRAFORM / ".terraform.lock.hcl", tmp_path / "terraform")
    valid = subprocess.run(
        [TERRAFORM_BINARY, "validate", "-no-color"],
        cwd=tmp_path / "terraform",
        capture_output=True,
        text=True,
        check=False,
    )
    assert valid.returncode == 0, valid.stdout + valid.stderr
