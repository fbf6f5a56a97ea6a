"""``python -m contracts.render``: writes everything that is derived from the contracts, and refuses breaking changes.

Schemas, golden examples, AsyncAPI, Terraform variables and the README's table; ``--check`` only says what is stale.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from contracts.artifacts import Service
from contracts.compatibility import breaking_changes
from contracts.envelope import SCHEMA_ROOT, EventData, derived_event_id
from contracts.events import EVENTS, DeadLetterV1, ObjectDeletedV1, ObjectFinalizedV1
from contracts.golden import EXAMPLE_TIME, EXAMPLES
from contracts.topology import NOTIFICATIONS, SUBSCRIPTIONS, subscriptions_of, topics

ROOT = Path(__file__).resolve().parents[1]
_TABLE_START, _TABLE_END = "<!-- events:start -->", "<!-- events:end -->"
_NATIVE = (ObjectFinalizedV1, ObjectDeletedV1, DeadLetterV1)
_ANY_STAGE = "any stage"


def renderings() -> dict[Path, str]:
    """Path (relative to the repository) to content, for every rendered file."""
    files = {Path("contracts/schemas") / f"{event.topic()}.json": _json(schema(event)) for event in EVENTS}
    files |= {Path("contracts/examples") / f"{e.topic()}.json": _json(example_message(e)) for e in EXAMPLES}
    files[Path("contracts/asyncapi.yaml")] = yaml.safe_dump(asyncapi(), sort_keys=False, allow_unicode=True, width=110)
    files[Path("terraform/topology.auto.tfvars.json")] = _json(terraform_variables())
    readme = (ROOT / "README.md").read_text()
    if _TABLE_START in readme:
        before, rest = readme.split(_TABLE_START, 1)
        after = rest.split(_TABLE_END, 1)[1]
        files[Path("README.md")] = f"{before}{_TABLE_START}\n{event_table()}\n{_TABLE_END}{after}"
    return files


def schema(event: type[EventData]) -> dict[str, Any]:
    """The JSON Schema of an event's data."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{SCHEMA_ROOT}/{event.topic()}.json",
        **event.model_json_schema(),
    }


def example_message(event: EventData) -> dict[str, Any]:
    """An event as the Pub/Sub message that carries it."""
    attributes = {
        "ce-specversion": "1.0",
        "ce-id": derived_event_id("example", event.topic()),
        "ce-source": f"//mmsearch/{_publisher_names(type(event))[0]}",
        "ce-type": event.event_type(),
        "ce-time": EXAMPLE_TIME.isoformat().replace("+00:00", "Z"),
        "ce-subject": event.subject(),
        "ce-dataschema": f"{SCHEMA_ROOT}/{event.topic()}.json",
        "content-type": "application/json",
        **{f"ce-{name}": value for name, value in event.extensions().items()},
    }
    return {"attributes": attributes, "data": event.model_dump(mode="json", exclude_none=True)}


