"""compose.yaml holds together: names lead somewhere, every service is told what it requires, nothing is open to all.

Checked here strictly by hand, and by Compose itself where its plugin is installed.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.oauth2 import service_account

from deploy.docker import make_env
from identity.api_keys import is_well_formed
from localcloud.router import SEARCHED
from tests.deploy.settings_of import PLATFORM, SERVICES, known, required

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
DEFINED: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in DEFINED.items() if service["image"].startswith("mmsearch/")}
JOBS = {name for name, service in OURS.items() if name not in SERVICES}

# The part of the Compose specification that is used; anything else is a slip of the pen until it is added here.
TOP_LEVEL = {"name", "services", "networks", "volumes"}
OF_A_SERVICE = {
    "image", "build", "command", "environment", "volumes", "ports", "depends_on", "healthcheck", "restart", "networks",
    "stop_grace_period", "read_only", "tmpfs", "cap_drop", "security_opt", "user", "mem_limit", "shm_size",
}  # fmt: skip
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}
MOVING_TAGS = {"pgvector/pgvector:pg18", "gcr.io/google.com/cloudsdktool/google-cloud-cli:emulators"}


def test_it_uses_known_words_only() -> None:
    assert {key for key in COMPOSE if not key.startswith("x-")} == TOP_LEVEL
    for name, service in DEFINED.items():
        assert set(service) - OF_A_SERVICE == set(), name
        assert service["restart"] in ("unless-stopped", "on-failure", "no"), name


def test_whoever_is_waited_for_exists_and_can_be_waited_for() -> None:
    for name, service in DEFINED.items():
        for target, how in waits_for(service).items():
            assert target in DEFINED, f"{name} waits for {target}"
            assert how["condition"] in CONDITIONS
            if how["condition"] == "service_healthy":
                check = DEFINED[target].get("healthcheck") or ("ours" if target in SERVICES else None)
                assert check, f"{name} waits for the health of {target}, which has no check"
            if how["condition"] == "service_completed_successfully":
                assert DEFINED[target]["restart"] in ("on-failure", "no"), f"{target} never completes"
                assert DEFINED[target]["healthcheck"] == {"disable": True}


def test_nobody_waits_in_a_circle() -> None:
    done: set[str] = set()
    while ready := {name for name in DEFINED.keys() - done if waits_for(DEFINED[name]).keys() <= done}:
        done |= ready
    assert done == set(DEFINED)


def test_volumes_and_networks_are_declared_and_files_exist() -> None:
    used: set[str] = set()
    for name, service in DEFINED.items():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("."):
                assert (DEPLOY / source).exists(), f"{name} mounts {source}, which is not there"
                assert mount.endswith(":ro")
            else:
                used.add(source)
        assert set(service["networks"]) <= set(COMPOSE["networks"]), name
    assert used == set(COMPOSE["volumes"])


def test_every_variable_has_a_default_or_is_made_by_make_env() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    for name, operator in re.findall(r"\$\{([A-Z_]+)(:[-?])?[^}]*\}", text):
        assert operator == ":-" or name in make_env.SECRETS, f"${{{name}}} has neither"
    wanted = set(re.findall(r"\$\{([A-Z_]+):\?", text))
    assert wanted == set(make_env.SECRETS), "each secret says once how to be made"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_told_what_its_settings_require_and_nothing_unknown(service: str) -> None:
    told = set(DEFINED[service]["environment"])
    assert required(service) - told == set()
    assert told - known(service) - PLATFORM == set()


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_built_from_its_own_image_and_runs_confined(service: str) -> None:
    definition = DEFINED[service]
    build = definition["build"]
    assert build["args"]["SERVICE"] == service
    assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == DEPLOY / "docker" / "Dockerfile"
    assert definition["image"].startswith(f"mmsearch/{service}:")
    assert definition["read_only"] is True
    assert definition["cap_drop"] == ["ALL"]
    assert definition["stop_grace_period"] == "10s"


def test_only_the_gateway_holds_the_key_that_opens_every_file() -> None:
    holders = {name for name, service in DEFINED.items() if any("signing:" in m for m in service.get("volumes", []))}
    assert holders == {"signing-key", "upload-gateway"}
    told = {name for name, service in DEFINED.items() if "SIGNING_KEY_FILE" in service.get("environment", {})}
    assert told == {"upload-gateway"} == {service for service in SERVICES if "SIGNING_KEY_FILE" in known(service)}


def test_jobs_run_before_the_services_that_need_them() -> None:
    assert {"provision", "bootstrap", "migrate-upload-gateway", "migrate-search"} <= JOBS
    for service in SERVICES:
        assert "provision" in waits_for(DEFINED[service])
        migrated = "DATABASE_URL" in DEFINED[service]["environment"]
        assert migrated == (f"migrate-{service}" in all_before(service))


def test_nothing_listens_to_the_world() -> None:
    ports = [port for service in DEFINED.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_foreign_images_are_pinned() -> None:
    for name, service in DEFINED.items():
        tag = service["image"].rpartition(":")[2]
        pinned = re.match(r"^v?\d+\.\d+", tag) or service["image"] in MOVING_TAGS or name in OURS
        assert pinned, service["image"]


def test_the_router_sends_paths_where_the_embedded_cloud_does() -> None:
    conf = (DEPLOY / "docker" / "router.conf").read_text()
    to_search = re.findall(r"location (?:=|~)? ?(\S+)\s*\{ proxy_pass http://search; \}", conf)
    assert to_search == ["/api/v1/search", "/api/v1/feedback", "^/api/v1/file/[^/]+/(similar|text)$"]
    of_a_file = [("/api/v1/file/", f"/{what}") for what in ("similar", "text")]
    assert [*SEARCHED] == [("/api/v1/search", ""), ("/api/v1/feedback", ""), *of_a_file]
    for directive in ("proxy_request_buffering off", "proxy_buffering off", "client_max_body_size 0"):
        assert directive in conf
    assert conf.count("{") == conf.count("}")


def test_prometheus_scrapes_every_service_and_mounts_the_rules() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    targets = config["scrape_configs"][0]["static_configs"][0]["targets"]
    assert set(targets) == {f"{service}:8080" for service in SERVICES}
    assert any(mount.endswith(f":{config['rule_files'][0]}:ro") for mount in DEFINED["prometheus"]["volumes"])


@pytest.mark.parametrize("path", ["jaeger/config.yaml", "cloudrun/collector.yaml"])
def test_collectors_name_only_parts_that_they_have(path: str) -> None:
    config = yaml.safe_load((DEPLOY / path).read_text())
    assert set(config["service"]["extensions"]) <= set(config["extensions"])
    used: dict[str, set[str]] = {"receivers": set(), "processors": set(), "exporters": set()}
    for pipeline in config["service"]["pipelines"].values():
        for kind, names in pipeline.items():
            assert set(names) <= set(config[kind]), f"{kind} of {path}"
            used[kind] |= set(names)
    assert used == {kind: set(config[kind]) for kind in used}


def test_the_services_send_their_spans_where_jaeger_takes_them() -> None:
    config = yaml.safe_load((DEPLOY / "jaeger" / "config.yaml").read_text())
    port = config["receivers"]["otlp"]["protocols"]["http"]["endpoint"].rpartition(":")[2]
    for service in SERVICES:
        assert DEFINED[service]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == f"http://jaeger:{port}"


def test_secrets_are_made_once_and_fit_their_use(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "compose.env"
    command = [sys.executable, str(DEPLOY / "docker" / "make_env.py"), str(path)]
    subprocess.run(command, check=True, capture_output=True)
    first = path.read_text()
    values = dict(line.split("=", 1) for line in first.splitlines())
    assert set(values) == set(make_env.SECRETS)
    assert is_well_formed(values["LOCAL_API_KEY"])
    assert path.stat().st_mode & 0o077 == 0
    assert not re.search(r"[@:/%$]", "".join(values.values())), "they stand in URLs and in an env file"
    subprocess.run(command, check=True, capture_output=True)
    assert path.read_text() == first


def test_the_signing_key_signs(tmp_path: Path) -> None:
    path = tmp_path / "service-account.json"
    command = [sys.executable, str(DEPLOY / "docker" / "make_signing_key.py"), str(path)]
    subprocess.run(command, check=True)
    key = json.loads(path.read_text())["private_key"]
    credentials = service_account.Credentials.from_service_account_file(str(path))
    assert credentials.sign_bytes(b"x")
    subprocess.run(command, check=True)
    assert json.loads(path.read_text())["private_key"] == key


def test_compose_itself_accepts_it(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    plugin = docker and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0
    if not docker or not plugin:
        pytest.skip("docker compose is not installed; the file was checked by hand only")
    env = tmp_path / "compose.env"
    env.write_text(make_env.content())
    command = [docker, "compose", "--env-file", str(env), "-f", str(DEPLOY / "compose.yaml"), "config", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "Compose warns of something"


def waits_for(service: dict[str, Any]) -> dict[str, Any]:
    needed = service.get("depends_on", {})
    return needed if isinstance(needed, dict) else {name: {"condition": "service_started"} for name in needed}


def all_before(name: str) -> set[str]:
    direct = set(waits_for(DEFINED[name]))
    return direct | {further for target in direct for further in all_before(target)}
