"""The life of a system as its user sees it: env file, status, a second start, stopping, and a killed supervisor."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from localcloud.data_dir import DataDir
from localcloud.state import ProcessReport, SystemReport, read_report
from localcloud.system import PORT_NAMES
from tests.integration.localcloud.programs import PATIENCE_S, command, wait_for, wait_gone
from tests.ports import free_port

ROOT = Path(__file__).parents[3]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "my dätä"


@pytest.fixture
def port() -> int:
    return free_port()


def arguments(data_dir: Path, port: int, mode: str = "") -> list[str]:
    return [sys.executable, "-m", "tests.integration.localcloud.tiny_system", str(data_dir), str(port), mode]


@contextmanager
def up(data_dir: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """A ready system."""
    started = subprocess.Popen(
        arguments(data_dir, port), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with started:
        try:
            wait_for(data_dir / "env")
            yield started
        finally:
            started.terminate()
            started.wait(PATIENCE_S)


def refused(data_dir: Path, port: int, mode: str = "") -> tuple[int, str]:
    result = subprocess.run(
        arguments(data_dir, port, mode), cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    return result.returncode, result.stderr + result.stdout


def localcloud(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("localcloud", *words), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def report(data_dir: Path) -> SystemReport:
    found = read_report(DataDir(data_dir))
    assert found is not None
    return found


def web(data_dir: Path) -> ProcessReport:
    return report(data_dir).processes[1]


def test_the_env_file_says_how_to_reach_the_system_while_it_runs(data_dir: Path, port: int) -> None:
    with up(data_dir, port):
        env = data_dir / "env"
        assert env.stat().st_mode & 0o777 == 0o600
        lines = env.read_text().splitlines()
        assert all(line.startswith("export ") for line in lines)
        told = dict(word.split("=", 1) for word in shlex.split(env.read_text()) if "=" in word)
        sourced = subprocess.run(
            ["sh", "-c", f". {shlex.quote(str(env))}; echo $MMSEARCH_URL"], capture_output=True, text=True, check=True
        )
    assert not env.exists()
    assert set(told) >= {
        "MMSEARCH_URL", "MMSEARCH_API_KEY", "MMSEARCH_USER_ID", "PUBSUB_EMULATOR_HOST", "STORAGE_EMULATOR_HOST",
        "GOOGLE_CLOUD_PROJECT", "UPLOADS_BUCKET", "ARTIFACTS_BUCKET", "DATABASE_URL", "GOOGLE_APPLICATION_CREDENTIALS",
    }  # fmt: skip
    assert told["MMSEARCH_URL"] == sourced.stdout.strip() == f"http://127.0.0.1:{port}"
    assert len(told["MMSEARCH_API_KEY"]) == len("sk_") + 43
    assert told["GOOGLE_CLOUD_PROJECT"] == "mmsearch-local"
    assert str(data_dir) in told["GOOGLE_APPLICATION_CREDENTIALS"]


def test_keys_and_ports_stay_the_same(data_dir: Path, port: int) -> None:
    with up(data_dir, port):
        first = (data_dir / "env").read_text()
    with up(data_dir, port):
        assert (data_dir / "env").read_text() == first
    chosen = json.loads((data_dir / "ports.json").read_text())
    assert set(chosen) == set(PORT_NAMES)
    assert len(set(chosen.values()) - {port}) == len(PORT_NAMES)


def test_status_and_down(data_dir: Path, port: int) -> None:
    with up(data_dir, port) as system:
        answer = localcloud("status", "--data-dir", data_dir, "--json")
        told = json.loads(answer.stdout)
        assert answer.returncode == 0
        assert (told["pid"], told["url"], told["healthy"]) == (system.pid, f"http://127.0.0.1:{port}", True)
        job, server = told["processes"]
        assert (job["name"], job["stage"], job["pid"]) == ("setup", "done", None)
        assert (server["name"], server["stage"], server["port"], server["restarts"]) == ("web", "ready", port, 0)
        assert server["memory_mb"] > 1
        assert str(server["pid"]) in localcloud("status", "--data-dir", data_dir).stdout

        assert localcloud("down", "--data-dir", data_dir).stdout == "Stopped.\n"
        assert system.wait(PATIENCE_S) == 0
        wait_gone(server["pid"])


def test_what_hangs_is_named_and_the_system_is_not_well(data_dir: Path, port: int) -> None:
    with up(data_dir, port):
        server = web(data_dir)
        assert server.pid
        os.kill(server.pid, signal.SIGSTOP)
        try:
            answer = localcloud("status", "--data-dir", data_dir, "--json")
        finally:
            os.kill(server.pid, signal.SIGCONT)
        told = json.loads(answer.stdout)
        assert (answer.returncode, told["healthy"], told["notices"]) == (1, False, ["web: does not answer"])
        assert localcloud("status", "--data-dir", data_dir).returncode == 0


def test_status_and_down_of_nothing(data_dir: Path) -> None:
    assert localcloud("down", "--data-dir", data_dir).stdout.startswith("Nothing is running")
    answer = localcloud("status", "--data-dir", data_dir, "--json")
    assert (answer.returncode, answer.stdout) == (3, "null\n")


def test_a_restart_shows_in_the_status(data_dir: Path, port: int) -> None:
    with up(data_dir, port):
        first = web(data_dir).pid
        assert first
        os.kill(first, signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE_S
        while (now := web(data_dir)).stage != "ready" or now.pid == first:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert now.restarts == 1


def test_a_full_disk_does_not_end_the_system(data_dir: Path, port: int) -> None:
    with up(data_dir, port) as system:
        full = data_dir / "state.new"
        full.symlink_to("/dev/full")
        first = web(data_dir).pid
        assert first
        os.kill(first, signal.SIGKILL)
        supervisor = psutil.Process(system.pid)
        deadline = time.monotonic() + PATIENCE_S
        while not (now := {child.pid for child in supervisor.children()} - {first}):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert web(data_dir).pid == first, "as it was when there was room for it"
        full.unlink()
        while (told := web(data_dir)).stage != "ready" or told.pid not in now:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert told.restarts == 1
        assert (data_dir / "env").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stops_cleanly_on_every_way_of_asking(data_dir: Path, port: int, number: signal.Signals) -> None:
    with up(data_dir, port) as system:
        pid = web(data_dir).pid
        assert pid
        system.send_signal(number)
        out, err = system.communicate(timeout=PATIENCE_S)
        assert system.returncode == 0
    assert "mmsearch is ready after" in out
    assert f"source {shlex.quote(str(data_dir / 'env'))}\n" in out, "so that it can be pasted"
    assert f"--data-dir {shlex.quote(str(data_dir))}\n" in out
    assert f"http://127.0.0.1:{port}" in out
    assert "Traceback" not in err
    wait_gone(pid)
    assert sorted(path.name for path in data_dir.iterdir()) == [
        "lock", "logs", "ports.json", "postgres", "secrets", "storage",
    ]  # fmt: skip


def test_a_second_start_is_refused_and_says_how_to_stop_the_first(data_dir: Path, port: int) -> None:
    with up(data_dir, port) as system:
        code, said = refused(data_dir, free_port())
        assert code == 2
        assert f"is in use by a running system (pid {system.pid})" in said
        assert f"mmsearch down --data-dir {shlex.quote(str(data_dir))}\n" in said
        assert (data_dir / "env").exists()


def test_a_taken_port_is_named_with_its_holder(data_dir: Path, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        code, said = refused(data_dir, port)
    assert code == 2
    assert f"Port {port} is taken by" in said
    assert f"(pid {os.getpid()})" in said


def test_two_systems_live_side_by_side(tmp_path: Path, port: int) -> None:
    with up(tmp_path / "a", port), up(tmp_path / "b", free_port({port})):
        assert report(tmp_path / "a").ready
        assert report(tmp_path / "b").ready


def test_a_failed_start_says_why_and_leaves_nothing(data_dir: Path, port: int) -> None:
    code, said = refused(data_dir, port, "fails")
    assert code == 1
    assert "Could not start: setup exited with code 2" in said
    assert "the reason why" in said
    assert not (data_dir / "env").exists()
    assert read_report(DataDir(data_dir)) is None


def test_after_a_killed_supervisor_it_starts_again_at_once(data_dir: Path, port: int) -> None:
    with up(data_dir, port) as system:
        pid = web(data_dir).pid
        assert pid
        system.kill()
        system.wait()
        assert read_report(DataDir(data_dir)) is None
        (data_dir / "env").write_text("")
        with up(data_dir, port):
            assert report(data_dir).ready
        wait_gone(pid)
