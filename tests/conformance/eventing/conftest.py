"""One parametrised ``harness``: the suite runs over memory, pull and push alike."""

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from contracts.events import MediaAnalyzedV1, MediaFailedV1, MediaProcessedV1
from eventing.runtime import Runtime
from tests.conformance.eventing.harness import EmulatorHarness, Harness, MemoryHarness, pulling, pushed
from tests.conformance.pubsub_emulator.emulator_process import EmulatorProcess

TOPICS = (MediaProcessedV1.topic(), MediaAnalyzedV1.topic(), MediaFailedV1.topic())


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    process = EmulatorProcess(tmp_path_factory.mktemp("eventing") / "data")
    process.start()
    yield process
    process.stop()


@pytest.fixture(params=["memory", "pull", "push"])
async def harness(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Harness, None]:
    if request.param == "memory":
        yield MemoryHarness()
        return
    process: EmulatorProcess = request.getfixturevalue("broker")
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", process.host)
    emulated = EmulatorHarness(process.jwks_url, TOPICS)
    door = {"pull": pulling, "push": pushed}[request.param]
    async with AsyncExitStack() as stack:
        emulated.serve = _serve_with(stack, emulated, door)  # type: ignore[attr-defined]
        yield emulated  # type: ignore[misc]
    await emulated.close()


def _serve_with(stack: AsyncExitStack, emulated: EmulatorHarness, door: Callable):
    async def serve(consumed: Sequence[Runtime]) -> None:
        await stack.enter_async_context(door(emulated, consumed))

    return serve


@pytest.fixture
def own_broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorProcess]:
    """A broker that a test may kill."""
    process = EmulatorProcess(tmp_path / "data")
    process.start()
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", process.host)
    yield process
    process.stop()


@pytest.fixture
async def own_harness(own_broker: EmulatorProcess) -> AsyncGenerator[EmulatorHarness, None]:
    """What the pull door is asked through, at a broker of the test's own."""
    emulated = EmulatorHarness(own_broker.jwks_url, (MediaProcessedV1.topic(), MediaAnalyzedV1.topic()))
    yield emulated
    await emulated.close()
