"""Client spans for the statements of a SQLAlchemy engine, under the database conventions, parameters never included.

Only statements that belong to a recorded trace get one: what runs by itself (the outbox's relay) starts no traces.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

_TARGET = re.compile(r'\b(?:FROM|INTO|UPDATE)\s+(?:ONLY\s+)?("?[\w.]+"?)', re.IGNORECASE)
_FUNCTION = re.compile(r"SELECT\s+(\w+)\(", re.IGNORECASE)
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_LONGEST = 4000
_SPAN = "mmsearch_span"
_tracer = trace.get_tracer("mmsearch.sql")


def instrument(engine: Engine, namespace: str) -> None:
    """``namespace`` is the schema the engine works in."""

    def before(
        _connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, executemany: bool
    ) -> None:
        if context is not None and trace.get_current_span().is_recording():
            setattr(context, _SPAN, _started(statement, namespace, batch=executemany))

    def after(
        _connection: Any, cursor: Any, _statement: str, _parameters: Any, context: Any, _executemany: bool
    ) -> None:
        span: Span | None = getattr(context, _SPAN, None)
        if span is not None:
            rows = getattr(cursor, "rowcount", -1)
            if isinstance(rows, int) and rows >= 0:
                span.set_attribute("db.response.returned_rows", rows)
            span.end()

    def failed(context: ExceptionContext) -> None:
        span: Span | None = getattr(context.execution_context, _SPAN, None)
        if span is not None:
            error = context.original_exception
            state = str(getattr(error, "sqlstate", None) or "")
            span.set_attribute("error.type", state or type(error).__name__)
            if state:
                span.set_attribute("db.response.status_code", state)
            # Not the message: the server's quotes values.
            span.set_status(StatusCode.ERROR, type(error).__name__)
            span.end()

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    event.listen(engine, "handle_error", failed)


def _started(statement: str, namespace: str, *, batch: bool) -> Span:
    name, about = _described(statement)
    attributes: dict[str, str | bool] = {**about, "db.namespace": namespace}
    if batch:
        attributes["db.operation.batch"] = True
    return _tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes)


@lru_cache(maxsize=512)
def _described(statement: str) -> tuple[str, Mapping[str, str]]:
    """A span's name and attributes; the same few statements are asked again and again."""
    operation = statement.split(None, 1)[0].upper() if statement.strip() else "SQL"
    target = _TARGET.search(statement)
    collection = target[1].strip('"') if target else ""
    attributes = {
        "db.system.name": "postgresql",
        "db.operation.name": operation,
        "db.query.text": sanitized(statement),
    }
    if collection:
        attributes["db.collection.name"] = collection
    function = None if collection else _FUNCTION.match(statement)
    about = collection or (function[1] if function else "")
    return (f"{operation} {about}" if about else operation), attributes


def sanitized(statement: str) -> str:
    """The statement with its placeholders; literals, should one be there, are hidden."""
    return _LITERAL.sub("?", " ".join(statement.split()))[:_LONGEST]
