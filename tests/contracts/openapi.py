"""``python -m tests.contracts.openapi``: writes the public API's OpenAPI documents, and refuses breaking changes.

It stands here because only the tests may see every service. ``--check`` only says what is stale or breaks.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from contracts.compatibility import breaking_changes
from search import main as search
from search.settings import Settings as SearchSettings
from upload_gateway import main as upload_gateway
from upload_gateway.settings import Settings as GatewaySettings

ROOT = Path(__file__).resolve().parents[2]
DIRECTORY = ROOT / "contracts" / "openapi"
Document = dict[str, Any]

_TOLD = {
    "google_cloud_project": "openapi",
    "uploads_bucket": "uploads",
    "artifacts_bucket": "artifacts",
    "database_url": "postgresql+asyncpg://nobody@127.0.0.1:1/nothing",
}
_ONLY_OF_REQUESTS = ("newly required", "narrowed", "changed to")
_ONLY_OF_ANSWERS = ("no longer required",)


def documents() -> Mapping[str, Document]:
    """File name to document; nothing is connected for it."""
    os.environ.setdefault("STORAGE_EMULATOR_HOST", "http://127.0.0.1:1")
    return {
        "upload-gateway.json": upload_gateway.build(GatewaySettings(**_TOLD)).openapi(),
        "search.json": search.build(SearchSettings(**_TOLD)).openapi(),
    }


def rendered(document: Document) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def breaking(old: Document, new: Document) -> list[str]:
    """What a client written for ``old`` would stumble over in ``new``."""
    return sorted(set(_operations(old, new)))


def _operations(old: Document, new: Document) -> Iterator[str]:
    for path, methods in old["paths"].items():
        for method, before in methods.items():
            name = f"{method.upper()} {path}"
            after = new["paths"].get(path, {}).get(method)
            if after is None:
                yield f"{name}: removed"
                continue
            compare = _Comparison(old, new, name)
            yield from compare.parameters(before.get("parameters", []), after.get("parameters", []))
            yield from compare.body(before.get("requestBody"), after.get("requestBody"))
            yield from compare.answers(before["responses"], after["responses"])


class _Comparison:
    def __init__(self, old: Document, new: Document, name: str) -> None:
        self._old, self._new, self._name = old, new, name

    def parameters(self, old: list[Document], new: list[Document]) -> Iterator[str]:
        before = {(p["in"], p["name"]): p for p in old}
        after = {(p["in"], p["name"]): p for p in new}
        for place, name in before.keys() - after.keys():
            yield f"{self._name}: {place} parameter {name} removed"
        for key, parameter in after.items():
            known = before.get(key)
            if parameter.get("required") and not (known and known.get("required")):
                yield f"{self._name}: {key[0]} parameter {key[1]} newly required"
            if known:
                yield from self._request(known["schema"], parameter["schema"])

    def body(self, old: Document | None, new: Document | None) -> Iterator[str]:
        if old is None and new and new.get("required"):
            yield f"{self._name}: a body is newly required"
        for media_type, before, after in _shared(old, new):
            if after is None:
                yield f"{self._name}: bodies of {media_type} are not taken any more"
            else:
                yield from self._request(before, after)

    def answers(self, old: Document, new: Document) -> Iterator[str]:
        for status in (status for status in old if status.startswith(("2", "3"))):
            if status not in new:
                yield f"{self._name}: answers {status} no more"
                continue
            for media_type, before, after in _shared(old[status], new[status]):
                if after is None:
                    yield f"{self._name}: {status} is no {media_type} any more"
                else:
                    yield from self._changes(before, after, without=_ONLY_OF_REQUESTS)

    def _request(self, before: Document, after: Document) -> Iterator[str]:
        yield from self._changes(before, after, without=_ONLY_OF_ANSWERS)

    def _changes(self, before: Document, after: Document, without: tuple[str, ...]) -> Iterator[str]:
        old_root = before | {"$defs": self._old.get("components", {}).get("schemas", {})}
        new_root = after | {"$defs": self._new.get("components", {}).get("schemas", {})}
        for change in breaking_changes(old_root, new_root):
            if not any(words in change for words in without):
                yield f"{self._name}: {change}"


def _shared(old: Document | None, new: Document | None) -> Iterator[tuple[str, Document, Document | None]]:
    """(media type, schema before, schema after or None) of everything that was there before."""
    after = (new or {}).get("content", {})
    for media_type, content in (old or {}).get("content", {}).items():
        found = after.get(media_type)
        yield media_type, content.get("schema", {}), None if found is None else found.get("schema", {})


def main(arguments: list[str]) -> int:
    DIRECTORY.mkdir(exist_ok=True)
    status = 0
    for name, document in documents().items():
        path = DIRECTORY / name
        committed = path.read_text() if path.exists() else None
        problems = breaking(json.loads(committed), document) if committed else []
        for problem in problems:
            sys.stderr.write(f"{name}: {problem}\n")
        if problems:
            status = 1
        elif committed != rendered(document):
            if "--check" in arguments:
                sys.stderr.write(f"stale: contracts/openapi/{name}; run make contracts\n")
                status = 1
            else:
                path.write_text(rendered(document))
                sys.stdout.write(f"rendered contracts/openapi/{name}\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
