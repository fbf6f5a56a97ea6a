"""The whole system in Docker Compose, behind the face that the pipeline's tests know."""

import os
import subprocess
from pathlib import Path

from deploy.docker import make_env
from tests.conformance.containers.official import COMPOSE
from tests.pipeline.local_system import LocalSystem
from tests.ports import free_port


class ComposeSystem(LocalSystem):
    """Builds the five images, starts everything, waits until it is healthy; stopping leaves nothing behind."""

    def start(self) -> None:
        self.data_dir.mkdir(parents=True)
        env = self.data_dir / "compose.env"
        env.write_text(make_env.content())
        self.port = free_port()
        self._compose("up", "--build", "--wait", "--wait-timeout", "600")
        secrets = dict(line.split("=", 1) for line in env.read_text().splitlines())
        self.variables = {
            "MMSEARCH_URL": f"http://localhost:{self.port}",
            "MMSEARCH_API_KEY": secrets["LOCAL_API_KEY"],
            "MMSEARCH_USER_ID": "local-user",
            "STORAGE_EMULATOR_HOST": "http://storage.localhost:4443",
            "GOOGLE_CLOUD_PROJECT": "mmsearch-local",
            "UPLOADS_BUCKET": "mmsearch-local-uploads",
            "ARTIFACTS_BUCKET": "mmsearch-local-artifacts",
        }

    def stop(self) -> int:
        self._compose("down", "--volumes", "--timeout", "15")
        return 0

    def _compose(self, *words: str) -> None:
        files = ["--env-file", str(self.data_dir / "compose.env"), "-f", str(COMPOSE)]
        command = ["docker", "compose", "--project-name", "mmsearch-test", *files, *words]
        subprocess.run(command, env={**os.environ, "PORT": str(self.port)}, check=True, cwd=Path("/"))
