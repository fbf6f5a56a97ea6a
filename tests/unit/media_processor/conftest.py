"""A sandbox for all tests of a module, and a decoder without one for tests of what is read."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from media_processor.decoded import Decoded, DecodeLimits, Job, Rejection
from media_processor.decoding import report_on
from media_processor.sandbox import Sandbox

Decode = Callable[..., Decoded]
Refuse = Callable[..., Rejection]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as started:
        yield started


@pytest.fixture
def output(tmp_path: Path) -> Path:
    directory = tmp_path / "output"
    directory.mkdir()
    return directory


@pytest.fixture
def decode(output: Path) -> Decode:
    def decode(path: Path, **limits: int) -> Decoded:
        report = report_on(Job(source=path, output=output, filename=path.name, limits=DecodeLimits(**limits)))
        assert report.decoded is not None, report.rejection
        return report.decoded

    return decode


@pytest.fixture
def refuse(output: Path) -> Refuse:
    def refuse(path: Path, **limits: int) -> Rejection:
        report = report_on(Job(source=path, output=output, filename=path.name, limits=DecodeLimits(**limits)))
        assert report.rejection is not None, report.decoded
        return report.rejection

    return refuse
