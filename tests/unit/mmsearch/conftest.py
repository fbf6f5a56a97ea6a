"""An API to talk to."""

from collections.abc import Iterator

import pytest

from tests.unit.mmsearch.api import Api, serving


@pytest.fixture
def api() -> Iterator[Api]:
    with serving() as api:
        yield api
