"""What ``--json`` hands on of the API's answers to operators has every field of the API."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from mmsearch import operator_models as models

ROOT = Path(__file__).parents[2]


def schemas(service: str) -> dict[str, Any]:
    return json.loads((ROOT / f"contracts/openapi/{service}.json").read_text())["components"]["schemas"]


@pytest.mark.parametrize(
    ("service", "schema", "model"),
    [
        ("upload-gateway", "LetterRow", models.DeadLetter),
        ("upload-gateway", "LetterWhole", models.WholeLetter),
        ("upload-gateway", "FailuresShown", models.FailureGroup),
        ("upload-gateway", "FindingShown", models.Finding),
        ("search", "ModelState", models.ModelState),
        ("search", "Comparison", models.Comparison),
        ("search", "QueryCompared", models.ComparedQuery),
    ],
)
def test_every_field_is_handed_on(service: str, schema: str, model: type[BaseModel]) -> None:
    assert set(model.model_fields) == set(schemas(service)[schema]["properties"])
