"""Terraform's files as plain Python: blocks by kind, strings without their quotes, expressions as ``${…}``."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import hcl2

TERRAFORM = Path(__file__).parents[2] / "terraform"
TERRAFORM_BINARY = shutil.which("tofu") or shutil.which("terraform")
_REFERENCE = re.compile(
    r"\b(?:(?P<kind>var|local|data|ephemeral|module)\.)?"
    r"(?P<first>[a-z][a-z0-9_-]*)(?:\.(?P<second>[a-z][a-z0-9_-]*))?"
)
_RESOURCE_TYPE = re.compile(r"^(google|random)_[a-z0-9_]+$")


@dataclass
class Configuration:
    """Everything that ``terraform/*.tf`` declares."""

    variables: dict[str, Any] = field(default_factory=dict)
    locals: dict[str, Any] = field(default_factory=dict)
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    data: dict[str, dict[str, Any]] = field(default_factory=dict)
    ephemerals: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    settings: list[Any] = field(default_factory=list)
    providers: dict[str, Any] = field(default_factory=dict)

    def resource(self, address: str) -> Any:
        kind, name = address.split(".")
        return self.resources[kind][name]


@cache
def configuration() -> Configuration:
    return parsed(path.read_text() for path in sorted(TERRAFORM.glob("*.tf")))


def parsed(sources: Iterator[str] | list[str]) -> Configuration:
    found = Configuration()
    for source in sources:
        content = plain(hcl2.loads(source))
        for block in content.get("variable", []):
            found.variables |= block
        for block in content.get("locals", []):
            found.locals |= block
        for block in content.get("output", []):
            found.outputs |= block
        for block in content.get("provider", []):
            found.providers |= block
        found.settings += content.get("terraform", [])
        for key, target in (("resource", found.resources), ("data", found.data), ("ephemeral", found.ephemerals)):
            for block in content.get(key, []):
                for kind, named in block.items():
                    target.setdefault(kind, {}).update(named)
    return found


def tfvars(name: str) -> dict[str, Any]:
    return plain(hcl2.loads((TERRAFORM / "environments" / f"{name}.tfvars").read_text()))


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {plain(k): plain(v) for k, v in value.items() if k not in ("__comments__", "__is_block__")}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, str) and len(value) >= 2 and value[0] == value[-1] == '"':
        return value[1:-1]
    return value


def strings(value: Any) -> Iterator[str]:
    """Every string in a structure, keys too."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from strings(key)
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value


def undefined_references(config: Configuration) -> set[str]:
    """``var.x``, ``local.x``, ``type.name``, ``data.type.name`` and ``ephemeral.type.name`` that nothing declares."""
    missing: set[str] = set()
    everything = [
        config.locals,
        config.resources,
        config.data,
        config.ephemerals,
        config.outputs,
        config.providers,
        config.variables,
    ]
    for expression in _expressions(everything):
        for match in _REFERENCE.finditer(expression):
            kind, first, second = match["kind"], match["first"], match["second"]
            if kind == "var" and first not in config.variables:
                missing.add(f"var.{first}")
            elif kind == "local" and first not in config.locals:
                missing.add(f"local.{first}")
            elif kind in ("data", "ephemeral"):
                declared = config.data if kind == "data" else config.ephemerals
                if second not in declared.get(first, {}):
                    missing.add(f"{kind}.{first}.{second}")
            elif kind is None and second and _RESOURCE_TYPE.match(first) and second not in _named(config, first):
                missing.add(f"{first}.{second}")
    return missing


def items(value: Any) -> list[tuple[str, Any]]:
    """Every key with its value, at whatever depth."""
    if isinstance(value, dict):
        return [pair for key, item in value.items() for pair in [(key, item), *items(item)]]
    return [pair for item in value for pair in items(item)] if isinstance(value, list) else []


def _named(config: Configuration, kind: str) -> dict[str, Any]:
    return config.resources.get(kind, {})


def _expressions(value: Any) -> Iterator[str]:
    for text in strings(value):
        yield from _interpolations(text)


def _interpolations(text: str) -> Iterator[str]:
    """The inside of each ``${…}``, nested braces included, without the literal strings in it."""
    start = 0
    while (begin := text.find("${", start)) >= 0:
        depth, end = 1, begin + 2
        while depth and end < len(text):
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        inside = text[begin + 2 : end - 1]
        # A literal string may hold interpolations of its own; its other text is no reference.
        for literal in re.findall(r'"((?:[^"\\]|\\.)*)"', inside):
            yield from _interpolations(literal)
        yield re.sub(r'"(?:[^"\\]|\\.)*"', '""', inside)
        start = end
