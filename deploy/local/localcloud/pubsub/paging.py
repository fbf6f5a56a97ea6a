"""Pages of a sorted list: names in, one page and the token of the next one out.

The token is the last name of the page, so a page stays right while names come and go.
"""

import base64
import binascii
from bisect import bisect_right
from collections.abc import Iterable

from localcloud.pubsub.errors import InvalidArgumentError

_DEFAULT_PAGE = 100
_LARGEST_PAGE = 1000


def page_of(names: Iterable[str], page_size: int, page_token: str) -> tuple[list[str], str]:
    """The names after the token, at most page_size of them, and the next token ("" at the end)."""
    if page_size < 0:
        raise InvalidArgumentError("page_size must not be negative.")
    ordered = sorted(names)
    start = bisect_right(ordered, _last_name(page_token)) if page_token else 0
    end = start + min(page_size or _DEFAULT_PAGE, _LARGEST_PAGE)
    page = ordered[start:end]
    return page, _token(page[-1]) if end < len(ordered) else ""


def _token(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _last_name(token: str) -> str:
    try:
        name = base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        name = ""
    if not name.startswith("projects/"):
        raise InvalidArgumentError("The page token is invalid.")
    return name
