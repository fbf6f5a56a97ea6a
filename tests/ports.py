"""Free ports for the processes that tests start, outside the range that outgoing connections are given theirs from."""

import secrets
from collections.abc import Iterable

from localcloud.ports import is_free

_RANGE = range(20_000, 32_000)


def free_port(excluded: Iterable[int] = ()) -> int:
    """A port nobody listens on, outside ``excluded``."""
    while (port := secrets.choice(_RANGE)) in {*excluded} or not is_free(port):
        pass
    return port
