"""What the HTTP status of a failed call means, whatever the provider: who can do something about it, and when."""

from enum import Enum, auto

_OPERATORS = {401, 402, 403, 404}
_PASSING = {408, 409, 425, 429, 499}
_OPERATORS_PAUSE_S = 60.0


class Meaning(Enum):
    """Of a status that is no success."""

    OPERATORS = auto()
    """Refused credentials, an unpaid account, a missing model: an operator can mend it, no file is at fault."""

    PASSING = auto()
    """The same call may work later."""

    REFUSED = auto()
    """This request can never work."""

    def pause_s(self, asked_for: float | None) -> float | None:
        """Returns for how many seconds nobody should call: as many as the provider ``asked_for``, else a minute where
        only an operator can help. None: one such failure is no reason to leave the provider alone.
        """
        return asked_for or _OPERATORS_PAUSE_S if self is Meaning.OPERATORS else asked_for


def meaning_of(status: int) -> Meaning:
    """Returns ``REFUSED`` only for statuses that say that the request itself is at fault."""
    if status in _OPERATORS:
        return Meaning.OPERATORS
    return Meaning.PASSING if status in _PASSING or not 400 <= status < 500 else Meaning.REFUSED
