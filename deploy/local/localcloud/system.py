"""The whole system on one machine, declared: every process, what it is told, what it waits for.

Read it from top to bottom: embedded cloud, one-shot jobs, five services, the public port.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contracts.artifacts import Service
from localcloud import postgres
from localcloud.data_dir import DataDir
from localcloud.job_marks import Mark, fingerprint
from localcloud.ports import LOOPBACK
from localcloud.process import HttpReady, Kind, Process, TcpReady
from localcloud.settings import inherited, runtime_dir, traces_elsewhere

PROJECT = "mmsearch-local"
UPLOADS_BUCKET = "mmsearch-local-uploads"
ARTIFACTS_BUCKET = "mmsearch-local-artifacts"
LOCAL_USER = "local-user"

PORT_NAMES = (
    "postgres",
    "pubsub",
    "pubsub-jwks",
    "storage",
    "storage-tls",
    "traces",
    *(service.value for service in Service),
)

_DATABASE_SERVICES = (Service.UPLOAD_GATEWAY, Service.SEARCH)
_PUBLIC_SERVICES = (Service.UPLOAD_GATEWAY, Service.SEARCH)


@dataclass(frozen=True)
class System:
    """One system: where it keeps its data, its one public port, the ports behind it, and how often events are retried.

    ``retry_min_s`` and ``retry_max_s`` shorten the topology's backoff for tests; None keeps it.
    """

    data: DataDir
    public_port: int
    ports: Mapping[str, int]
    retry_min_s: float | None = None
    retry_max_s: float | None = None

    def processes(self) -> tuple[Process, ...]:
        """Everything that runs, in the order a reader wants it."""
        return (
            self._postgres(),
            self._pubsub(),
            self._storage(),
            *(() if traces_elsewhere() else (self._traces(),)),
            self._provision(),
            *(self._migration(service) for service in _DATABASE_SERVICES),
            self._bootstrap(),
            *(self._service(service) for service in Service),
            self._router(),
        )

    def client_variables(self) -> dict[str, str]:
        """What any tool needs to use the running system; the content of the env file."""
        return {
            "MMSEARCH_URL": self.public_url,
            "MMSEARCH_API_KEY": self._api_key(),
            "MMSEARCH_USER_ID": LOCAL_USER,
            "MMSEARCH_DATA_DIR": str(self.data.path),
            **self._cloud(),
            "GOOGLE_APPLICATION_CREDENTIALS": str(self._service_account()),
            "DATABASE_URL": self._admin_url(),
        }

    @property
    def public_url(self) -> str:
        """The address for people and programs."""
        return f"http://{LOOPBACK}:{self.public_port}"

    # The embedded cloud

    def _postgres(self) -> Process:
        directory = self.data.of("postgres")
        sockets = postgres.socket_dir(directory, runtime_dir())
        port = self.ports["postgres"]
        return Process(
            name="postgres",
            argv=_module("localcloud.postgres", "--data-dir", directory, "--port", port, "--socket-dir", sockets),
            env=self._env(),
            port=port,
            ready_timeout_s=900,  # recovery after a crash is slow when much was written
            stop_timeout_s=60,
        )

    def _pubsub(self) -> Process:
        port, jwks = self.ports["pubsub"], self.ports["pubsub-jwks"]
        return Process(
            name="pubsub",
            argv=_module(
                "localcloud.pubsub", "--data-dir", self.data.of("pubsub"), "--port", port, "--jwks-port", jwks
            ),
            env=self._env(),
            port=port,
        )

    def _storage(self) -> Process:
        port, tls = self.ports["storage"], self.ports["storage-tls"]
        directory = self.data.of("storage")
        return Process(
            name="storage",
            argv=_module(
                "localcloud.storage", "--data-dir", directory, "--port", port, "--tls-port", tls,
                "--public-url", self._storage_url(),
            ),
            env=self._env({"PUBSUB_EMULATOR_HOST": self._pubsub_host()}),
            port=port,
        )  # fmt: skip

    def _traces(self) -> Process:
        port = self.ports["traces"]
        return Process(
            name="traces",
            argv=_module("localcloud.traces", "--data-dir", self.data.of("traces"), "--port", port),
            env=self._env(),
            ready=HttpReady(port),
            port=port,
        )

    # Jobs: before the services. Provisioning runs at every start and changes what differs; the database's jobs run
    # when their code, their settings or the database are new

    def _provision(self) -> Process:
        retry = (("--retry-min", self.retry_min_s), ("--retry-max", self.retry_max_s))
        overrides = [part for name, value in retry if value is not None for part in (name, value)]
        return Process(
            name="provision",
            argv=_module(
                "localcloud.provision", "--project", PROJECT,
                "--uploads-bucket", UPLOADS_BUCKET, "--artifacts-bucket", ARTIFACTS_BUCKET,
                "--web-origin", self.public_url, "--web-origin", f"http://localhost:{self.public_port}",
                *overrides,
            ),
            env=self._env(self._cloud()),
            kind=Kind.JOB,
            needs=("pubsub", "storage"),
        )  # fmt: skip

    def _migration(self, service: Service) -> Process:
        name, schema = f"migrate-{service.value}", _package(service)
        password = self._role_password(service)
        return Process(
            name=name,
            argv=_module("database.migrate", schema),
            env=self._env({"DATABASE_URL": _for_sqlalchemy(self._admin_url()), "ROLE_PASSWORD": password}),
            kind=Kind.JOB,
            needs=("postgres",),
            mark=self._database_mark(name, schema, password),
            ready_timeout_s=900,  # it builds indexes, and waits by itself for who holds a table
        )

    def _bootstrap(self) -> Process:
        variables = self._service_variables(Service.UPLOAD_GATEWAY) | {"LOCAL_API_KEY": self._api_key()}
        return Process(
            name="bootstrap",
            argv=_module("upload_gateway.bootstrap"),
            env=self._env(variables),
            kind=Kind.JOB,
            needs=(f"migrate-{Service.UPLOAD_GATEWAY.value}",),
            mark=self._database_mark("bootstrap", "upload_gateway", self._api_key(), LOCAL_USER),
        )

    def _database_mark(self, job: str, package: str, *settings: str) -> Mark:
        packages = ("contracts", "database", "eventing", "identity", package)
        path = self.data.of("postgres") / "pgdata" / f"mmsearch-{job}.done"
        return Mark(path, fingerprint(packages, job, *settings))

    # The five services

    def _service(self, service: Service) -> Process:
        needs = ["provision"] if traces_elsewhere() else ["provision", "traces"]
        if service in _DATABASE_SERVICES:
            needs.append(f"migrate-{service.value}")
        port = self.ports[service.value]
        return Process(
            name=service.value,
            argv=_module(f"{_package(service)}.main"),
            env=self._env(self._service_variables(service)),
            ready=HttpReady(port),
            needs=tuple(needs),
            port=port,
        )

    def _service_variables(self, service: Service) -> dict[str, str]:
        variables = {
            "HOST": LOOPBACK,
            "PORT": str(self.ports[service.value]),
            **self._cloud(),
        }
        if service in _DATABASE_SERVICES:
            password = self._role_password(service)
            own = postgres.url(_package(service), password, self.ports["postgres"])
            variables["DATABASE_URL"] = _for_sqlalchemy(own)
        # What paid providers were used for today must outlive a restart; each process counts for itself.
        spent = self.data.path / f"{service.value}-spent.json"
        variables |= {"GEMINI_SPEND_FILE": str(spent), "OPENAI_SPEND_FILE": str(spent)}
        if not traces_elsewhere():
            variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://{LOOPBACK}:{self.ports['traces']}"
        if service in _PUBLIC_SERVICES:
            variables |= {
                "LOCAL_ISSUER_SECRET": self.data.secret("local-issuer"),
                "TRUSTED_PROXIES": f"{LOOPBACK}/32",
            }
        if service is Service.UPLOAD_GATEWAY:
            # It alone signs links, and whoever has the key can open every file.
            variables |= {"LOCAL_USER_ID": LOCAL_USER, "SIGNING_KEY_FILE": str(self._service_account())}
        return variables

    # The one public port

    def _router(self) -> Process:
        gateway, search = self.ports[Service.UPLOAD_GATEWAY.value], self.ports[Service.SEARCH.value]
        traces = () if traces_elsewhere() else ("--traces-port", self.ports["traces"])
        return Process(
            name="router",
            argv=_module(
                "localcloud.router", "--port", self.public_port, "--gateway-port", gateway, "--search-port", search,
                *traces,
            ),
            env=self._env(),
            ready=TcpReady(self.public_port),
            port=self.public_port,
        )  # fmt: skip

    # What they are told

    def _cloud(self) -> dict[str, str]:
        return {
            "PUBSUB_EMULATOR_HOST": self._pubsub_host(),
            "STORAGE_EMULATOR_HOST": self._storage_url(),
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "UPLOADS_BUCKET": UPLOADS_BUCKET,
            "ARTIFACTS_BUCKET": ARTIFACTS_BUCKET,
        }

    def _env(self, variables: Mapping[str, str] | None = None) -> dict[str, str]:
        # Models are big and the same for every system: a cache the caller chose is shared. Nobody is kept from filling
        # their own machine, unless the caller says how much a day, or how often they may ask.
        defaults = {
            "MODEL_CACHE_DIR": str(self.data.path / "models"),
            "DAILY_UPLOADS_PRO": "1000000",
            "RATE_LIMITS": _RATE_LIMITS,
        }
        return {**defaults, **inherited(without=_SET_HERE), **(variables or {}), "PYTHONUNBUFFERED": "1"}

    def _pubsub_host(self) -> str:
        return f"{LOOPBACK}:{self.ports['pubsub']}"

    def _storage_url(self) -> str:
        return f"http://{LOOPBACK}:{self.ports['storage']}"

    def _service_account(self) -> Path:
        # Made by the storage emulator, which knows its public half: whoever signs with it is believed.
        return self.data.of("storage") / "service-account.json"

    def _admin_url(self) -> str:
        return postgres.admin_url(self.data.of("postgres"), self.ports["postgres"])

    def _role_password(self, service: Service) -> str:
        return self.data.secret(f"database-{service.value}")

    def _api_key(self) -> str:
        return self.data.secret("api-key", prefix="sk_")


# One person's machine: only a program that has run wild meets these.
_RATE_LIMITS = json.dumps(
    {"free": {"per_minute": 6_000, "burst": 500}, "pro": {"per_minute": 1_000_000, "burst": 50_000}}
)

_SET_HERE = frozenset(
    {
        "ARTIFACTS_BUCKET",
        "DATABASE_URL",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GOOGLE_CLOUD_PROJECT",
        "HOST",
        "LOCAL_API_KEY",
        "LOCAL_ISSUER_SECRET",
        "LOCAL_USER_ID",
        "PORT",
        "PUBSUB_EMULATOR_HOST",
        "PUSH_AUDIENCE",
        "PUSH_SERVICE_ACCOUNT",
        "ROLE_PASSWORD",
        "SIGNING_KEY_FILE",
        "STORAGE_EMULATOR_HOST",
        "UPLOADS_BUCKET",
    }
)


def _module(name: str, *arguments: str | int | float | Path) -> tuple[str, ...]:
    # -P keeps the caller's working directory off the path: a folder called "search" there is not our service.
    return (sys.executable, "-P", "-m", name, *map(str, arguments))


def _package(service: Service) -> str:
    return service.value.replace("-", "_")


def _for_sqlalchemy(url: str) -> str:
    return url.replace("postgresql://", "postgresql+asyncpg://", 1)
