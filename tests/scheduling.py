"""Which tests one worker runs, and when: those that share a running system together, and whole systems first.

Starting a system takes longer than most files; and what takes long must not begin when the other worker is done.
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

SHARED_SYSTEM = (
    "tests/pipeline/",
    "tests/deploy/test_router.py",
    "tests/security/test_access_matrix.py",
    "tests/security/test_log_canaries.py",
    "tests/watch/test_kept_traces.py",
)
"""They use the fixture ``system`` of ``tests/conftest.py``."""

TOGETHER = (SHARED_SYSTEM, ("tests/browser/",), ("tests/faults/",))
LONG = ("tests/chaos/", "tests/security/test_fuzzed_api.py", "tests/deploy/", "tests/conformance/")


def rank(nodeid: str) -> int:
    """The place of a test: sorted by it, long ones come first."""
    for place, paths in enumerate((*TOGETHER, *((path,) for path in LONG))):
        if nodeid.startswith(paths):
            return place
    return len(TOGETHER) + len(LONG)


class SystemsFirst(LoadFileScheduling):
    """``--dist loadfile``, but files that belong together go to one worker, and in the order of the collection."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        place = rank(nodeid)
        return f"unit {place}" if place < len(TOGETHER) else super()._split_scope(nodeid)
