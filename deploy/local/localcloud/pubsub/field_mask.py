"""Field masks: applies the named fields of an update to the stored settings.

Turns (stored, wanted, paths) into changed settings, or refuses a path.
"""

from collections.abc import Collection, Sequence
from typing import Any

from localcloud.pubsub.errors import InvalidArgumentError


def apply_mask(target: Any, source: Any, paths: Sequence[str], mutable: Collection[str]) -> None:
    """Copy the fields at these dotted paths between two plain protobuf messages of one type."""
    if not paths:
        raise InvalidArgumentError("The update_mask must name at least one field.")
    for path in paths:
        first, *rest = path.split(".")
        if first not in mutable:
            known = first in target.DESCRIPTOR.fields_by_name
            reason = "cannot be changed" if known else "does not exist"
            raise InvalidArgumentError(f"Invalid update_mask: the field {first!r} {reason}.")
        _copy(target, source, [first, *rest], path)


def _copy(target: Any, source: Any, names: list[str], path: str) -> None:
    name, *rest = names
    field = target.DESCRIPTOR.fields_by_name.get(name)
    if field is None or (rest and (field.message_type is None or field.is_repeated)):
        raise InvalidArgumentError(f"Invalid update_mask: there is no field {path!r}.")
    if rest:
        _copy(getattr(target, name), getattr(source, name), rest, path)
        return
    target.ClearField(name)
    chosen = type(source)()
    chosen.CopyFrom(source)
    for other, _ in chosen.ListFields():
        if other.name != name:
            chosen.ClearField(other.name)
    target.MergeFrom(chosen)
