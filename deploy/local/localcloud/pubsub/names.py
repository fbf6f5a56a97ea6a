"""Resource names (``projects/P/topics/T``) checked by the rules of the service.

Turns a string from a request into a validated project, topic or subscription name.
"""

import re

from localcloud.pubsub.errors import InvalidArgumentError

DELETED_TOPIC = "_deleted-topic_"
"""What a subscription reports as its topic once that topic is gone."""

_PROJECT = re.compile(r"projects/([a-z0-9][a-z0-9.:-]{1,61}[a-z0-9])")
_RESOURCE = re.compile(r"projects/([a-z0-9][a-z0-9.:-]{1,61}[a-z0-9])/(topics|subscriptions)/([^/]+)")
_ID = re.compile(r"[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}")


def check_project(name: str) -> str:
    """``projects/P`` as it came, or InvalidArgumentError."""
    if not _PROJECT.fullmatch(name):
        raise InvalidArgumentError(f'Invalid project name given (name="{name}"); expected projects/PROJECT.')
    return name


def check_topic(name: str) -> str:
    """``projects/P/topics/T`` as it came, or InvalidArgumentError."""
    return _check(name, "topics")


def check_subscription(name: str) -> str:
    """``projects/P/subscriptions/S`` as it came, or InvalidArgumentError."""
    return _check(name, "subscriptions")


def split(name: str) -> tuple[str, str]:
    """``projects/P/topics/T`` → ``(P, T)``; the name must have been checked."""
    _, project, _, identifier = name.split("/")
    return project, identifier


def _check(name: str, collection: str) -> str:
    found = _RESOURCE.fullmatch(name)
    if found is None or found[2] != collection:
        raise InvalidArgumentError(
            f'Invalid resource name given (name="{name}"); expected projects/PROJECT/{collection}/ID.'
        )
    if not _ID.fullmatch(found[3]) or found[3].startswith("goog"):
        raise InvalidArgumentError(
            f'Invalid [{collection}] id (name="{name}"): 3 to 255 letters, digits or -_.~+%, beginning with a '
            'letter and not with "goog".'
        )
    return name
