"""CloudEvents 1.0 around an event's data, and its binary binding on Pub/Sub attributes (``ce-*``).

The class name is the single source of the topic, type, schema and module names: ``MediaProcessedV1`` is
``media.processed.v1``.
"""

import re
import uuid
from abc import abstractmethod
from datetime import datetime
from functools import cache
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from contracts.artifacts import Contract, Service

SCHEMA_ROOT = "https://mmsearch.dev/schemas"
TYPE_PREFIX = "mmsearch."
_NAMESPACE = uuid.UUID("7d8a2f60-3c7b-5e0f-9b0e-5d1c3a7b9e42")


class EventData(Contract):
    """Base of every event's data; subclasses are named ``<Thing><Happened>V<major>``."""

    publishers: ClassVar[tuple[Service, ...]]
    """The services that publish it; none for what Cloud Storage sends and for what any stage may."""

    @classmethod
    def topic(cls) -> str:
        """The topic, ``media.processed.v1`` for ``MediaProcessedV1``."""
        return ".".join(_words(cls.__name__))

    @classmethod
    def module_name(cls) -> str:
        """The module that holds the class, ``media_processed_v1``."""
        return "_".join(_words(cls.__name__))

    @classmethod
    def event_type(cls) -> str:
        """The CloudEvents type."""
        return TYPE_PREFIX + cls.topic()

    @abstractmethod
    def subject(self) -> str:
        """What the event is about; the upload id or user id."""

    def extensions(self) -> dict[str, str]:
        """CloudEvents extension attributes that subscriptions filter on."""
        return {}


EventT = TypeVar("EventT", bound=EventData)


class Envelope(BaseModel, Generic[EventT]):
    """One event with its identity, time and the trace it belongs to."""

    model_config = ConfigDict(frozen=True)

    id: str
    source: str
    time: datetime
    data: EventT
    traceparent: str | None = None
    tracestate: str | None = None


def derived_event_id(*parts: str) -> str:
    """The same parts give the same id, so a duplicate is recognisable everywhere."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(parts)))


@cache
def _words(class_name: str) -> tuple[str, ...]:
    words = tuple(w.lower() for w in re.findall(r"[A-Z][a-z]*\d*", class_name))
    if not re.fullmatch(r"v\d+", words[-1]):
        raise TypeError(f"{class_name} does not end in its major version")
    return words
