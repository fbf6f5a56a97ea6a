"""terraform/ holds what the contracts declare, gives each service no more than its list, keeps no secret in clear."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.artifacts import Service
from contracts.events import EVENTS, UploadReembedV1
from contracts.render import terraform_variables
from contracts.topology import DEAD_LETTER_TOPIC, NOTIFICATIONS, SUBSCRIPTIONS, subscriptions_of, topics
from tests.deploy.hcl import TERRAFORM, configuration, parsed, strings, tfvars, undefined_references
from tests.deploy.settings_of import SERVICES, known, required

CONFIG = configuration()
ALERTS = TERRAFORM.parent / "deploy" / "prometheus" / "alerts.yaml"
TERRAFORM_BINARY = shutil.which("tofu") or shutil.which("terraform")

# (scope, role) that each service may hold, and nothing else. Widening it is a decision, not a fix.
ALLOWED: dict[str, set[tuple[str, str]]] = {
    "upload-gateway": {
        ("uploads", "roles/storage.objectUser"),
        ("uploads", "roles/storage.legacyBucketReader"),
        ("artifacts", "roles/storage.objectViewer"),
        ("artifacts", "roles/storage.legacyBucketReader"),
    },
    "media-processor": {
        ("uploads", "roles/storage.objectViewer"),
        ("artifacts", "roles/storage.objectUser"),
        ("artifacts", "roles/storage.legacyBucketReader"),
    },
    "analyzer": {
        ("project", "roles/aiplatform.user"),
        ("artifacts", "roles/storage.objectCreator"),
        ("artifacts", "roles/storage.objectViewer"),
        ("artifacts", "roles/storage.legacyBucketReader"),
    },
    "embedder": {
        ("artifacts", "roles/storage.objectCreator"),
        ("artifacts", "roles/storage.objectViewer"),
        ("artifacts", "roles/storage.legacyBucketReader"),
    },
    "search": {
        ("artifacts", "roles/storage.objectViewer"),
        ("artifacts", "roles/storage.legacyBucketReader"),
    },
}
TELEMETRY = {("project", "roles/monitoring.metricWriter"), ("project", "roles/telemetry.tracesWriter")}
SECRETS = {
    "upload-gateway": {"database-url-upload-gateway", "cdn-signing-key"},
    "media-processor": set(),
    "analyzer": set(),
    "embedder": {"openai-api-key"},
    "search": {"database-url-search", "openai-api-key"},
}
BROAD = re.compile(r"roles/(owner|editor|viewer|.*admin.*|storage\.objectAdmin)$", re.IGNORECASE)


# What the contracts declare


def test_the_topology_is_read_from_the_contracts() -> None:
    committed = json.loads((TERRAFORM / "topology.auto.tfvars.json").read_text())
    assert committed == terraform_variables()
    assert set(committed["topics"]) == set(topics())
    assert set(committed["subscriptions"]) == {s.name for s in SUBSCRIPTIONS}
    for name, values in committed["subscriptions"].items():
        declared = CONFIG.variables["subscriptions"]["type"]
        for key in values:
            assert re.search(rf"\b{key}\b", declared), f"{name}: {key} is rendered but not declared in variables.tf"


def test_every_topic_and_subscription_is_made_with_its_settings() -> None:
    assert CONFIG.resource("google_pubsub_topic.topics")["for_each"] == "${toset(var.topics)}"
    made = CONFIG.resource("google_pubsub_subscription.subscriptions")
    assert made["for_each"] == "${var.subscriptions}"
    assert made["name"] == "${each.key}"
    assert made["filter"] == "${each.value.filter}"
    assert made["ack_deadline_seconds"] == "${each.value.ack_deadline_seconds}"
    assert "each.value.topic" in made["topic"]
    assert made["expiration_policy"] == [{"ttl": ""}]
    backoff = {"minimum_backoff": "${each.value.minimum_backoff}", "maximum_backoff": "${each.value.maximum_backoff}"}
    assert made["retry_policy"] == [backoff]
    dynamic = _dynamic(made)
    policy = dynamic["dead_letter_policy"]["content"][0]
    assert "each.value.dead_letter_topic == null" in dynamic["dead_letter_policy"]["for_each"]
    assert policy["max_delivery_attempts"] == "${dead_letter_policy.value.max_delivery_attempts}"


def test_messages_are_pushed_with_a_token_to_the_door_of_their_subscription() -> None:
    push = _dynamic(CONFIG.resource("google_pubsub_subscription.subscriptions"))["push_config"]["content"][0]
    assert push["push_endpoint"].endswith("/events/${each.key}")
    token = push["oidc_token"][0]
    assert token["service_account_email"] == "${google_service_account.push.email}"
    assert token["audience"] == "${local.audiences[push_config.value]}"
    told = CONFIG.locals["push_environment"]
    assert "PUSH_AUDIENCE = local.audiences[name]" in told
    assert "PUSH_SERVICE_ACCOUNT = google_service_account.push.email" in told
    service = CONFIG.resource("google_cloud_run_v2_service.services")
    assert service["custom_audiences"] == ["${local.audiences[each.key]}"]


def test_stripped_tokens_are_believed_only_where_nobody_else_may_call() -> None:
    told = CONFIG.locals["push_environment"]
    assert 'PUSH_AUTH = service.public ? "jwt" : "cloud_run_iam"' in told
    assert 'SERVICE_INGRESS = service.public ? "public" : "internal"' in told
    invited = CONFIG.resource("google_cloud_run_v2_service_iam_member.public")
    assert invited["member"] == "allUsers"
    assert "if service.public" in invited["for_each"]
    everyone = [
        kind for kind, named in CONFIG.resources.items() for r in named.values() if r.get("member") == "allUsers"
    ]
    assert everyone == ["google_cloud_run_v2_service_iam_member"]


def test_dead_letters_are_kept_and_pubsub_may_move_them() -> None:
    kept = CONFIG.resource("google_pubsub_subscription.dead_letters")
    assert kept["for_each"] == "${local.subscriptions_with_dead_letters}"
    assert kept["filter"] == "${each.value.dead_letter_filter}"
    assert kept["expiration_policy"] == [{"ttl": ""}]
    arrive = CONFIG.resource("google_pubsub_topic_iam_member.dead_letters_arrive")
    leave = CONFIG.resource("google_pubsub_subscription_iam_member.dead_letters_leave")
    assert (arrive["role"], arrive["member"]) == ("roles/pubsub.publisher", "${local.pubsub_agent}")
    assert (leave["role"], leave["member"]) == ("roles/pubsub.subscriber", "${local.pubsub_agent}")
    assert leave["for_each"] == kept["for_each"]
    assert "@gcp-sa-pubsub.iam.gserviceaccount.com" in CONFIG.locals["pubsub_agent"]


def test_the_uploads_bucket_tells_of_its_objects() -> None:
    notification = CONFIG.resource("google_storage_notification.uploads")
    assert notification["for_each"] == "${var.notifications}"
    assert notification["payload_format"] == "JSON_API_V1"
    assert 'buckets["uploads"]' in notification["bucket"]
    grant = CONFIG.resource("google_pubsub_topic_iam_member.storage_notifies")
    assert (grant["role"], grant["member"]) == ("roles/pubsub.publisher", "${local.storage_agent}")
    rendered = json.loads((TERRAFORM / "topology.auto.tfvars.json").read_text())["notifications"]
    assert rendered == {n.event.topic(): n.event_type for n in NOTIFICATIONS}


def test_buckets_are_private_and_origins_exact() -> None:
    bucket = CONFIG.resource("google_storage_bucket.buckets")
    assert bucket["public_access_prevention"] == "enforced"
    assert bucket["uniform_bucket_level_access"] is True
    assert bucket["versioning"] == [{"enabled": False}], "with versions a deletion is told as OBJECT_ARCHIVE"
    assert bucket["soft_delete_policy"] == [{"retention_duration_seconds": 30 * 24 * 3600}]
    actions = [rule["action"][0]["type"] for rule in bucket["lifecycle_rule"]]
    assert actions == ["AbortIncompleteMultipartUpload", "Delete"]
    cors = _dynamic(bucket)["cors"]["content"][0]
    assert {"Location", "Range"} <= set(cors["response_header"])
    assert "*" not in "".join(strings(CONFIG.locals["web_origins"]))


# Services


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
    stage = [s for s in subscriptions if s.event.publisher is not service and s.ack_deadline_s == longest]
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


# Who may do what


@pytest.mark.parametrize("service", SERVICES)
def test_no_service_may_do_more_than_its_list(service: str) -> None:
    held = {("project", role) for role in CONFIG.locals["project_roles"][service]}
    for bucket, roles in CONFIG.locals["bucket_roles"][service].items():
        held |= {(bucket, role) for role in roles}
    assert held == ALLOWED[service] | TELEMETRY


@pytest.mark.parametrize("service", list(Service), ids=lambda s: s.value)
def test_a_service_may_publish_what_it_says_and_give_up(service: Service) -> None:
    allowed = CONFIG.locals["publishes"][service.value]
    said = {event.topic() for event in EVENTS if event.publisher is service} | {"media.failed.v1", DEAD_LETTER_TOPIC}
    if service is Service.EMBEDDER:  # it asks itself for the second model
        said.add(UploadReembedV1.topic())
    if service is Service.UPLOAD_GATEWAY:  # it redrives dead letters and republishes what was lost
        assert allowed == "${var.topics}"
    else:
        assert set(allowed) == said


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_reads_its_own_secrets_alone(service: str) -> None:
    read = CONFIG.locals["reads_secrets"][service]
    names = set(read) if isinstance(read, list) else set(re.findall(r'"([a-z-]{9,})"', read))
    assert names == SECRETS[service]


def test_every_grant_comes_from_a_table_or_is_known_by_name() -> None:
    granting = {
        f"{kind}.{name}"
        for kind, named in CONFIG.resources.items()
        for name in named
        if kind.endswith(("_iam_member", "_iam_binding", "_iam_policy"))
    }
    assert granting == {
        "google_project_iam_member.services",
        "google_project_iam_member.deployer",
        "google_storage_bucket_iam_member.services",
        "google_pubsub_topic_iam_member.services",
        "google_pubsub_topic_iam_member.dead_letters_arrive",
        "google_pubsub_topic_iam_member.storage_notifies",
        "google_pubsub_subscription_iam_member.dead_letters_leave",
        "google_pubsub_subscription_iam_member.stages_pull",
        "google_secret_manager_secret_iam_member.services",
        "google_secret_manager_secret_iam_member.migrations",
        "google_service_account_iam_member.gateway_signs",
        "google_service_account_iam_member.github_is_deployer",
        "google_service_account_iam_member.deployer_acts_as",
        "google_cloud_run_v2_service_iam_member.push",
        "google_cloud_run_v2_service_iam_member.public",
        "google_artifact_registry_repository_iam_member.deployer",
    }


def test_no_role_is_broad() -> None:
    roles = {text for text in strings([CONFIG.locals, CONFIG.resources]) if text.startswith("roles/")}
    assert {role for role in roles if BROAD.match(role)} == set()


def test_only_tags_of_this_repository_deploy() -> None:
    provider = CONFIG.resource("google_iam_workload_identity_pool_provider.github")
    assert "assertion.repository ==" in provider["attribute_condition"]
    assert "assertion.ref_type ==" in provider["attribute_condition"]
    assert (
        set(CONFIG.resource("google_project_iam_member.deployer")["for_each"].split('"'))
        & {
            "roles/run.admin",
            "roles/editor",
        }
        == set()
    )


# Secrets


def test_no_secret_stands_in_clear() -> None:
    for kind, named in CONFIG.resources.items():
        for name, resource in named.items():
            for key, value in _items(resource):
                secret_key = re.search(r"password|secret_data|key_value|auth_string|private_key", key)
                written_only = key.endswith(("_wo", "_wo_version")) or key in ("secret_data_wo_version",)
                assert not secret_key or written_only, f"{kind}.{name}.{key} would be kept in the state"
                if key.endswith("_wo"):
                    assert "ephemeral." in str(value), f"{kind}.{name}.{key} is not ephemeral"
    assert "random_password" not in CONFIG.resources
    assert "google_service_account_key" not in CONFIG.resources
    text = "".join(path.read_text() for path in TERRAFORM.rglob("*.tf*"))
    assert not re.search(r"AIza[0-9A-Za-z_-]{30}|sk-[A-Za-z0-9]{20}|-----BEGIN|ghp_[A-Za-z0-9]{20}", text)


def test_no_value_of_an_environment_is_a_secret() -> None:
    for name, value in _items([CONFIG.locals["environment_of_all"], CONFIG.locals["environment"]]):
        assert not re.search(r"KEY$|SECRET|PASSWORD|TOKEN|DATABASE_URL", name), f"{name} = {value}"


def test_the_database_is_private_backed_up_and_encrypted() -> None:
    instance = CONFIG.resource("google_sql_database_instance.this")
    settings = instance["settings"][0]
    assert instance["database_version"] == "POSTGRES_18"
    assert settings["ip_configuration"][0]["ipv4_enabled"] is False
    assert settings["ip_configuration"][0]["ssl_mode"] == "ENCRYPTED_ONLY"
    assert settings["backup_configuration"][0]["enabled"] is True
    assert settings["backup_configuration"][0]["point_in_time_recovery_enabled"] is True
    for environment in ("dev", "prod"):
        values = tfvars(environment)
        instances = values["sizes"]["upload-gateway"]["max"] + values["sizes"]["search"]["max"]
        assert instances * 16 + 20 <= values["database"]["max_connections"], "pools of all instances must fit"


# The public side


def test_paths_go_to_the_service_that_answers_them() -> None:
    matchers = {m["name"]: m for m in CONFIG.resource("google_compute_url_map.public")["path_matcher"]}
    assert 'services["upload-gateway"]' in matchers["api"]["default_service"]
    to_search, hidden = matchers["api"]["route_rules"]
    assert 'services["search"]' in to_search["service"]
    assert [next(iter(rule.values())) for rule in to_search["match_rules"]] == [
        "/api/v1/search",
        "/api/v1/feedback",
        "/api/v1/file/{id=*}/similar",
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


# The files themselves


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


def _dynamic(block: dict[str, Any]) -> dict[str, Any]:
    return {name: content for entry in block.get("dynamic", []) for name, content in entry.items()}


def _items(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [pair for key, item in value.items() for pair in [(key, item), *_items(item)]]
    return [pair for item in value for pair in _items(item)] if isinstance(value, list) else []


def _package(service: Service) -> str:
    return service.value.replace("-", "_")
