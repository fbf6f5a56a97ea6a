"""Server spans: name, attributes, the caller's trace, failures, and what they must never hold."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"

# The global tracer provider can be set once for each process, so what needs one runs in its own.
PROGRAM = textwrap.dedent(
    f"""
    import asyncio, json
    import httpx2
    from fastapi import APIRouter
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
    from contracts.artifacts import Service
    from hosting.app import create_app
    from telemetry.sampling import ReadsRationed

    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=ParentBased(ReadsRationed(ALWAYS_ON, 4)))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    router = APIRouter()

    @router.get("/things/{{thing}}")
    async def thing(thing: str) -> str:
        return thing

    @router.post("/broken")
    async def broken() -> None:
        raise ValueError("CANARY")

    app = create_app(Service.SEARCH, routers=[router])

    async def requests():
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://api.example:8080") as client:
            ids = [(await client.get("/things/7?q=CANARY", headers={{"User-Agent": "me"}})).headers["x-trace-id"]]
            parent = {{"traceparent": "00-{TRACE}-{CALLER}-01"}}
            ids.append((await client.post("/broken", headers=parent)).headers["x-trace-id"])
            await client.request("BREW", "/nowhere")
            await client.get("/health")
            for _ in range(40):
                ids.append((await client.get("/things/8")).headers["x-trace-id"])
            return ids

    ids = asyncio.run(requests())
    spans = [{{
        "name": span.name, "kind": span.kind.name, "trace": format(span.context.trace_id, "032x"),
        "parent": span.parent and format(span.parent.span_id, "016x"), "status": span.status.status_code.name,
        "said": span.status.description, "attributes": dict(span.attributes), "events": len(span.events),
    }} for span in exporter.get_finished_spans()]
    print(json.dumps({{"ids": ids, "spans": spans}}))
    """
)


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    paths = [str(ROOT), str(ROOT / "libs"), str(ROOT / "services")]
    program = f"import sys; sys.path[:0] = {paths}\n{PROGRAM}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_a_request_is_one_span_under_the_conventions(told: dict[str, Any]) -> None:
    span = told["spans"][0]
    assert (span["name"], span["kind"], span["status"]) == ("GET /things/{thing}", "SERVER", "UNSET")
    assert (span["trace"], span["parent"]) == (told["ids"][0], None)
    assert span["attributes"] == {
        "http.request.method": "GET",
        "http.route": "/things/{thing}",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "url.path": "/things/7",
        "url.query": "-",
        "network.protocol.version": "1.1",
        "server.address": "api.example",
        "server.port": 8080,
        "client.address": "127.0.0.1",
        "client.port": 123,
        "user_agent.original": "me",
    }


def test_it_joins_the_callers_trace_and_says_that_it_failed_but_not_what_was_said(told: dict[str, Any]) -> None:
    span = told["spans"][1]
    assert (span["name"], span["status"], span["events"]) == ("POST /broken", "ERROR", 0)
    assert (span["trace"], span["parent"]) == (TRACE, CALLER)
    assert told["ids"][1] == TRACE
    assert span["attributes"]["http.response.status_code"] == 500
    assert span["attributes"]["error.type"] == "ValueError"
    assert span["said"].startswith("ValueError at broken")
    assert "CANARY" not in json.dumps(told["spans"])


def test_neither_a_strange_method_nor_an_unknown_path_becomes_a_name(told: dict[str, Any]) -> None:
    span = told["spans"][2]
    assert span["name"] == "HTTP"
    assert span["attributes"]["http.request.method"] == "_OTHER"
    assert "http.route" not in span["attributes"]


def test_what_is_not_recorded_has_its_trace_id_all_the_same(told: dict[str, Any]) -> None:
    assert len(told["spans"]) < 20, "health is not traced, reads are rationed"
    assert len(set(told["ids"])) == len(told["ids"])
    assert all(len(trace_id) == 32 for trace_id in told["ids"])
