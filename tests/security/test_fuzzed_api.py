"""Requests made up from the OpenAPI documents, good and bad: never a 500, always what the document promises."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.contracts.openapi import documents
from tests.pipeline.local_system import LocalSystem

EXAMPLES = 12
ENDLESS = "/api/v1/events"


def _whole_api() -> Any:
    """Both services' documents as the one API behind the public port."""
    gateway, search = documents().values()
    components = gateway["components"] | {"schemas": search["components"]["schemas"] | gateway["components"]["schemas"]}
    return gateway | {"paths": gateway["paths"] | search["paths"], "components": components}


api = schemathesis.openapi.from_dict(_whole_api()).exclude(path=ENDLESS)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    """A system of its own: what is made up here must not meet other tests."""
    running = LocalSystem(tmp_path_factory.mktemp("fuzzed") / "data")
    running.start()
    yield running
    assert running.stop() == 0


@api.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_the_document_promises(case: schemathesis.Case, fuzzed: LocalSystem) -> None:
    response = case.call(
        base_url=fuzzed.url,
        headers={"X-API-Key": fuzzed.variables["MMSEARCH_API_KEY"]},
        allow_redirects=False,
        timeout=30,
    )
    checks = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
    case.validate_response(response, checks=checks)
