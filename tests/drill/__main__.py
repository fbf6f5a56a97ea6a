"""``python -m tests.drill``: a backup of a running system, the loss of everything, a fresh system, and it finds again.

The steps are those of docs/operations.md ("Backup and restore"), in that order; what it prints stands there.
"""

import argparse
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from localcloud import postgres
from localcloud.postgres_binaries import installed
from localcloud.samples import Sample, make_many
from mmsearch.operations import OperatorClient
from tests.faults.audit import assert_findable_exactly_once, feed, post, until_all_completed
from tests.pipeline.local_system import LocalSystem, wait_for
from tests.ports import free_port

_OLDER = """DO $$ BEGIN
    FOR number IN 1..20000 LOOP
        PERFORM pg_current_xact_id();
        COMMIT;
    END LOOP;
END $$"""
"""A cluster that has been at work for weeks is far ahead of the fresh one, and so are the numbers in its rows."""

_HASTE = {"SWEEP_AFTER_S": "5", "SWEEP_EVERY_S": "1", "RECONCILE_SETTLE_S": "0"}


class Drill:
    """Says what it does and how long it took."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._backup = directory / "backup"
        self._began = time.monotonic()

    def run(self) -> None:
        files = make_many(self._directory / "files", 13, seed=5)
        before = LocalSystem(self._directory / "before", **_HASTE)
        try:
            before.start()
            self._run("psql", "--quiet", "--command", _OLDER, "--dbname", before.variables["DATABASE_URL"])
            feed(before, files[:8])
            until_all_completed(before, files[:8])
            self._say("a system holds 8 files")
            self._back_up(before, files[8:10], files[10:12])
        finally:
            before.stop()
        shutil.rmtree(self._directory / "before", ignore_errors=True)
        self._say("the system and its disk are gone")
        after = LocalSystem(self._directory / "after", **_HASTE)
        self._restore(after)
        try:
            after.start()
            self._prove(after, files)
        finally:
            after.stop()

    def _back_up(self, system: LocalSystem, processed: Sequence[Sample], late: Sequence[Sample]) -> None:
        """Database first, buckets after: what comes in between is in the bucket, and reconcile finds it.

        Of what was ``processed`` in between, derived files lie in the other bucket, of which no row knows either.
        """
        self._backup.mkdir()
        url = system.variables["DATABASE_URL"]
        self._run("pg_dumpall", "--roles-only", "--file", self._backup / "roles.sql", "--dbname", url)
        self._run("pg_dump", "--format=custom", "--file", self._backup / "database.dump", url)
        self._say(f"database dumped: {(self._backup / 'database.dump').stat().st_size >> 10} KiB")
        feed(system, list(processed))
        until_all_completed(system, list(processed))
        self._say(f"{len(processed)} more files are processed before the buckets are copied")
        feed(system, list(late))
        self._say(f"{len(late)} more arrive just before")
        storage = system.data_dir / "storage"
        copy = self._backup / "storage"
        copy.mkdir()
        with sqlite3.connect(storage / "metadata.sqlite") as live, sqlite3.connect(copy / "metadata.sqlite") as kept:
            live.backup(kept)
        live.close()
        kept.close()
        shutil.copytree(storage / "bodies", copy / "bodies")
        for name in ("service-account.json", "tls-certificate.pem", "tls-key.pem"):
            shutil.copy2(storage / name, copy / name)
        shutil.copytree(system.data_dir / "secrets", self._backup / "secrets")
        self._say("buckets and secrets copied, with the system running")

    def _restore(self, system: LocalSystem) -> None:
        data = system.data_dir
        data.mkdir()
        shutil.copytree(self._backup / "storage", data / "storage")
        shutil.copytree(self._backup / "secrets", data / "secrets")
        directory, port = data / "postgres", free_port()
        sockets = Path(tempfile.mkdtemp(prefix="mmsearch-drill-", dir="/tmp"))
        sockets.chmod(0o711)
        command = [sys.executable, "-P", "-m", "localcloud.postgres", "--data-dir", str(directory)]
        command += ["--port", str(port), "--socket-dir", str(sockets / "socket")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
            assert server.stdout is not None
            try:
                assert server.stdout.readline(), "postgres did not start"
                url = postgres.admin_url(directory, port)
                roles = _without_superuser((self._backup / "roles.sql").read_text())
                self._run("psql", "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", url, said=roles)
                self._run("pg_restore", "--exit-on-error", "--dbname", url, self._backup / "database.dump")
            finally:
                server.terminate()
        shutil.rmtree(sockets, ignore_errors=True)
        self._say("database, buckets and secrets restored into an empty directory")

    def _prove(self, system: LocalSystem, files: list[Sample]) -> None:
        self._say("the fresh system is up")
        assert_findable_exactly_once(system, files[:8])
        self._say("all 8 files of the dump are found, without any processing")
        _assert_no_news(system, files[:8], files[12])
        self._say("live status tells of a new file, and nothing of those that were there")
        operator = OperatorClient(system.url, system.variables["MMSEARCH_API_KEY"])
        with operator:
            found = [f for stretch in operator.reconcile(fix=True) for f in stretch.findings]
            self._say(f"reconcile --fix: {len(found)} differ ({', '.join(sorted({f.problem for f in found}))})")
            until_all_completed(system, files)
            assert_findable_exactly_once(system, files)
            wait_for(lambda: not [f for stretch in operator.reconcile(fix=False) for f in stretch.findings])
        self._say(f"all {len(files)} files are found; bucket and index agree")

    def _run(self, program: str, *arguments: object, said: str | None = None) -> None:
        command = [str(installed() / "bin" / program), *map(str, arguments)]
        done = subprocess.run(command, input=said, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{program}: {done.stderr}"

    def _say(self, what: str) -> None:
        print(f"{time.monotonic() - self._began:6.1f} s  {what}", flush=True)


def _assert_no_news(system: LocalSystem, restored: Sequence[Sample], fresh: Sample) -> None:
    """What was ``restored`` is no news to a stream that is opened now; a file that is sent then is."""
    known = {sample.path.name for sample in restored}
    with system.http() as http, http.stream("GET", "/api/v1/events") as stream:
        lines = stream.iter_lines()
        while next(lines) != "event: hello":
            pass
        post(system, fresh.path)
        for line in lines:
            told = json.loads(line.removeprefix("data: ")) if line.startswith("data: {") else {}
            assert told.get("filename") not in known, f"{told['filename']} was told as news"
            if (told.get("filename"), told.get("status")) == (fresh.path.name, "completed"):
                return
    raise AssertionError(f"{fresh.path.name} was not told to be completed")


def _without_superuser(roles: str) -> str:
    """The fresh cluster has its own, under which this is run."""
    return "\n".join(line for line in roles.splitlines() if " postgres" not in line)


def main() -> int:
    argparse.ArgumentParser(
        prog="python -m tests.drill",
        description="Starts a system of its own, backs it up, loses it, restores it in a fresh one and searches there.",
    ).parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    with tempfile.TemporaryDirectory(prefix="mmsearch-drill-") as directory:
        Drill(Path(directory)).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
