"""Compares two JSON Schemas of one event and names every change that would break a service running the other one.

Within a major version a change must be additive: old consumers read new events, new consumers read old events. The one
exception is a value added to an enumeration, which old consumers cannot read: it passes because a release brings the
consumers of a stage to their full share before the stage (docs/extending.md, docs/decisions/0039).
"""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """Sentences, one per breaking change from ``old`` to ``new``; empty when the change is safe."""
    return sorted(set(_Comparison(old, new).changes(old, new, "$")))


class _Comparison:
    def __init__(self, old_root: Schema, new_root: Schema) -> None:
        self._old_root = old_root
        self._new_root = new_root
        self._seen: set[tuple[str, str]] = set()

    def changes(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        refs = (str(old.get("$ref")), str(new.get("$ref")))
        if "$ref" in old and "$ref" in new:
            if refs in self._seen:
                return
            self._seen.add(refs)
        old, new = _resolved(old, self._old_root), _resolved(new, self._new_root)
        yield from self._types(old, new, path)
        yield from _bounds(old, new, path)
        yield from _values(old, new, path)
        yield from self._properties(old, new, path)
        for inner in ("items", "additionalProperties"):
            if isinstance(old.get(inner), dict) and isinstance(new.get(inner), dict):
                yield from self.changes(old[inner], new[inner], f"{path}.{inner}")

    def _types(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        old_options, new_options = self._options(old, self._old_root), self._options(new, self._new_root)
        if set(old_options) != set(new_options):
            yield f"{path}: type changed from {_names(old_options)} to {_names(new_options)}"
            return
        if len(old_options) > 1:
            for name, option in old_options.items():
                yield from self.changes(option, new_options[name], path)

    def _options(self, schema: Schema, root: Schema) -> dict[str, Schema]:
        alternatives = schema.get("anyOf") or schema.get("oneOf") or [schema]
        resolved = [_resolved(alternative, root) for alternative in alternatives]
        return {str(option.get("type", option.get("title", "any"))): option for option in resolved}

    def _properties(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        old_properties: Schema = old.get("properties", {})
        new_properties: Schema = new.get("properties", {})
        for name in old_properties.keys() - new_properties.keys():
            yield f"{path}.{name}: removed"
        old_required, new_required = set(old.get("required", [])), set(new.get("required", []))
        for name in new_required - old_required:
            yield f"{path}.{name}: newly required; events already written lack it"
        for name in (old_required - new_required) & new_properties.keys():
            yield f"{path}.{name}: no longer required; running consumers need it"
        for name in old_properties.keys() & new_properties.keys():
            yield from self.changes(old_properties[name], new_properties[name], f"{path}.{name}")


def _bounds(old: Schema, new: Schema, path: str) -> Iterator[str]:
    for keyword in _UPPER_BOUNDS:
        if keyword in new and (keyword not in old or new[keyword] < old[keyword]):
            yield f"{path}: {keyword} narrowed to {new[keyword]}"
    for keyword in _LOWER_BOUNDS:
        if keyword in new and (keyword not in old or new[keyword] > old[keyword]):
            yield f"{path}: {keyword} narrowed to {new[keyword]}"
    for keyword in ("pattern", "format", "const"):
        if keyword in new and new[keyword] != old.get(keyword):
            yield f"{path}: {keyword} changed to {new[keyword]}"


def _values(old: Schema, new: Schema, path: str) -> Iterator[str]:
    for value in set(old.get("enum", [])) - set(new.get("enum", [])):
        yield f"{path}: value {value!r} removed"
    if "enum" in new and "enum" not in old:
        yield f"{path}: narrowed to an enumeration"


def _resolved(schema: Schema, root: Schema) -> Schema:
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    target: Schema = root["$defs"][reference.rsplit("/", 1)[-1]]
    return target


def _names(options: dict[str, Schema]) -> str:
    return " or ".join(sorted(options))
