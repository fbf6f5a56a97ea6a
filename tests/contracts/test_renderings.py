"""What is rendered from the contracts is committed and current, and golden events are read by today's models."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from contracts import render
from contracts.envelope import EventData
from contracts.events import EVENTS
from contracts.golden import EXAMPLES
from contracts.topology import SUBSCRIPTIONS
from eventing import codec

EXAMPLE_FILES = sorted((render.ROOT / "contracts/examples").glob("*.json"))
BY_TOPIC = {event.topic(): event for event in EVENTS}


def test_nothing_rendered_is_stale() -> None:
    assert render.stale() == []


def test_no_model_breaks_its_committed_schema() -> None:
    assert render.breaking() == []


def test_one_name_gives_class_module_and_topic() -> None:
    for event in EVENTS:
        assert event.__module__ == f"contracts.events.{event.module_name()}"
        assert event.topic() == event.module_name().replace("_", ".")


def test_every_event_has_a_schema_and_a_golden_example() -> None:
    assert {path.stem for path in EXAMPLE_FILES} == set(BY_TOPIC)
    assert {type(example) for example in EXAMPLES} == set(EVENTS)


@pytest.mark.parametrize("path", EXAMPLE_FILES, ids=lambda p: p.stem)
def test_a_golden_example_fits_its_schema_and_is_read_by_todays_model(path: Path) -> None:
    example = json.loads(path.read_text())
    schema = json.loads((render.ROOT / f"contracts/schemas/{path.stem}.json").read_text())
    jsonschema.validate(example["data"], schema)
    event = BY_TOPIC[path.stem].model_validate(example["data"])
    assert event.model_dump(mode="json", exclude_none=True) == example["data"]


@pytest.mark.parametrize("path", EXAMPLE_FILES, ids=lambda p: p.stem)
def test_fields_of_a_later_version_are_ignored(path: Path) -> None:
    example = json.loads(path.read_text())
    event = BY_TOPIC[path.stem].model_validate({**example["data"], "added_later": {"x": 1}})
    assert isinstance(event, EventData)


def test_a_golden_message_decodes_through_the_binding() -> None:
    native = {"object.finalized.v1", "object.deleted.v1", "dead.letter.v1"}
    for path in EXAMPLE_FILES:
        if path.stem in native:
            continue
        example = json.loads(path.read_text())
        envelope = codec.decode(BY_TOPIC[path.stem], json.dumps(example["data"]).encode(), example["attributes"])
        assert envelope.id == example["attributes"]["ce-id"]
        assert envelope.data.subject() == example["attributes"]["ce-subject"]


def test_asyncapi_names_every_topic_and_subscription() -> None:
    document = yaml.safe_load((render.ROOT / "contracts/asyncapi.yaml").read_text())
    assert document["asyncapi"] == "3.0.0"
    assert set(document["channels"]) == set(BY_TOPIC)
    received = {name for name, operation in document["operations"].items() if operation["action"] == "receive"}
    assert received == {s.name for s in SUBSCRIPTIONS}


def test_terraform_gets_every_setting_of_every_subscription() -> None:
    variables = json.loads((render.ROOT / "terraform/topology.auto.tfvars.json").read_text())
    for subscription in SUBSCRIPTIONS:
        rendered = variables["subscriptions"][subscription.name]
        assert rendered["ack_deadline_seconds"] == subscription.ack_deadline_s
        assert (rendered["minimum_backoff"], rendered["maximum_backoff"]) == ("10s", "600s")
        assert rendered["max_delivery_attempts"] == 5
        assert len(subscription.filter.encode()) <= 256
