"""The emulators as processes, the way the supervisor runs them: started on a free port, stopped or killed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
from google.oauth2 import service_account

ROOT = Path(__file__).parents[3]
PROJECT = "local-project"


class EmulatorProcess:
    """One run after another on one data directory; the port stays the same from the first start on."""

    def __init__(self, module: str, data_dir: Path, *arguments: str, broker: str | None = None) -> None:
        self.data_dir = data_dir
        self.port = 0
        self.ready: dict[str, Any] = {}
        self._module = module
        self._arguments = arguments
        self._broker = broker
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "deploy" / "local")}
        environment.pop("PUBSUB_EMULATOR_HOST", None)
        if self._broker:
            environment["PUBSUB_EMULATOR_HOST"] = self._broker
        command = [sys.executable, "-m", self._module, "--data-dir", str(self.data_dir)]
        command += ["--port", str(self.port), *self._arguments]
        self._process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.ready = json.loads(self._process.stdout.readline())
        assert self.ready["ready"] is True
        self.port = self.ready["port"]

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        return self._end(signal.SIGTERM)

    def rss(self) -> int:
        assert self._process is not None
        return psutil.Process(self._process.pid).memory_info().rss

    def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(number)
        code = process.wait(20)
        assert process.stdout is not None
        process.stdout.close()
        return code


class BrokerProcess(EmulatorProcess):
    """The Pub/Sub emulator."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__("localcloud.pubsub", data_dir)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


class StorageProcess(EmulatorProcess):
    """The Cloud Storage emulator."""

    def __init__(self, data_dir: Path, *arguments: str, broker: str | None = None) -> None:
        super().__init__("localcloud.storage", data_dir, *arguments, broker=broker)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def tls_port(self) -> int:
        return self.ready["tls_port"]

    def signing_credentials(self) -> service_account.Credentials:
        path = self.data_dir / "service-account.json"
        return service_account.Credentials.from_service_account_file(str(path))
