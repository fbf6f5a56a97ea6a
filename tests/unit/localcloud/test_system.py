"""The declaration of the system: who is told what, who waits for whom, and what must not leak."""

import json
from pathlib import Path

import pytest

from contracts.artifacts import Service
from database.migrate import Patience
from localcloud.data_dir import DataDir
from localcloud.process import HttpReady, Kind, Process
from localcloud.system import PORT_NAMES, System

PORTS = {name: 21_000 + number for number, name in enumerate(PORT_NAMES)}
PRIVATE = ("DATABASE_URL", "ROLE_PASSWORD", "LOCAL_API_KEY", "LOCAL_ISSUER_SECRET")


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(DataDir(tmp_path / "d ü"), 8080, PORTS)


def by_name(system: System) -> dict[str, Process]:
    return {process.name: process for process in system.processes()}


def test_every_need_is_declared_and_services_wait_for_the_jobs(system: System) -> None:
    processes = by_name(system)
    assert {need for p in processes.values() for need in p.needs} <= set(processes)
    for service in Service:
        assert "provision" in processes[service.value].needs
    assert "migrate-upload-gateway" in processes["upload-gateway"].needs
    assert "migrate-upload-gateway" in processes["bootstrap"].needs
    assert "migrate-search" in processes["search"].needs
    jobs = {name for name, p in processes.items() if p.kind is Kind.JOB}
    assert jobs == {"provision", "migrate-upload-gateway", "migrate-search", "bootstrap"}


def test_every_service_is_told_where_it_is_and_what_it_uses(system: System) -> None:
    for service in Service:
        process = by_name(system)[service.value]
        assert process.ready == HttpReady(PORTS[service.value], "/health/ready")
        assert process.env["PORT"] == str(PORTS[service.value])
        assert process.env["HOST"] == "127.0.0.1"
        assert process.env["PUBSUB_EMULATOR_HOST"] == f"127.0.0.1:{PORTS['pubsub']}"
        assert process.env["STORAGE_EMULATOR_HOST"] == f"http://127.0.0.1:{PORTS['storage']}"
        assert process.env["GOOGLE_CLOUD_PROJECT"] == "mmsearch-local"
        assert process.env["UPLOADS_BUCKET"] != process.env["ARTIFACTS_BUCKET"]


def test_each_database_service_logs_in_as_itself_and_nobody_else_does(system: System) -> None:
    processes = by_name(system)
    gateway, search = processes["upload-gateway"].env["DATABASE_URL"], processes["search"].env["DATABASE_URL"]
    assert gateway.startswith("postgresql+asyncpg://upload_gateway:")
    assert search.startswith("postgresql+asyncpg://search:")
    assert processes["migrate-search"].env["ROLE_PASSWORD"] in search
    assert processes["migrate-search"].env["DATABASE_URL"].startswith("postgresql+asyncpg://postgres:")
    for name in ("media-processor", "analyzer", "embedder", "pubsub", "storage", "router"):
        assert not set(PRIVATE) & set(processes[name].env), name


def test_only_the_gateway_is_handed_the_key_that_opens_every_file(system: System) -> None:
    key = system.client_variables()["GOOGLE_APPLICATION_CREDENTIALS"]
    holders = {process.name for process in system.processes() if key in process.env.values()}
    assert holders == {"upload-gateway", "bootstrap"}, "bootstrap is told what the gateway is"


def test_settings_of_the_caller_for_the_cloud_do_not_leak_and_keys_pass(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABASE_URL", "GOOGLE_APPLICATION_CREDENTIALS", "PUSH_AUDIENCE", "PUBSUB_EMULATOR_HOST"):
        monkeypatch.setenv(name, "of production")
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OPENAI_API_KEY", "MODEL_CACHE_DIR"):
        monkeypatch.setenv(name, f"the caller's {name}")
    for process in system.processes():
        assert "of production" not in process.env.values(), process.name
        assert process.env["OPENAI_API_KEY"] == "the caller's OPENAI_API_KEY"
        assert process.env["MODEL_CACHE_DIR"] == "the caller's MODEL_CACHE_DIR"
        assert process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] == "the caller's OTEL_EXPORTER_OTLP_ENDPOINT"


def test_limits_are_wide_unless_the_caller_says_otherwise(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RATE_LIMITS", "DAILY_UPLOADS_PRO"):
        monkeypatch.delenv(name, raising=False)
    own = by_name(system)["search"].env
    assert json.loads(own["RATE_LIMITS"])["pro"]["per_minute"] == int(own["DAILY_UPLOADS_PRO"]) == 1_000_000
    monkeypatch.setenv("RATE_LIMITS", '{"pro": {"per_minute": 7, "burst": 3}}')
    for name in ("upload-gateway", "search"):
        assert by_name(system)[name].env["RATE_LIMITS"] == '{"pro": {"per_minute": 7, "burst": 3}}'


def test_a_migration_may_wait_for_who_holds_a_table_as_long_as_it_means_to(system: System) -> None:
    pauses, pause = list[float](), Patience.first_pause_s
    for _ in range(Patience.tries):
        pauses.append(pause)
        pause = min(2 * pause, Patience.longest_pause_s)
    waits = sum(pauses) + Patience.tries * Patience.lock_timeout_ms / 1000
    for name in ("migrate-upload-gateway", "migrate-search"):
        assert by_name(system)[name].ready_timeout_s > waits


def test_a_busy_machine_is_given_minutes(system: System) -> None:
    assert min(process.ready_timeout_s for process in system.processes()) >= 180


def test_the_local_key_is_the_one_clients_are_told(system: System) -> None:
    told = system.client_variables()
    assert by_name(system)["bootstrap"].env["LOCAL_API_KEY"] == told["MMSEARCH_API_KEY"]
    assert by_name(system)["bootstrap"].env["LOCAL_USER_ID"] == told["MMSEARCH_USER_ID"] == "local-user"
    assert told["DATABASE_URL"].startswith("postgresql://postgres:")


def test_no_secret_stands_on_a_command_line(system: System) -> None:
    words = {word for process in system.processes() for word in process.argv}
    secrets = {path.read_text() for path in (system.data.path / "secrets").iterdir()}
    secrets.add((system.data.path / "postgres/password").read_text())
    assert not [word for word in words if any(secret in word for secret in secrets)]


def test_retries_can_be_shortened(tmp_path: Path) -> None:
    system = System(DataDir(tmp_path), 8080, PORTS, retry_min_s=0.5, retry_max_s=2)
    argv = by_name(system)["provision"].argv
    assert argv[-4:] == ("--retry-min", "0.5", "--retry-max", "2")


def test_modules_of_the_working_directory_are_not_taken_for_ours(system: System) -> None:
    assert all(process.argv[1] == "-P" for process in system.processes())


def test_traces_are_kept_here_unless_the_caller_says_where_they_go(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    kept = by_name(system)
    for service in Service:
        assert kept[service.value].env["OTEL_EXPORTER_OTLP_ENDPOINT"] == f"http://127.0.0.1:{PORTS['traces']}"
        assert "traces" in kept[service.value].needs
    assert "--traces-port" in kept["router"].argv
    for elsewhere in ("http://jaeger:4318", ""):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", elsewhere)
        sent = by_name(system)
        assert "traces" not in sent
        assert "--traces-port" not in sent["router"].argv
        assert sent["search"].env["OTEL_EXPORTER_OTLP_ENDPOINT"] == elsewhere
