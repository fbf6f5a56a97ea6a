"""terraform/ runs each service as the contracts say, tells it what its settings require, and gives it its database."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from contracts.artifacts import Service
from contracts.topology import subscriptions_of
from tests.deploy.hcl import TERRAFORM, TERRAFORM_BINARY, configuration, items, tfvars
from tests.deploy.settings_of import SERVICES, connections, known, required

CONFIG = configuration()
CONNECTIONS = {"upload-gateway": connections("upload-gateway") + 1, "search": connections("search")}
"""What an instance opens at most; upload-gateway listens for notifications on one beside its pool."""


def test_every_service_has_its_row_account_and_sizes() -> None:
    assert set(CONFIG.locals["services"]) == set(SERVICES)
    assert CONFIG.resource("google_service_account.services")["for_each"] == "${local.services}"
    assert CONFIG.resource("google_cloud_run_v2_service.services")["for_each"] == "${local.services}"
    for environment in ("dev", "prod"):
        assert set(tfvars(environment)["sizes"]) == set(SERVICES)


@pytest.mark.parametrize("service", list(Service), ids=lambda s: s.value)
def test_a_row_fits_what_the_contracts_say_of_the_service(service: Service) -> None:
    row = CONFIG.locals["services"][service.value]
    subscriptions = subscriptions_of(service)
    longest = max(s.ack_deadline_s for s in subscriptions)
    assert int(row["timeout"].removesuffix("s")) >= longest, "a push request must outlast its deadline"
    stage = [s for s in subscriptions if service not in s.event.publishers and s.ack_deadline_s == longest]
    if not row["public"]:
        assert row["concurrency"] == max(s.concurrency for s in stage), "one instance works on what the contracts say"
        assert row["always_on"] is False
    assert row["database"] == (Path(TERRAFORM).parent / "services" / _package(service) / "migrations").is_dir()


def test_services_can_be_probed_and_come_and_go_without_loss() -> None:
    template = CONFIG.resource("google_cloud_run_v2_service.services")["template"][0]
    service = next(c for c in template["containers"] if c["name"] == "service")
    assert service["startup_probe"][0]["http_get"] == [{"path": "/health"}]
    assert service["liveness_probe"][0]["http_get"] == [{"path": "/health"}]
    assert service["resources"][0]["startup_cpu_boost"] is True
    lifecycle = CONFIG.resource("google_cloud_run_v2_service.services")["lifecycle"][0]
    assert {"traffic", "${template[0].containers[0].image}"} <= set(lifecycle["ignore_changes"])


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_told_what_its_settings_require_and_nothing_unknown(service: str) -> None:
    told = told_by_terraform(service)
    assert required(service) - told == set()
    assert told - known(service) == set()


@pytest.mark.parametrize("stage", ["media-processor", "analyzer", "embedder"])
def test_a_stage_that_pulls_is_told_what_it_requires_and_who_pushes_is_not(stage: str) -> None:
    containers = CONFIG.resource("google_cloud_run_v2_worker_pool.pulling")["template"][0]["containers"]
    service = next(c for c in containers if c["name"] == "service")
    env, secrets = (block["env"]["for_each"] for block in service["dynamic"])
    assert env == "${merge(local.environment_of_all, local.environment[each.key])}"
    assert secrets == "${local.secret_environment[each.key]}"
    told = set(CONFIG.locals["environment_of_all"]) | _names_in(CONFIG.locals["environment"][stage])
    assert required(stage) <= told
    assert "PUSH_AUDIENCE" not in told


def test_a_stage_that_pays_a_provider_pulls() -> None:
    conditions = [rule["condition"] for rule in CONFIG.variables["worker_instances"]["validation"]]
    assert any('var.analyzer_backend != "gemini"' in c and '"analyzer"' in c for c in conditions)
    assert any("var.embedding_next_backend" in c and '"openai"' in c and '"embedder"' in c for c in conditions)
    for environment in ("dev", "prod"):
        values = tfvars(environment)
        pulling = values.get("worker_instances", {})
        assert values["analyzer_backend"] != "gemini" or "analyzer" in pulling
        assert values["embedding_backend"] != "openai" or "embedder" in pulling
    assert "contains(keys(var.worker_instances), subscription.service)" in CONFIG.locals["pulled_subscriptions"]
    pull = CONFIG.resource("google_pubsub_subscription_iam_member.stages_pull")
    assert (pull["for_each"], pull["role"]) == ("${local.pulled_subscriptions}", "roles/pubsub.subscriber")
    assert pull["member"] == "${google_service_account.services[each.value.service].member}"


def test_terraform_itself_refuses_to_push_to_a_stage_that_pays(tmp_path: Path) -> None:
    if TERRAFORM_BINARY is None:
        pytest.skip("neither tofu nor terraform is installed")
    for name in ("variables.tf", "topology.auto.tfvars.json", "environments/dev.tfvars"):
        shutil.copy(TERRAFORM / name, tmp_path)

    def planned(*values: str) -> str:
        words = [TERRAFORM_BINARY, f"-chdir={tmp_path}", "plan", "-input=false", "-no-color", "-var-file=dev.tfvars"]
        done = subprocess.run([*words, *values], capture_output=True, text=True, check=False)
        return "planned" if done.returncode == 0 else done.stderr

    assert planned() == "planned"
    assert "the analyzer must pull" in planned("-var=analyzer_backend=gemini")
    assert planned("-var=analyzer_backend=gemini", "-var=worker_instances={analyzer=1}") == "planned"
    assert "the embedder must pull" in planned(
        "-var=embedding_next_backend=openai", "-var=worker_instances={analyzer=1}"
    )
    assert "can pull" in planned("-var=worker_instances={search=1}")


@pytest.mark.parametrize("service", ["analyzer", "embedder", "search"])
def test_who_calls_providers_counts_calls_and_money_with_its_other_instances(service: str) -> None:
    assert "PROVIDER_LIMITS_URL" in told_by_terraform(service)
    assert CONFIG.locals["provider_limits_url"] == "${local.redis}/1"
    assert CONFIG.locals["environment_of_public"]["RATE_LIMIT_STORE"] == "${local.redis}/0"


def test_migrations_run_as_their_own_account_before_any_traffic() -> None:
    job = CONFIG.resource("google_cloud_run_v2_job.migrations")
    template = job["template"][0]["template"][0]
    container = template["containers"][0]
    assert "if service.database" in job["for_each"]
    assert template["service_account"] == "${google_service_account.migrations.email}"
    assert container["command"] + container["args"][:2] == ["python", "-m", "database.migrate"]
    assert {env["name"] for env in container["env"]} == {"DATABASE_URL", "ROLE_PASSWORD"}


def test_the_database_is_private_backed_up_and_encrypted() -> None:
    instance = CONFIG.resource("google_sql_database_instance.this")
    settings = instance["settings"][0]
    assert instance["database_version"] == "POSTGRES_18"
    assert settings["ip_configuration"][0]["ipv4_enabled"] is False
    assert settings["ip_configuration"][0]["ssl_mode"] == "ENCRYPTED_ONLY"
    assert settings["backup_configuration"][0]["enabled"] is True
    assert settings["backup_configuration"][0]["point_in_time_recovery_enabled"] is True


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_connections_of_all_instances_fit_even_during_a_rollout(environment: str) -> None:
    values = tfvars(environment)
    assert "DATABASE_POOL_SIZE" not in dict(items([CONFIG.locals])), "every instance keeps to the default"
    most = sum(values["sizes"][service]["max"] * connections for service, connections in CONNECTIONS.items())
    two_revisions = 2 * most
    jobs_and_the_platform = 20
    assert two_revisions + jobs_and_the_platform <= values["database"]["max_connections"]


def told_by_terraform(service: str) -> set[str]:
    """Names in the environment of a service, from the tables that its containers are given."""
    row = CONFIG.locals["services"][service]
    told = set(CONFIG.locals["environment_of_all"]) | _names_in(CONFIG.locals["environment"][service])
    told |= set(CONFIG.locals["environment_of_public"]) if row["public"] else set()
    told |= set(re.findall(r"\b([A-Z][A-Z_]+) = ", CONFIG.locals["push_environment"]))
    secrets = CONFIG.locals["secret_environment"][service]
    if isinstance(secrets, dict):
        return told | set(secrets)
    names = set(re.findall(r"\b([A-Z][A-Z0-9_]+)\b", secrets))
    if "local.openai_secret" in secrets:
        names |= set(re.findall(r'"([A-Z][A-Z_]+)"', CONFIG.locals["openai_secret"]))
    assert names, secrets
    return told | names


def _names_in(table: Any) -> set[str]:
    """The keys of a table, or of the one it refers to, or of the tables that are merged into it."""
    if isinstance(table, dict):
        return set(table)
    if reference := re.fullmatch(r"\$\{local\.(\w+)\}", table):
        return _names_in(CONFIG.locals[reference[1]])
    return set(re.findall(r"\b([A-Z][A-Z0-9_]+)\b\"?\s*[=:]", table))


def _package(service: Service) -> str:
    return service.value.replace("-", "_")
