"""One JSON line per thing that happened: timestamp, level, service, trace id and what the context has bound."""

import json
import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import structlog
from opentelemetry import trace
from structlog.types import EventDict, WrappedLogger

from telemetry.failures import story

_USER_ID_SHOWN = 8
_LEVELS = {"warn": "warning", "exception": "error"}
"""Methods of a logger that are called otherwise than their level; the level is what Cloud Logging looks for."""
_ENCODER = json.JSONEncoder(default=repr)


def configure(service: str) -> None:
    """Sends structlog and the standard library's warnings to stdout as JSON lines."""
    rendered = structlog.processors.JSONRenderer(_json)
    about = [structlog.contextvars.merge_contextvars, _about(service)]
    structlog.configure(
        processors=[*about, rendered],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=about, processor=rendered))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _json(event: EventDict, **_ways: Any) -> str:
    """One encoder for all lines: making one takes as long as a line."""
    return _ENCODER.encode(event)


@contextmanager
def bound(**values: Any) -> Generator[None, None, None]:
    """Adds values to every line logged inside."""
    with structlog.contextvars.bound_contextvars(**values):
        yield


def _about(service: str) -> structlog.types.Processor:
    """What every line says besides what it was given; one function, because a call of each part costs as much again."""

    def add(_logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
        level = _LEVELS.get(name, name)
        event["service"] = service
        event["level"] = level
        event["timestamp"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            event["trace_id"] = f"{context.trace_id:032x}"
            event["span_id"] = f"{context.span_id:016x}"
        user_id = event.get("user_id")
        if isinstance(user_id, str) and len(user_id) > _USER_ID_SHOWN:
            event["user_id"] = user_id[:_USER_ID_SHOWN] + "…"
        event["severity"] = level.upper()
        if "exc_info" in event:
            _tell_failure(event)
        return event

    return add


def _tell_failure(event: EventDict) -> None:
    """An exception as kind, place and cause; its message only where it is ours."""
    given = event.pop("exc_info")
    error = given[1] if isinstance(given, tuple) else sys.exc_info()[1] if given is True else given
    if isinstance(error, BaseException):
        event["exception"] = story(error)
