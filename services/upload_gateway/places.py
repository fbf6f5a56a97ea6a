"""How many files may be on their way through this process at once: of one user, and of all together.

Each holds memory until its last byte has come, and it is its sender who says when that is.
"""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

from hosting.answers import ApiError

PER_USER = 10
"""The page sends 3 at once, the command line 8 at most."""

IN_ALL = 32
"""Of 40 uploads whose senders stop where most is held, each held 15.5 MiB (measured at ``put_stream``, 618 MiB in all).
32 are half of the 1 GiB that terraform/services.tf gives an instance; its other requests have the rest."""

_AGAIN_S = "5"


class Places:
    """Whoever sends a file takes a place until it has been answered."""

    def __init__(self) -> None:
        self._taken = Counter[str]()

    @property
    def taken(self) -> int:
        """How many are arriving."""
        return self._taken.total()

    @contextmanager
    def one_for(self, user_id: str) -> Generator[None, None, None]:
        """``ApiError`` 429 when the user has all they may have, 503 when there is none left."""
        again = {"Retry-After": _AGAIN_S}
        if self._taken[user_id] >= PER_USER:
            message = f"At most {PER_USER} files at once; wait until one has arrived."
            raise ApiError(429, "too_many_uploads", message, headers=again)
        if self.taken >= IN_ALL:
            raise ApiError(503, "busy", "Too many files are arriving at this moment. Try again shortly.", headers=again)
        self._taken[user_id] += 1
        try:
            yield
        finally:
            self._taken[user_id] -= 1
            if not self._taken[user_id]:
                del self._taken[user_id]
