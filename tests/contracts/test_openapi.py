"""The committed OpenAPI documents are current, every operation says what it needs and answers, changes are additive."""

import copy
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contracts.openapi import DIRECTORY, breaking, documents, rendered

_METHODS = {"get", "post", "put", "delete", "patch"}
_OPEN = {"/api/v1/auth/config", "/api/v1/auth/local"}


@pytest.fixture(scope="module")
def current() -> dict[str, Any]:
    return dict(documents())


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in _METHODS:
                yield path, method, operation


def test_what_is_committed_is_current(current: dict[str, Any]) -> None:
    for name, document in current.items():
        assert (DIRECTORY / name).read_text() == rendered(document), f"make contracts renders {name}"


def test_every_operation_has_words_and_security(current: dict[str, Any]) -> None:
    for document in current.values():
        for path, method, operation in operations(document):
            assert operation.get("summary"), (method, path)
            assert operation.get("description"), (method, path)
            assert path in _OPEN or operation.get("security"), (method, path)


def test_paths_of_the_two_services_do_not_meet(current: dict[str, Any]) -> None:
    first, second = ({(path, method) for path, method, _ in operations(d)} for d in current.values())
    assert not first & second


def test_generators_of_clients_can_tell_the_models_apart(current: dict[str, Any]) -> None:
    """They make a class of each title, without its punctuation, and leave out operations whose class is there twice."""
    for name, document in current.items():
        titles = [model["title"] for model in document["components"]["schemas"].values() if "title" in model]
        classes = Counter(re.sub(r"[^a-z0-9]", "", title.lower()) for title in titles)
        assert [title for title, times in classes.items() if times > 1] == [], name


def test_of_an_answer_every_field_is_promised(current: dict[str, Any]) -> None:
    """They are always sent, and clients made from the document need not ask whether they are there."""
    for document in current.values():
        schemas = document["components"]["schemas"]
        answers = [name for name in schemas if name.startswith("Answer_")]
        assert answers
        for name in (*answers, "ErrorBody"):
            assert set(schemas[name]["required"]) == set(schemas[name]["properties"]), name


@pytest.fixture
def gateway() -> dict[str, Any]:
    return json.loads((DIRECTORY / "upload-gateway.json").read_text())


def test_the_same_is_no_breaking_change(gateway: dict[str, Any]) -> None:
    assert breaking(gateway, copy.deepcopy(gateway)) == []


def test_additions_are_no_breaking_changes(gateway: dict[str, Any]) -> None:
    new = copy.deepcopy(gateway)
    new["paths"]["/api/v1/more"] = new["paths"]["/api/v1/uploads"]
    new["components"]["schemas"]["Profile"]["properties"]["nickname"] = {"type": "string"}
    new["paths"]["/api/v1/uploads"]["get"]["parameters"].append({"in": "query", "name": "x", "schema": {}})
    assert breaking(gateway, new) == []


def test_what_would_break_a_client_is_named(gateway: dict[str, Any]) -> None:
    new = copy.deepcopy(gateway)
    del new["paths"]["/api/v1/stats/me"]
    del new["components"]["schemas"]["Profile"]["properties"]["tier"]
    new["components"]["schemas"]["KeyWish"]["required"] = ["name", "purpose"]
    new["components"]["schemas"]["KeyWish"]["properties"]["purpose"] = {"type": "string"}
    new["paths"]["/api/v1/uploads"]["get"]["parameters"].append(
        {"in": "query", "name": "since", "required": True, "schema": {"type": "string"}}
    )
    found = "\n".join(breaking(gateway, new))
    assert "GET /api/v1/stats/me: removed" in found
    assert "tier: removed" in found
    assert "purpose: newly required" in found
    assert "query parameter since newly required" in found
