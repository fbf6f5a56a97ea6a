"""Google's Pub/Sub emulator and fake-gcs-server in containers, and the other suites' tests to run against them."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from google.oauth2 import service_account

from deploy.docker.make_signing_key import account
from tests.ports import free_port

_PUBSUB_PORT = 8085
COMPOSE = Path(__file__).parents[3] / "deploy" / "compose.yaml"


@dataclass(frozen=True)
class StorageServer:
    """What the suites ask of an emulator's process: where it is, and whose signature it believes (anybody's, here)."""

    url: str
    data_dir: Path

    @classmethod
    def at(cls, url: str, directory: Path) -> "StorageServer":
        directory.mkdir(exist_ok=True)
        (directory / "service-account.json").write_text(json.dumps(account()))
        return cls(url, directory)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def signing_credentials(self) -> service_account.Credentials:
        return service_account.Credentials.from_service_account_file(str(self.data_dir / "service-account.json"))


@cache
def docker_is_there() -> bool:
    docker = shutil.which("docker")
    return bool(docker) and subprocess.run([docker, "info"], capture_output=True, check=False).returncode == 0


def image_of(service: str) -> str:
    """The image that compose.yaml runs: the suites try what is deployed."""
    return yaml.safe_load(COMPOSE.read_text())["services"][service]["image"]


@contextmanager
def official_pubsub() -> Iterator[str]:
    """host:port of Google's emulator. testcontainers' own class for it needs a client of Datastore to be imported."""
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - only with Docker
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy  # noqa: PLC0415 - only with Docker

    container = DockerContainer(image_of("pubsub")).with_exposed_ports(_PUBSUB_PORT)
    container.with_command(
        f"gcloud beta emulators pubsub start --project=conformance --host-port=0.0.0.0:{_PUBSUB_PORT}"
    )
    container.waiting_for(LogMessageWaitStrategy("Server started"))
    with container:
        yield f"{container.get_container_host_ip()}:{container.get_exposed_port(_PUBSUB_PORT)}"


@contextmanager
def official_storage(broker: str | None = None) -> Iterator[str]:
    """The address of fake-gcs-server; its answers name the port of this machine, which is why we choose it."""
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - only with Docker
    from testcontainers.core.wait_strategies import HttpWaitStrategy  # noqa: PLC0415 - only with Docker

    port = free_port()
    address = f"127.0.0.1:{port}"
    container = DockerContainer(image_of("storage")).with_bind_ports(4443, port)
    container.with_command(
        f"-scheme=http -port=4443 -backend=memory -public-host={address} -external-url=http://{address}"
    )
    if broker:
        container.with_env("PUBSUB_EMULATOR_HOST", broker)
    container.waiting_for(HttpWaitStrategy(4443, "/_internal/healthcheck").for_status_code(200))
    with container:
        yield f"http://{address}"


def suite_of(*modules: ModuleType) -> dict[str, Any]:
    """The tests of other suites' modules; whoever takes them over brings the fixtures."""
    return {name: value for module in modules for name, value in vars(module).items() if name.startswith("test_")}
