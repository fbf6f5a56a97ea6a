"""The runtime's delivery guarantees by streaming pull from Google's own emulator."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack

import pytest

from contracts.events import MediaAnalyzedV1, MediaFailedV1, MediaProcessedV1
from eventing.runtime import Runtime
from tests.conformance.containers.official import suite_of
from tests.conformance.eventing import test_doors
from tests.conformance.eventing.harness import EmulatorHarness, Harness, pulling

globals().update(suite_of(test_doors))

TOPICS = (MediaProcessedV1.topic(), MediaAnalyzedV1.topic(), MediaFailedV1.topic())


@pytest.fixture
async def harness(pubsub_host: str, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Harness, None]:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub_host)
    emulated = EmulatorHarness("", TOPICS)  # it signs no push tokens, so there are no keys to fetch
    async with AsyncExitStack() as stack:

        async def serve(consumed: Sequence[Runtime]) -> None:
            await stack.enter_async_context(pulling(emulated, consumed))

        emulated.serve = serve  # type: ignore[attr-defined]
        yield emulated  # type: ignore[misc]
    await emulated.close()
