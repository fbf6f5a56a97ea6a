"""terraform/ holds every topic, subscription and bucket with the settings that the contracts declare."""

import json
import re
from typing import Any

from contracts.render import terraform_variables
from contracts.topology import NOTIFICATIONS, SUBSCRIPTIONS, topics
from tests.deploy.hcl import TERRAFORM, configuration, strings

CONFIG = configuration()


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


def _dynamic(block: dict[str, Any]) -> dict[str, Any]:
    return {name: content for entry in block.get("dynamic", []) for name, content in entry.items()}
