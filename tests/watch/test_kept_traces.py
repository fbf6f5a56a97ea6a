"""Without an address to export to, the local system keeps the trace, draws it, and the command line prints it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.artifacts import Service
from tests.pipeline.local_system import LocalSystem, data_of, wait_for


@pytest.fixture(scope="module")
def uploaded(system: LocalSystem, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """An upload id and its trace id, once the trace is whole."""
    path = tmp_path_factory.mktemp("traced") / "traced.txt"
    path.write_text("A plain note about nothing but the making of traces.")
    upload_id = data_of(system.upload(path, on_duplicate="allow"))["upload_id"]
    trace_id = system.until_final(upload_id)["trace_id"]

    def whole() -> bool:
        with system.http() as http:
            (trace,) = http.get(f"/traces/{trace_id}.json").json()["data"]
        names = {span["operationName"] for span in trace["spans"]}
        services = {process["serviceName"] for process in trace["processes"].values()}
        last = {"process upload-gateway.media.indexed.v1", "POST /api/v1/upload", "encode passages"}
        return last <= names and services == {service.value for service in Service}

    wait_for(whole, 30)
    return upload_id, trace_id


def test_the_public_port_draws_the_trace_of_an_upload(system: LocalSystem, uploaded: tuple[str, str]) -> None:
    upload_id, trace_id = uploaded
    with system.http() as http:
        listed, drawn = http.get("/traces"), http.get(f"/traces/{trace_id}")
    assert upload_id in listed.text
    assert f"/traces/{trace_id}" in listed.text
    for service in Service:
        assert service.value in drawn.text
    assert "process analyzer.media.processed.v1" in drawn.text


def test_spans_cannot_be_sent_through_the_public_port(system: LocalSystem) -> None:
    with system.http() as http:
        answer = http.post("/v1/traces", content=b"", headers={"content-type": "application/x-protobuf"})
    assert answer.status_code in (404, 405)


def command(system: LocalSystem, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-P", "-m", "mmsearch.cli", "trace", *arguments, "--data-dir", str(system.data_dir)]
    return subprocess.run(program, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "140"})


def test_the_command_prints_the_tree_and_saves_jaegers_json(
    system: LocalSystem, uploaded: tuple[str, str], tmp_path: Path
) -> None:
    upload_id, trace_id = uploaded
    saved = tmp_path / "trace.json"
    printed = command(system, upload_id, "--jaeger", str(saved))
    assert printed.returncode == 0, printed.stderr
    lines = printed.stdout.splitlines()
    assert lines[1].startswith("upload-gateway POST /api/v1/upload")
    assert any("encode passages" in line and " ms" in line for line in lines)
    assert trace_id in lines[-1]
    (trace,) = json.loads(saved.read_text())["data"]
    assert {process["serviceName"] for process in trace["processes"].values()} == {s.value for s in Service}
    ids = {span["spanID"] for span in trace["spans"]}
    roots = [span for span in trace["spans"] if not any(r["spanID"] in ids for r in span["references"])]
    assert [root["operationName"] for root in roots] == ["POST /api/v1/upload"]
    assert command(system, trace_id).stdout.splitlines()[1] == lines[1]


def test_a_trace_that_is_not_kept_is_said_in_words(system: LocalSystem) -> None:
    refused = command(system, "0" * 32)
    assert refused.returncode == 1
    assert "is not kept here" in refused.stderr
