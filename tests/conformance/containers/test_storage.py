"""What the suite asks of our Cloud Storage, for fake-gcs-server: the forms in which the services write."""

from tests.conformance.containers.official import suite_of
from tests.conformance.storage_emulator import test_objects

WANTED = (
    "test_round_trip",
    "test_resumable_forms",
    "test_ranges_and_reading_as_a_file",
)
globals().update({name: test for name, test in suite_of(test_objects).items() if name in WANTED})
