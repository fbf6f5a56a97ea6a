"""Every failure code has advice and stands in the documentation."""

from pathlib import Path

import pytest

from contracts.artifacts import FailureCode
from upload_gateway.failures import ADVICE

API = (Path(__file__).parents[3] / "docs" / "api.md").read_text()


@pytest.mark.parametrize("code", FailureCode)
def test_every_code_has_advice_and_is_documented(code: FailureCode) -> None:
    assert ADVICE[code].text.endswith((".", "…"))
    assert f"| `{code.value}` |" in API.split("## Failures of processing")[1]
