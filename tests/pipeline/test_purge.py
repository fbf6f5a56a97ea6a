"""What is deleted for good is gone from bucket, artifacts, rows and vectors; and a file sent in pieces is found."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import psutil
import pytest

from objectstore.store import CHUNK_MULTIPLE
from tests.pipeline.local_system import LocalSystem, data_of, wait_for
from upload_gateway.purge import ANOTHER_IS_AT_IT

HASTE = {
    "PURGE_EVERY_S": "0.5",
    "DELETED_KEPT_DAYS": "0",
    "LEFTOVERS_KEPT_DAYS": "0",
    "TOMBSTONES_KEPT_DAYS": "0",
}
OLD = "The first version tells of a lighthouse keeper and his ginger cat."
NEW = "The second version tells of a submarine commander and her parrot."


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    """A system that keeps nothing it may remove."""
    running = LocalSystem(tmp_path_factory.mktemp("hasty") / "data", **HASTE)
    running.start()
    yield running
    assert running.stop() == 0


def rows(system: LocalSystem, upload_id: str) -> dict[str, int]:
    """How many rows of each table still name the upload."""

    async def count() -> dict[str, int]:
        connection = await asyncpg.connect(system.variables["DATABASE_URL"])
        try:
            tables = await connection.fetch(
                """SELECT table_schema || '.' || table_name AS name FROM information_schema.columns
                WHERE column_name = 'upload_id' AND table_schema IN ('upload_gateway', 'search')"""
            )
            counted = {
                table["name"]: await connection.fetchval(
                    f"SELECT count(*) FROM {table['name']} WHERE upload_id = $1", upload_id
                )
                for table in tables
            }
        finally:
            await connection.close()
        return {name: number for name, number in counted.items() if number}

    return asyncio.run(count())


def remembered(system: LocalSystem, upload_id: str) -> str:
    """All that search still has of the file, as JSON."""

    async def read() -> str:
        connection = await asyncpg.connect(system.variables["DATABASE_URL"])
        try:
            query = "SELECT to_jsonb(f)::text FROM search.files f WHERE upload_id = $1"
            return await connection.fetchval(query, upload_id) or ""
        finally:
            await connection.close()

    return asyncio.run(read())


def names(system: LocalSystem, bucket: str, prefix: str) -> list[str]:
    return [blob.name for blob in system.bucket(bucket).list_blobs(prefix=prefix)]


def test_a_purged_file_is_gone_from_everywhere(hasty: LocalSystem) -> None:
    user = hasty.variables["MMSEARCH_USER_ID"]
    name = f"{user}/notes/diary.txt"
    hasty.drop(name, OLD.encode(), "text/plain")
    old = hasty.until_found("lighthouse keeper with a cat", "diary.txt")
    upload_id = old["upload_id"]
    assert hasty.until_final(upload_id)["status"] == "completed"
    [first] = {key.split("/")[2] for key in names(hasty, "ARTIFACTS_BUCKET", f"{user}/{upload_id}/")}

    hasty.drop(name, NEW.encode(), "text/plain")
    wait_for(lambda: not names(hasty, "ARTIFACTS_BUCKET", f"{user}/{upload_id}/{first}/"))
    assert hasty.until_found("submarine commander", "diary.txt")
    assert hasty.until_final(upload_id)["status"] == "completed"
    assert names(hasty, "ARTIFACTS_BUCKET", f"{user}/{upload_id}/"), "what belongs to the new version stays"

    with hasty.http() as http:
        assert http.delete(f"/api/v1/upload/{upload_id}").is_success
    wait_for(lambda: not names(hasty, "UPLOADS_BUCKET", name))
    wait_for(lambda: not names(hasty, "ARTIFACTS_BUCKET", f"{user}/{upload_id}/"))
    # search remembers that it was deleted, so that nothing late revives it: no name, no text, no vector.
    wait_for(lambda: set(rows(hasty, upload_id)) <= {"search.files"})
    assert not any(word in remembered(hasty, upload_id) for word in ("diary", "submarine", "parrot"))
    assert hasty.search("submarine commander") == []


def test_the_command_does_one_round_and_says_what_it_did(hasty: LocalSystem) -> None:
    told = psutil.Process(hasty.pid("upload-gateway")).environ()
    command = [sys.executable, "-P", "-m", "upload_gateway.purge"]
    said = subprocess.run(command, env=told, capture_output=True, check=True, text=True).stdout.splitlines()[-1]
    assert said == ANOTHER_IS_AT_IT or set(json.loads(said)) >= {"cut_off", "purged", "leftovers", "forgotten"}


def test_a_file_sent_in_pieces_over_a_broken_connection_becomes_findable(hasty: LocalSystem, tmp_path: Path) -> None:
    data = b"A treatise on beekeeping in the high mountains.\n" + b"Filler of no interest at all.\n" * 20_000
    wish = {"filename": "bees.txt", "size": len(data), "content_type": "text/plain"}
    with hasty.http() as http:
        answer = http.post("/api/v1/upload/sessions", json=wish, headers={"Origin": hasty.url})
        session = data_of(answer)
        assert put(session["session_url"], data[:CHUNK_MULTIPLE], 0, "*").status_code == 308
        resumed = data_of(http.get(f"/api/v1/upload/sessions/{session['upload_id']}"))
        last = put(resumed["session_url"], data[CHUNK_MULTIPLE:], CHUNK_MULTIPLE, len(data), Origin=hasty.url)
    assert (last.status_code, last.headers["Access-Control-Allow-Origin"]) == (200, hasty.url)
    status = hasty.until_final(session["upload_id"])
    assert status["status"] == "completed"
    assert status["trace_id"] == answer.headers["X-Trace-Id"], "one trace, from the request for the session on"
    assert hasty.until_found("beekeeping in the mountains", "bees.txt")


def put(url: str, data: bytes, first: int, total: Any, **headers: str) -> httpx2.Response:
    headers["Content-Range"] = f"bytes {first}-{first + len(data) - 1}/{total}"
    return httpx2.put(url, content=data, headers=headers, trust_env=False)
