"""``python -m deploy.docker.settings_table``: the services' settings classes into the table of docs/deploy.md.

Run from the repository with the project installed; ``--check`` only says whether the table is stale.
"""

import ast
import importlib
import inspect
import os
import sys
import textwrap
from collections import defaultdict
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "deploy.md"
START, END = "<!-- settings:start -->", "<!-- settings:end -->"
SERVICES = ("upload-gateway", "media-processor", "analyzer", "embedder", "search")
_LONGEST_DEFAULT = 40


def settings_of(service: str) -> type[BaseSettings]:
    """The class that reads a service's environment."""
    return importlib.import_module(f"{service.replace('-', '_')}.settings").Settings


def table() -> str:
    """Markdown: one row per variable, with its default, its readers and what its class says about it."""
    readers: dict[str, list[str]] = defaultdict(list)
    fields: dict[str, FieldInfo] = {}
    said: dict[str, str] = {}
    for service in SERVICES:
        settings = settings_of(service)
        for name, field in settings.model_fields.items():
            readers[name].append(service)
            fields[name] = field
        for owner in settings.__mro__:
            if issubclass(owner, BaseModel) and owner.__module__.partition(".")[0] != "pydantic":
                said = _said_in(owner) | said
    rows = ["| variable | default | read by | meaning |", "| --- | --- | --- | --- |"]
    for name in sorted(fields, key=lambda name: (-len(readers[name]), readers[name], name)):
        who = "all" if len(readers[name]) == len(SERVICES) else ", ".join(readers[name])
        rows.append(f"| `{name.upper()}` | {_default(fields[name])} | {who} | {said.get(name, '')} |")
    return "\n".join(rows)


def page() -> str:
    """docs/deploy.md as it should be."""
    before, rest = PAGE.read_text().split(START, 1)
    after = rest.split(END, 1)[1]
    return f"{before}{START}\n{table()}\n{END}{after}"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value: Any = field.get_default(call_default_factory=True, validated_data={})
    if value is None:
        return "unset"
    text = str(value.model_dump()) if isinstance(value, BaseModel) else str(value)
    return f"`{text}`" if text and len(text) <= _LONGEST_DEFAULT else "see settings.py" if text else "empty"


def _said_in(owner: type) -> dict[str, str]:
    """Field → the string that stands below it in the class."""
    try:
        definition = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0]
    except (OSError, TypeError):
        return {}
    assert isinstance(definition, ast.ClassDef)
    said: dict[str, str] = {}
    for field, text in zip(definition.body, definition.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
        ):
            said[field.target.id] = " ".join(str(text.value.value).split()).replace("|", "\\|")
    return said


def main() -> int:
    """The command line."""
    wanted = page()
    if PAGE.read_text() == wanted:
        return 0
    if "--check" in sys.argv:
        sys.stdout.write(f"stale: {os.path.relpath(PAGE)} (run python -m deploy.docker.settings_table)\n")
        return 1
    PAGE.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
