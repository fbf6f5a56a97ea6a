"""One JSON line per thing that happened: timestamp, level, service, trace id and what the context has bound."""

import json
import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import structlog
from opentelemetry import trace
from structlog.types import EventDict, WrappedLogger

from telemetry.failures import story

_USER_ID_SHOWN = 8
_ENCODER = json.JSONEncoder(default=repr)


def configure(service: str) -> None:
    """Sends structlog and the standard library's warnings to stdout as JSON lines."""
    rendered = structlog.processors.JSONRenderer(_json)
    processors: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_trace_id,
        _shorten_user_id,
        _with_severity,
        _with_failure,
    ]
    structlog.configure(
        processors=[_with_service(service), *processors, rendered],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_with_service(service), *processors],
            processor=rendered,
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _json(event: EventDict, **_ways: Any) -> str:
    """One encoder for all lines: making one takes as long as a line."""
    return _ENCODER.encode(event)


@contextmanager
def bound(**values: Any) -> Generator[None, None, None]:
    """Adds values to every line logged inside."""
    with structlog.contextvars.bound_contextvars(**values):
        yield


def _with_service(service: str) -> structlog.types.Processor:
    def add(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return add


def _with_trace_id(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = f"{context.trace_id:032x}"
        event["span_id"] = f"{context.span_id:016x}"
    return event


def _with_severity(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """The name under which Cloud Logging looks for the level."""
    event["severity"] = str(event.get("level", "info")).upper()
    return event


def _with_failure(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """An exception as kind, place and cause; its message only where it is ours."""
    given = event.pop("exc_info", None)
    error = given[1] if isinstance(given, tuple) else sys.exc_info()[1] if given is True else given
    if isinstance(error, BaseException):
        event["exception"] = story(error)
    return event


def _shorten_user_id(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    user_id = event.get("user_id")
    if isinstance(user_id, str) and len(user_id) > _USER_ID_SHOWN:
        event["user_id"] = user_id[:_USER_ID_SHOWN] + "…"
    return event
