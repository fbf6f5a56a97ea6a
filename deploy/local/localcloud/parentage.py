"""Ties a child process to its parent: when the parent is gone, even by SIGKILL, the child gets a signal.

The kernel does it on Linux; elsewhere a child outlives a killed parent.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def dies_with_parent(signal_number: signal.Signals) -> Callable[[], None]:
    """What to run in the child between fork and exec, after its user was changed (that clears the wish)."""
    if sys.platform != "linux":
        return _nothing
    # Loaded here, in the parent: between fork and exec a child must not import or take locks.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return tie


def _nothing() -> None:
    """Nothing to do on systems without parent-death signals."""
