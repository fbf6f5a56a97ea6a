"""Spans of events, calls to models and statements: names, kinds, attributes, and what they must never hold."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from telemetry.sql import instrument, sanitized

ROOT = Path(__file__).parents[3]

# The global tracer provider can be set once for each process, so what needs one runs in its own.
PROGRAM = textwrap.dedent(
    """
    import json
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from sqlalchemy import create_engine, text
    from telemetry import spans
    from telemetry.propagation import context_of
    from telemetry.sql import instrument

    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)

    engine = create_engine("sqlite://")
    instrument(engine, "own_schema")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE things (name TEXT UNIQUE)"))
    parent = context_of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    try:
        with spans.consumer("s", "t.v1", parent, message_id="7", attempt=2, queued_s=0.25, upload_id="upl_1"):
            with spans.inference("embeddings", "openai", "small", remote=True):
                spans.tokens(12, 0, 0.5)
            with spans.sending("out.v1") as span:
                span.set_attribute("messaging.message.id", "8")
            with engine.begin() as connection:
                connection.execute(text("INSERT INTO things VALUES (:name)"), [{"name": "CANARY"}])
                connection.execute(text("SELECT name FROM things WHERE name != 'LITERAL'"))
            with spans.internal("fails"):
                raise ValueError("CANARY")
    except ValueError:
        pass
    with spans.sending("relayed.v1"):
        pass
    try:
        with spans.internal("violates"), engine.begin() as c:
            c.execute(text("INSERT INTO things VALUES (:name)"), {"name": "CANARY"})
    except Exception as error:
        assert "UNIQUE" in str(error)
    print(json.dumps([json.loads(span.to_json(indent=None)) for span in exporter.get_finished_spans()]))
    """
)


@pytest.fixture(scope="module")
def spans() -> dict[str, dict[str, object]]:
    import json  # noqa: PLC0415 - only here

    paths = ":".join(str(ROOT / path) for path in ("", "libs"))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env={"PYTHONPATH": paths}
    )
    return {span["name"]: span for span in json.loads(done.stdout)}


def test_a_delivery_hangs_below_its_event_and_links_to_it(spans: dict[str, dict[str, object]]) -> None:
    delivery = spans["process s"]
    assert delivery["kind"] == "SpanKind.CONSUMER"
    assert delivery["parent_id"] == "0xb7ad6b7169203331"
    assert delivery["links"][0]["context"]["span_id"] == "0xb7ad6b7169203331"
    attributes = delivery["attributes"]
    assert attributes["mmsearch.queued_ms"] == 250
    assert attributes["mmsearch.upload_id"] == "upl_1"
    assert attributes["messaging.gcp_pubsub.message.delivery_attempt"] == 2


def test_a_call_to_a_model_follows_the_conventions(spans: dict[str, dict[str, object]]) -> None:
    call = spans["embeddings small"]
    assert call["kind"] == "SpanKind.CLIENT"
    assert call["attributes"] == {
        "gen_ai.operation.name": "embeddings",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "small",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 0,
        "mmsearch.cost_usd": 0.5,
    }


def test_statements_are_named_for_what_they_do(spans: dict[str, dict[str, object]]) -> None:
    assert spans["SELECT things"]["attributes"] == {
        "db.system.name": "postgresql",
        "db.namespace": "own_schema",
        "db.operation.name": "SELECT",
        "db.collection.name": "things",
        "db.query.text": "SELECT name FROM things WHERE name != ?",
    }
    assert "INSERT things" in spans


def test_what_has_no_trace_around_it_starts_none(spans: dict[str, dict[str, object]]) -> None:
    assert "send out.v1" in spans
    assert "send relayed.v1" not in spans
    assert "CREATE" not in " ".join(spans)


def test_no_message_of_an_exception_and_no_value_is_in_a_span(spans: dict[str, dict[str, object]]) -> None:
    failed = spans["fails"]
    assert failed["status"]["status_code"] == "ERROR"
    assert failed["status"]["description"].startswith("ValueError at ")
    assert failed["attributes"]["error.type"] == "ValueError"
    refused = next(s for s in spans.values() if s["name"] == "INSERT things")
    assert refused["status"] == {"status_code": "ERROR", "description": "IntegrityError"}
    assert "CANARY" not in str(spans)
    assert "LITERAL" not in str(spans)


def test_without_a_provider_statements_run_as_ever() -> None:
    engine = create_engine("sqlite://")
    instrument(engine, "x")
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    engine.dispose()


def test_statements_are_cut_and_their_literals_hidden() -> None:
    assert sanitized("SELECT  'it''s'\n, a FROM b") == "SELECT ?, a FROM b".replace("?,", "? ,")
    assert len(sanitized("SELECT " + "a, " * 5000)) == 4000