def terraform_variables() -> dict[str, Any]:
    """What ``terraform/`` creates topics, subscriptions, dead letters and notifications from."""
    return {
        "topics": list(topics()),
        "subscriptions": {
            s.name: {
                "service": s.service.value,
                "topic": s.event.topic(),
                "filter": s.filter,
                "ack_deadline_seconds": s.ack_deadline_s,
                "minimum_backoff": f"{s.retry.min_backoff_s:g}s",
                "maximum_backoff": f"{s.retry.max_backoff_s:g}s",
                "max_delivery_attempts": s.retry.max_deliveries,
                "dead_letter_topic": DeadLetterV1.topic() if s.has_dead_letters else None,
                "dead_letter_subscription": s.dead_letter_hold if s.has_dead_letters else None,
                "dead_letter_filter": s.dead_letter_filter if s.has_dead_letters else None,
                "concurrency": s.concurrency,
            }
            for s in SUBSCRIPTIONS
        },
        "notifications": {n.event.topic(): n.event_type for n in NOTIFICATIONS},
    }


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3.0: a channel per topic, an operation per publisher and per subscription."""
    operations: dict[str, Any] = {}
    for event in EVENTS:
        for publisher in event.publishers:
            name = f"{publisher.value}.sends.{event.topic()}"
            operations[name] = {"action": "send", "channel": {"$ref": _pointer("channels", event.topic())}}
    for s in SUBSCRIPTIONS:
        operations[s.name] = {
            "action": "receive",
            "channel": {"$ref": _pointer("channels", s.event.topic())},
            "x-googlepubsub-subscription": {"filter": s.filter, "ackDeadlineSeconds": s.ack_deadline_s},
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "mmsearch events",
            "version": "1.0.0",
            "description": "CloudEvents 1.0, binary binding on Pub/Sub attributes; rendered from contracts/.",
        },
        "defaultContentType": "application/json",
        "channels": {event.topic(): _channel(event) for event in EVENTS},
        "operations": operations,
        "components": {"messages": {event.__name__: _message(event) for event in EVENTS}},
    }


def event_table() -> str:
    """The README's table of who says what to whom."""
    lines = ["| event | said by | heard by | meaning |", "| --- | --- | --- | --- |"]
    for event in EVENTS:
        heard = ", ".join(s.service.value for s in SUBSCRIPTIONS if s.event is event)
        meaning = (sys.modules[event.__module__].__doc__ or "").splitlines()[0].rstrip(".")
        lines.append(f"| `{event.topic()}` | {', '.join(_publisher_names(event))} | {heard} | {meaning} |")
    counts = ", ".join(f"{service.value} {len(subscriptions_of(service))}" for service in Service)
    return "\n".join([*lines, "", f"Subscriptions: {counts}."])


def stale() -> list[Path]:
    """Rendered files that are missing or differ from what would be rendered now."""
    return [path for path, content in renderings().items() if _committed(path) != content]


def breaking() -> list[str]:
    """Breaking changes of the models against the committed schemas."""
    problems: list[str] = []
    for event in EVENTS:
        committed = _committed(Path("contracts/schemas") / f"{event.topic()}.json")
        if committed is not None:
            found = breaking_changes(json.loads(committed), schema(event))
            problems += [f"{event.topic()} {problem}" for problem in found]
    return problems


def main() -> int:
    """The command line: exit status 1 for a breaking change, or with ``--check`` for anything stale."""
    problems = breaking()
    if problems:
        print("breaking changes; publish a new major version beside the old one instead:", *problems, sep="\n  ")  # noqa: T201
        return 1
    out_of_date = stale()
    if "--check" in sys.argv:
        print(*(f"stale: {path} (run `make contracts`)" for path in out_of_date), sep="\n", end="")  # noqa: T201
        return 1 if out_of_date else 0
    for path in out_of_date:
        target = ROOT / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(renderings()[path])
        print(f"rendered {path}")  # noqa: T201
    return 0


def _channel(event: type[EventData]) -> dict[str, Any]:
    return {
        "address": event.topic(),
        "messages": {event.__name__: {"$ref": _pointer("components", "messages", event.__name__)}},
        "bindings": {"googlepubsub": {"bindingVersion": "0.2.0"}},
    }


def _message(event: type[EventData]) -> dict[str, Any]:
    meaning = (sys.modules[event.__module__].__doc__ or "").splitlines()[0]
    message: dict[str, Any] = {"name": event.event_type(), "summary": meaning, "contentType": "application/json"}
    if event not in _NATIVE:
        message["payload"] = {"$ref": f"schemas/{event.topic()}.json"}
    else:
        message["description"] = "Sent by the platform in its own format; the schema is what it is read into."
    return message


def _publisher_names(event: type[EventData]) -> list[str]:
    if event.publishers:
        return [publisher.value for publisher in event.publishers]
    return ["Cloud Storage" if event in (ObjectFinalizedV1, ObjectDeletedV1) else _ANY_STAGE]


def _pointer(*parts: str) -> str:
    return "#/" + "/".join(part.replace("/", "~1") for part in parts)


def _committed(path: Path) -> str | None:
    target = ROOT / path
    return target.read_text() if target.exists() else None


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
