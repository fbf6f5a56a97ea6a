"""What the routes work with, built once in ``main.py`` and kept at ``app.state.resources``."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from database.engine import Database
from objectstore.store import ObjectStore
from upload_gateway.identity import LocalLogin, TableAuthenticator


@dataclass(frozen=True)
class Resources:
    """``local`` is None where there is no local user; then nobody can sign in without a key.

    ``announced`` is called after a commit that left events in the outbox.
    """

    database: Database
    objects: ObjectStore
    authenticator: TableAuthenticator
    uploads_bucket: str
    max_file_bytes: int
    announced: Callable[[], None]
    local: LocalLogin | None = None


def of_request(request: Request) -> Resources:
    """The application's resources."""
    resources: Resources = request.app.state.resources
    return resources


Gateway = Annotated[Resources, Depends(of_request)]
"""A route parameter: the service's resources."""
