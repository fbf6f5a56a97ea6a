"""Log lines as they leave a process: one JSON object each, the same fields from our code and from libraries."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = textwrap.dedent(
    """
    import logging
    import structlog
    from telemetry import logs
    logs.configure("analyzer")
    log = structlog.get_logger()
    with logs.bound(user_id="a-very-long-user-id", upload_id="upl_1"):
        log.info("event", action="process", status="ack", duration_ms=1.5)
    try:
        int("CANARY")
    except ValueError as error:
        log.error("failed", exc_info=error)
        log.exception("failed again")
        logging.getLogger("library").exception("of a library")
    logging.getLogger("library").info("too small to be told")
    log.info("two\\nlines")
    """
)


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "libs")))}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=environment)
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_line_has_who_when_and_how_bad(lines: list[dict[str, Any]]) -> None:
    first = lines[0]
    assert first["service"] == "analyzer"
    assert (first["level"], first["severity"]) == ("info", "INFO")
    assert first["timestamp"].endswith("Z")
    assert (first["action"], first["status"], first["duration_ms"]) == ("process", "ack", 1.5)


def test_users_are_shortened_and_uploads_are_not(lines: list[dict[str, Any]]) -> None:
    assert lines[0]["user_id"] == "a-very-l…"
    assert lines[0]["upload_id"] == "upl_1"
    assert "upload_id" not in lines[1]


def test_failures_are_told_without_what_they_quote(lines: list[dict[str, Any]]) -> None:
    for line in lines[1:4]:
        assert line["level"] == "error"
        assert line["exception"].startswith("ValueError at <module>")
        assert "CANARY" not in json.dumps(line)


def test_one_event_is_one_line(lines: list[dict[str, Any]]) -> None:
    assert len(lines) == 5
    assert lines[4]["event"] == "two\nlines"
