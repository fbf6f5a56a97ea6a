"""The ``fields`` parameter (partial responses) into the members of a resource it selects. Pure."""

from dataclasses import dataclass, field
from typing import Any

from localcloud.storage.errors import invalid


@dataclass
class Selection:
    """Selected members by name, ``*`` for all; a member without inner selection is taken whole."""

    members: dict[str, "Selection"] = field(default_factory=dict[str, "Selection"])

    def apply(self, value: Any) -> Any:
        """The selected part of a JSON value; lists are selected from item by item."""
        if not self.members:
            return value
        if isinstance(value, list):
            return [self.apply(item) for item in value]
        if not isinstance(value, dict):
            return value
        everything = self.members.get("*")
        chosen = {key: self.members.get(key, everything) for key in value}
        return {key: inner.apply(value[key]) for key, inner in chosen.items() if inner is not None}


def parse_fields(text: str) -> Selection:
    """Of ``items(name,metadata/key),nextPageToken``; 400 when it is not well formed."""
    selection, rest = _parse_list(text)
    if rest or not text:
        raise invalid(f"Invalid field selection {text}")
    return selection


def _parse_list(text: str) -> tuple[Selection, str]:
    selection = Selection()
    while True:
        name, inner, text = _parse_member(text)
        selection.members.setdefault(name, Selection()).members.update(inner.members)
        if not text.startswith(","):
            return selection, text
        text = text[1:]


def _parse_member(text: str) -> tuple[str, Selection, str]:
    end = next((index for index, char in enumerate(text) if char in ",()/"), len(text))
    name, text = text[:end].strip(), text[end:]
    if not name:
        raise invalid("Invalid field selection: a name is missing")
    if text.startswith("/"):
        below, inner, text = _parse_member(text[1:])
        return name, Selection({below: inner}), text
    if text.startswith("("):
        inner, text = _parse_list(text[1:])
        if not text.startswith(")"):
            raise invalid("Invalid field selection: a bracket is not closed")
        return name, inner, text[1:]
    return name, Selection(), text
