"""The Compose router's own file run by a real nginx, before a running system: every way through it, streamed."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psutil
import pytest
from websockets.sync.client import connect

from tests.pipeline.local_system import LocalSystem, data_of, wait_until
from tests.ports import free_port

CONF = Path(__file__).parents[2] / "deploy" / "docker" / "router.conf"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
MAIN = """daemon off; pid {home}/pid; error_log {home}/error.log; worker_processes 1;
events {{ worker_connections 128; }}
http {{ access_log {home}/access.log; client_body_temp_path {home}/bodies; proxy_temp_path {home}/answers;
fastcgi_temp_path {home}/f; uwsgi_temp_path {home}/u; scgi_temp_path {home}/s; include {home}/router.conf; }}
"""
LARGE = 8 * 1024 * 1024
"""Bytes: far beyond nginx's own limit of 1 MiB a body."""

pytestmark = pytest.mark.skipif(NGINX is None, reason="no nginx on this machine (apt-get install nginx-light)")


@pytest.fixture(scope="module")
def through(system: LocalSystem, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an nginx that serves the router's file, its names and ports replaced by the running system's."""
    home, port = tmp_path_factory.mktemp("nginx"), free_port()
    conf = CONF.read_text().replace("listen 8080;", f"listen 127.0.0.1:{port};")
    for name in ("upload-gateway", "search"):
        conf = conf.replace(f"server {name}:8080;", f"server 127.0.0.1:{_port_of(system, name)};")
    (home / "router.conf").write_text(conf)
    (home / "nginx.conf").write_text(MAIN.format(home=home))
    assert NGINX is not None
    nginx = subprocess.Popen([NGINX, "-p", str(home), "-c", str(home / "nginx.conf")], stderr=subprocess.PIPE)
    try:
        wait_until(lambda: nginx.poll() is not None or _answers(port))
        assert nginx.poll() is None, nginx.communicate()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        nginx.terminate()
        nginx.communicate(timeout=20)


@pytest.fixture
def http(system: LocalSystem, through: str) -> Iterator[httpx2.Client]:
    key = {"X-API-Key": system.variables["MMSEARCH_API_KEY"]}
    with httpx2.Client(base_url=through, headers=key, timeout=60, trust_env=False) as client:
        yield client


def _port_of(system: LocalSystem, name: str) -> int:
    listening = psutil.Process(system.pid(name)).net_connections("tcp")
    return next(each.laddr.port for each in listening if each.status == psutil.CONN_LISTEN)


def _answers(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/health", trust_env=False).is_success
    except httpx2.TransportError:
        return False


def test_a_file_goes_in_and_is_found(http: httpx2.Client, system: LocalSystem) -> None:
    text = "Behind the proxy the quince orchard still bears fruit.\n" + "\n" * LARGE
    answer = http.post("/api/v1/upload", files={"file": ("quince orchard.txt", text.encode())})
    upload_id = data_of(answer)["upload_id"]
    system.until_final(upload_id)
    found = data_of(http.post("/api/v1/search", json={"query": "quince orchard"}))["results"]
    assert found[0]["upload_id"] == upload_id
    assert http.get(f"/api/v1/file/{upload_id}/similar").is_success
    assert "bears fruit" in data_of(http.get(f"/api/v1/file/{upload_id}/text"))["parts"][0]["text"]
    assert http.get(f"/api/v1/file/{upload_id}/metadata").is_success
    assert http.get("/").headers["content-type"].startswith("text/html")
    for path in ("/", "/health", "/api/v1/uploads", f"/api/v1/file/{upload_id}/text"):
        assert http.head(path).is_success


def test_live_status_is_not_held_back(http: httpx2.Client) -> None:
    with http.stream("GET", "/api/v1/events") as stream:
        assert next(line for line in stream.iter_lines() if line.startswith("event:")) == "event: hello"


def test_sockets_are_upgraded(http: httpx2.Client, through: str, system: LocalSystem) -> None:
    key = system.variables["MMSEARCH_API_KEY"]
    with connect(through.replace("http", "ws") + "/api/v1/ws", additional_headers={"X-API-Key": key}) as socket:
        assert json.loads(socket.recv(timeout=30))["event"] == "hello"


def test_doors_of_the_machine_room_stay_shut(http: httpx2.Client) -> None:
    assert http.post("/events/upload-gateway.media.indexed.v1", json={}).status_code == 404
    assert http.get("/metrics").status_code == 404
