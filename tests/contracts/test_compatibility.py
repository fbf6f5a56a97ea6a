"""The checker names every kind of breaking change, tried on copies of a real schema that were broken on purpose."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from contracts.compatibility import breaking_changes
from contracts.events import EVENTS, MediaFailedV1, MediaProcessedV1
from contracts.render import schema

Schema = dict[str, Any]


def _removed_property(s: Schema) -> None:
    del s["properties"]["media_type"]


def _removed_nested_property(s: Schema) -> None:
    del s["$defs"]["ArtifactRef"]["properties"]["sha256"]


def _new_required(s: Schema) -> None:
    s["properties"]["checksum"] = {"type": "string"}
    s["required"].append("checksum")


def _optional_made_required(s: Schema) -> None:
    s["required"].append("thumbnail")


def _required_made_optional(s: Schema) -> None:
    s["required"].remove("material")


def _type_changed(s: Schema) -> None:
    s["properties"]["size_bytes"]["type"] = "string"


def _null_no_longer_allowed(s: Schema) -> None:
    s["properties"]["declared_media_type"] = {"type": "string"}


def _maximum_lowered(s: Schema) -> None:
    s["properties"]["filename"]["maxLength"] = 10


def _minimum_raised(s: Schema) -> None:
    s["properties"]["size_bytes"]["minimum"] = 100


def _pattern_changed(s: Schema) -> None:
    s["properties"]["sha256"]["pattern"] = "^[A-F]+$"


def _enum_value_removed(s: Schema) -> None:
    s["$defs"]["Kind"]["enum"].remove("video")


def _enumeration_introduced(s: Schema) -> None:
    s["properties"]["media_type"]["enum"] = ["image/jpeg"]


def _item_type_changed(s: Schema) -> None:
    s["properties"]["degradations"]["items"] = {"type": "string"}


BREAKING: list[Callable[[Schema], None]] = [
    _removed_property,
    _removed_nested_property,
    _new_required,
    _optional_made_required,
    _required_made_optional,
    _type_changed,
    _null_no_longer_allowed,
    _maximum_lowered,
    _minimum_raised,
    _pattern_changed,
    _enum_value_removed,
    _enumeration_introduced,
    _item_type_changed,
]


@pytest.mark.parametrize("break_it", BREAKING, ids=lambda f: f.__name__.strip("_"))
def test_a_breaking_change_is_refused(break_it: Callable[[Schema], None]) -> None:
    old = schema(MediaProcessedV1)
    broken = copy.deepcopy(old)
    break_it(broken)
    assert breaking_changes(old, broken) != []


def test_additive_changes_pass() -> None:
    old = schema(MediaProcessedV1)
    new = copy.deepcopy(old)
    new["properties"]["colour"] = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
    new["properties"]["filename"]["maxLength"] = 2048
    new["$defs"]["Kind"]["enum"].append("model")
    assert breaking_changes(old, new) == []


def test_a_schema_is_compatible_with_itself_and_not_with_another_event() -> None:
    for event in EVENTS:
        assert breaking_changes(schema(event), schema(event)) == []
    assert breaking_changes(schema(MediaProcessedV1), schema(MediaFailedV1)) != []
