"""What the routes work with, built once in ``main.py`` and kept at ``app.state.resources``."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Self

from fastapi import Depends, Request

from database.engine import Database
from hosting.places import Places
from objectstore.cdn import SignedCdn
from objectstore.store import ObjectStore
from upload_gateway.identity import TableAuthenticator
from upload_gateway.quota import DailyQuotas
from upload_gateway.repair.limits import RepairLimits
from upload_gateway.retention import Retention
from upload_gateway.settings import Settings
from upload_gateway.storyboards import Storyboards

FILES_OF_A_USER = 10
"""Sent at once; the page sends 3, the command line 8 at most."""

FILES_IN_ALL = 32
"""Of 40 uploads whose senders stop where most is held, each held 15.5 MiB (measured at ``put_stream``, 618 MiB in all).
32 are half of the 1 GiB that terraform/services.tf gives an instance; its other requests have the rest."""


def _places() -> Places:
    return Places("files", per_user=FILES_OF_A_USER, in_all=FILES_IN_ALL)


@dataclass(frozen=True)
class Resources:
    """``announced`` is called after a commit that left events in the outbox. ``places`` are for files being sent.

    ``thumbnails`` is the CDN they come from, where there is one. ``unstored`` are uploads known to have failed, whose
    rows could not be removed then.
    """

    database: Database
    objects: ObjectStore
    authenticator: TableAuthenticator
    uploads_bucket: str
    max_file_bytes: int
    announced: Callable[[], None]
    quotas: DailyQuotas = field(default_factory=DailyQuotas)
    repair: RepairLimits = field(default_factory=RepairLimits)
    retention: Retention = field(default_factory=Retention)
    thumbnails: SignedCdn | None = None
    places: Places = field(default_factory=_places)
    unstored: set[str] = field(default_factory=set[str])

    @cached_property
    def storyboards(self) -> Storyboards:
        """Reads the lists of pictures in ``objects``."""
        return Storyboards(self.objects)

    @classmethod
    def configured(
        cls,
        settings: Settings,
        database: Database,
        objects: ObjectStore,
        authenticator: TableAuthenticator,
        announced: Callable[[], None],
    ) -> Self:
        """With the limits the environment names."""
        return cls(
            database,
            objects,
            authenticator,
            settings.uploads_bucket,
            settings.max_file_size,
            announced,
            settings.daily_quotas,
            settings.repair_limits,
            settings.retention,
            settings.thumbnail_links,
        )


async def of_request(request: Request) -> Resources:  # a plain function would be called in a thread, which costs more
    """The application's resources."""
    resources: Resources = request.app.state.resources
    return resources


Gateway = Annotated[Resources, Depends(of_request)]
"""A route parameter: the service's resources."""
