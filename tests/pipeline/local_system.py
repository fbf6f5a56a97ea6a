"""The whole system as a user starts it, in processes of its own on free ports, with a client for each way in."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import psutil
from google.cloud import storage

from tests.ports import free_port

ValueT = TypeVar("ValueT")
PATIENCE_S = 120.0


class LocalSystem:
    """``mmsearch up`` on a data directory. Retries are quick, so that a test need not wait ten seconds for one."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.variables: dict[str, str] = {}
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._log = data_dir.with_name(data_dir.name + ".log")

    def start(self) -> None:
        command = [sys.executable, "-P", "-m", "localcloud", "up", "--data-dir", str(self.data_dir)]
        command += ["--port", str(self.port), "--retry-min", "0.2", "--retry-max", "2"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True, env={**os.environ, **self._environment}
            )
        env_file = self.data_dir / "env"
        wait_until(lambda: self._process is None or self._process.poll() is not None or env_file.exists())
        assert env_file.exists(), self._log.read_text()[-5000:]
        lines = [shlex.split(line)[1] for line in env_file.read_text().splitlines() if line.startswith("export ")]
        self.variables = dict(line.split("=", 1) for line in lines)

    def stop(self) -> int:
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.send_signal(signal.SIGTERM)
        return process.wait(timeout=60)

    def kill(self, name: str) -> None:
        """kill -9 of one process by its name; the supervisor starts it again."""
        psutil.Process(self.pid(name)).kill()

    def pid(self, name: str) -> int:
        state = self.state()
        return next(process["pid"] for process in state["processes"] if process["name"] == name)

    def state(self) -> dict[str, Any]:
        command = [sys.executable, "-P", "-m", "localcloud", "status", "--data-dir", str(self.data_dir), "--json"]
        return json.loads(subprocess.run(command, capture_output=True, check=False).stdout)

    @property
    def url(self) -> str:
        return self.variables["MMSEARCH_URL"]

    def http(self, **options: Any) -> httpx2.Client:
        headers = {"X-API-Key": self.variables["MMSEARCH_API_KEY"]}
        # Loopback speaks plain HTTP; without certificates to load a client costs a tenth.
        return httpx2.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False, verify=False, **options)

    def bucket(self, name: str = "UPLOADS_BUCKET") -> storage.Bucket:
        """A bucket through the official client; keep ``STORAGE_EMULATOR_HOST`` set while it is used."""
        os.environ["STORAGE_EMULATOR_HOST"] = self.variables["STORAGE_EMULATOR_HOST"]
        return storage.Client(project=self.variables["GOOGLE_CLOUD_PROJECT"]).bucket(self.variables[name])

    def drop(self, name: str, content: bytes | Path, content_type: str = "application/octet-stream") -> None:
        """Writes an object into the uploads bucket as any client may."""
        blob = self.bucket().blob(name)
        if isinstance(content, Path):
            blob.upload_from_filename(str(content), content_type=content_type)
        else:
            blob.upload_from_string(content, content_type=content_type)

    def upload(self, path: Path, name: str | None = None, **query: str) -> httpx2.Response:
        with self.http() as http, path.open("rb") as file:
            return http.post("/api/v1/upload", files={"file": (name or path.name, file)}, params=query)

    def status(self, upload_id: str) -> dict[str, Any]:
        with self.http() as http:
            return data_of(http.get(f"/api/v1/upload/status/{upload_id}"))

    def uploads(self) -> list[dict[str, Any]]:
        with self.http() as http:
            return data_of(http.get("/api/v1/uploads", params={"limit": 100}))

    def search(self, query: str, **request: Any) -> list[dict[str, Any]]:
        with self.http() as http:
            return data_of(http.post("/api/v1/search", json={"query": query, **request}))["results"]

    def until_final(self, upload_id: str) -> dict[str, Any]:
        """Waits until an upload is completed or failed; answers its status."""
        return wait_for(lambda: (s := self.status(upload_id))["status"] in ("completed", "failed") and s)

    def until_found(self, query: str, filename: str) -> dict[str, Any]:
        """Waits until a search finds a file of that name; answers its result."""
        return wait_for(lambda: next((r for r in self.search(query) if r["filename"] == filename), None))


def data_of(response: httpx2.Response) -> Any:
    assert response.is_success, response.text
    return response.json()["data"]


def wait_for(probe: Callable[[], ValueT | bool | None], patience_s: float = PATIENCE_S) -> ValueT:
    """Polls until the probe answers something true."""
    deadline = time.monotonic() + patience_s
    while not (value := probe()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)
    return value  # type: ignore[return-value]


def wait_until(condition: Callable[[], bool]) -> None:
    wait_for(condition)
