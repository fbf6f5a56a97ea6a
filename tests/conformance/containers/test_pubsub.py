"""What the suite asks of our Pub/Sub is asked of Google's own emulator: publishing, leases, streaming."""

from tests.conformance.containers.official import suite_of
from tests.conformance.pubsub_emulator import test_leases, test_publishing, test_resources, test_streaming

globals().update(suite_of(test_leases, test_publishing, test_resources, test_streaming))
