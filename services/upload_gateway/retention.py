"""How long what nobody needs any more is kept before the purge removes it."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Retention:
    """``deleted`` is how long a deletion can be undone.

    ``leftovers``: by then no stage is at work any more on a version that the bucket has removed. ``remembered``: by
    then no message about it can come (Pub/Sub keeps them for 31 days), so forgetting the row cannot revive the upload.
    """

    deleted: timedelta = timedelta(days=30)
    leftovers: timedelta = timedelta(days=1)
    remembered: timedelta = timedelta(days=32)
    purge_every_s: float = 3600
