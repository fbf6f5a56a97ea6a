"""How many may send something large through this process at once: of one user, and of all together.

Each holds memory until the last byte has come, and it is the sender who says when that is.
"""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

from hosting.answers import ApiError

_AGAIN_S = "5"


class Places:
    """Whoever sends takes a place until it has been answered. ``what`` names what is sent, in the plural."""

    def __init__(self, what: str, *, per_user: int, in_all: int) -> None:
        self._what = what
        self.per_user = per_user
        self.in_all = in_all
        self._taken = Counter[str]()

    @property
    def taken(self) -> int:
        """How many are arriving."""
        return self._taken.total()

    @contextmanager
    def one_for(self, user_id: str) -> Generator[None, None, None]:
        """``ApiError`` 429 when the user has all they may have, 503 when there is none left."""
        again = {"Retry-After": _AGAIN_S}
        if self._taken[user_id] >= self.per_user:
            message = f"At most {self.per_user} {self._what} at once; wait until one has arrived."
            raise ApiError(429, "too_many_uploads", message, headers=again)
        if self.taken >= self.in_all:
            message = f"Too many {self._what} are arriving at this moment. Try again shortly."
            raise ApiError(503, "busy", message, headers=again)
        self._taken[user_id] += 1
        try:
            yield
        finally:
            self._taken[user_id] -= 1
            if not self._taken[user_id]:
                del self._taken[user_id]
