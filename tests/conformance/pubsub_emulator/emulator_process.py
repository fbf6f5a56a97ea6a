"""The emulator as its own process on free ports, started, stopped and killed as the supervisor would."""

import json
import resource
import signal
import subprocess
import sys
from pathlib import Path


class EmulatorProcess:
    """``python -m localcloud.pubsub`` with one data directory; restarts keep the ports."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.port = 0
        self.jwks_port = 0
        self._process: subprocess.Popen[str] | None = None
        self._log = data_dir.with_name(data_dir.name + ".log")

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def jwks_url(self) -> str:
        return f"http://127.0.0.1:{self.jwks_port}/jwks.json"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self, largest_file: int | None = None) -> None:
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                command(self.data_dir, self.port, self.jwks_port), stdout=subprocess.PIPE, stderr=log, text=True
            )
        if largest_file is not None:
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (largest_file, largest_file))
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._log.read_text()
        ready = json.loads(line)
        assert ready["ready"] is True
        self.port, self.jwks_port = ready["port"], ready["jwks_port"]

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def wait(self) -> int:
        """The exit code of a process that ends by itself."""
        return self._end(None)

    def stop(self) -> int:
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals | None) -> int:
        if self._process is None:
            return 0
        process, self._process = self._process, None
        if number is not None:
            process.send_signal(number)
        code = process.wait(timeout=20)
        if process.stdout is not None:
            process.stdout.close()
        return code


def command(data_dir: Path, port: int, jwks_port: int) -> list[str]:
    """The documented command line."""
    return [
        sys.executable, "-m", "localcloud.pubsub",
        "--data-dir", str(data_dir), "--port", str(port), "--jwks-port", str(jwks_port),
    ]  # fmt: skip
