"""terraform/ gives each service no more than its list, and keeps no secret in clear."""

import re

import pytest

from contracts.artifacts import Service
from contracts.events import EVENTS, UploadDeletedV1
from contracts.golden import EXAMPLES
from contracts.topology import DEAD_LETTER_TOPIC
from media_processor.handlers.on_upload_deleted import purge_upload
from tests.deploy.hcl import TERRAFORM, configuration, items, strings
from tests.deploy.settings_of import SERVICES

CONFIG = configuration()
# (scope, role) that each service may hold, and nothing else. Widening it is a decision, not a fix.
ALLOWED: dict[str, set[tuple[str, str]]] = {
    "upload-gateway": {
        ("uploads", "roles/storage.objectUser"),
        ("uploads", "roles/storage.legacyBucketReader"),
        ("artifacts", "roles/storage.objectViewer"),
        ("artifacts", "roles/storage.legacyBucketReader"),
    },
    "media-processor": {
        ("uploads", "roles/storage.objectUser"),
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
MAY_DELETE = "roles/storage.objectUser"
TELEMETRY = {("project", "roles/monitoring.metricWriter"), ("project", "roles/telemetry.tracesWriter")}
SECRETS = {
    "upload-gateway": {"database-url-upload-gateway", "cdn-signing-key"},
    "media-processor": set(),
    "analyzer": set(),
    "embedder": {"openai-api-key"},
    "search": {"database-url-search", "openai-api-key"},
}
BROAD = re.compile(r"roles/(owner|editor|viewer|.*admin.*|storage\.objectAdmin)$", re.IGNORECASE)


@pytest.mark.parametrize("service", SERVICES)
def test_no_service_may_do_more_than_its_list(service: str) -> None:
    held = {("project", role) for role in CONFIG.locals["project_roles"][service]}
    for bucket, roles in CONFIG.locals["bucket_roles"][service].items():
        held |= {(bucket, role) for role in roles}
    assert held == ALLOWED[service] | TELEMETRY


async def test_who_removes_files_for_good_may_delete_them() -> None:
    event = next(e for e in EXAMPLES if isinstance(e, UploadDeletedV1)).model_copy(update={"purge": True})
    purge = (await purge_upload(event, None)).purge  # type: ignore[arg-type]
    assert purge is not None
    buckets = {"artifacts", "uploads"} if purge.original else {"artifacts"}
    roles = CONFIG.locals["bucket_roles"][Service.MEDIA_PROCESSOR]
    assert buckets == {bucket for bucket, held in roles.items() if MAY_DELETE in held}


@pytest.mark.parametrize("service", list(Service), ids=lambda s: s.value)
def test_a_service_may_publish_what_it_says_and_give_up(service: Service) -> None:
    allowed = CONFIG.locals["publishes"][service.value]
    said = {event.topic() for event in EVENTS if service in event.publishers} | {"media.failed.v1", DEAD_LETTER_TOPIC}
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
        "google_project_iam_member.revocation",
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


def test_no_secret_stands_in_clear() -> None:
    for kind, named in CONFIG.resources.items():
        for name, resource in named.items():
            for key, value in items(resource):
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
    for name, value in items([CONFIG.locals["environment_of_all"], CONFIG.locals["environment"]]):
        assert not re.search(r"KEY$|SECRET|PASSWORD|TOKEN|DATABASE_URL", name), f"{name} = {value}"


def test_only_the_gateway_may_sign_links() -> None:
    """Accounts of services sign by themselves on Cloud Run, and for none but their own."""
    signing = {
        name: grant
        for kind, named in CONFIG.resources.items()
        for name, grant in named.items()
        if "roles/iam.serviceAccountTokenCreator" in strings(grant)
    }
    assert set(signing) == {"gateway_signs"}
    account = '${google_service_account.services["upload-gateway"]'
    assert signing["gateway_signs"]["service_account_id"] == f"{account}.name}}"
    assert signing["gateway_signs"]["member"] == f"{account}.member}}"
