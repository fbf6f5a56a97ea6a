"""The trace receiver as a process: the SDK's own exporter sends to it, pages and JSON come out, restarts keep them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.pipeline.local_system import wait_until
from tests.ports import free_port

ROOT = Path(__file__).parents[3]


class Receiver:
    """``python -m localcloud.traces`` on a directory."""

    def __init__(self, data_dir: Path) -> None:
        self.port = free_port()
        self._data_dir = data_dir
        self.http = httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False, verify=False)

    def start(self) -> None:
        paths = os.pathsep.join(str(ROOT / path) for path in ("", "libs", "services", "deploy/local"))
        command = [sys.executable, "-P", "-m", "localcloud.traces", "--data-dir", str(self._data_dir)]
        self.process = subprocess.Popen([*command, "--port", str(self.port)], env={**os.environ, "PYTHONPATH": paths})
        wait_until(self._answers)

    def _answers(self) -> bool:
        try:
            return self.http.get("/health/ready").status_code == 200
        except httpx2.TransportError:
            return False

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=20)


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    started = Receiver(tmp_path / "traces")
    started.start()
    yield started
    started.stop()
    started.http.close()


def send_one(receiver: Receiver) -> str:
    provider = TracerProvider(resource=Resource.create({"service.name": "analyzer"}))
    exporter = OTLPSpanExporter(endpoint=f"http://127.0.0.1:{receiver.port}/v1/traces", timeout=5)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("outer") as outer, tracer.start_as_current_span("inner"):
        trace_id = f"{outer.get_span_context().trace_id:032x}"
    provider.shutdown()
    return trace_id


def test_what_the_sdk_sends_is_listed_drawn_and_exported(receiver: Receiver) -> None:
    trace_id = send_one(receiver)
    listed = receiver.http.get("/traces?show=all")
    assert f"/traces/{trace_id}" in listed.text
    drawn = receiver.http.get(f"/traces/{trace_id}")
    assert drawn.status_code == 200
    assert "inner" in drawn.text
    assert "script-src" not in drawn.headers["content-security-policy"]
    assert drawn.headers["content-security-policy"].startswith("default-src 'none'")
    assert receiver.http.get("/traces/page.css").headers["content-type"].startswith("text/css")
    document = receiver.http.get(f"/traces/{trace_id}.json").json()
    assert [span["operationName"] for span in document["data"][0]["spans"]] == ["outer", "inner"]


def test_traces_outlive_the_process(receiver: Receiver) -> None:
    trace_id = send_one(receiver)
    receiver.stop(signal.SIGKILL)
    receiver.start()
    assert "inner" in receiver.http.get(f"/traces/{trace_id}").text


def test_only_spans_in_protobuf_are_taken(receiver: Receiver) -> None:
    http = receiver.http
    protobuf = {"content-type": "application/x-protobuf"}
    assert http.post("/v1/traces", content=b"x", headers={"content-type": "text/plain"}).status_code == 415
    assert http.post("/v1/traces", content=b"junk", headers=protobuf).status_code == 400
    assert http.post("/v1/traces", content=b"\0" * (17 << 20), headers=protobuf).status_code == 413
    assert http.post("/traces").status_code == 405
    assert http.get("/v1/traces").status_code == 405


def test_unknown_traces_and_paths_are_not_found(receiver: Receiver) -> None:
    for path in (f"/traces/{'0' * 32}", f"/traces/{'0' * 32}.json", "/traces/x", "/traces/..%2f..%2fetc", "/other"):
        assert receiver.http.get(path).status_code == 404


def test_a_strangers_name_for_this_machine_is_not_answered(receiver: Receiver) -> None:
    assert receiver.http.get("/traces", headers={"host": "evil.example"}).status_code == 421
    assert receiver.http.get("/traces", headers={"host": f"localhost:{receiver.port}"}).status_code == 200


def test_a_taken_port_is_a_clear_refusal(receiver: Receiver, tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-m", "localcloud.traces", "--data-dir", str(tmp_path / "other")]
    refused = subprocess.run([*command, "--port", str(receiver.port)], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "is taken" in refused.stderr
