"""What must hold after any trouble: every good file findable exactly once, every stage's result computed once."""

import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import httpx2
from google.cloud.exceptions import GoogleCloudError
from requests import RequestException

from localcloud.samples import Sample
from tests.pipeline.local_system import LocalSystem, data_of, wait_for

ValueT = TypeVar("ValueT")
_MANIFEST = re.compile(r"^[^/]+/(?P<upload>upl_[^/]+)/\d+/0/(?P<stage>[^/]+)/[^/]+/manifest\.json$")
STAGES = {"media-processor", "analyzer", "embedder"}


def persistent(action: Callable[[], ValueT], patience_s: float = 90) -> ValueT:
    """A client that tries again while the system is away, as any client would."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return action()
        except (httpx2.HTTPError, RequestException, GoogleCloudError, AssertionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


def post(system: LocalSystem, path: Path) -> str:
    """Posts a file until it is acknowledged; a lost answer shows as a duplicate of itself. Answers the upload id."""

    def once() -> str:
        answer = system.upload(path)
        if answer.status_code == 409 and "upload_id" in (details := answer.json()["error"]["details"]):
            return details["upload_id"]
        return data_of(answer)["upload_id"]

    return persistent(once)


def drop(system: LocalSystem, path: Path) -> None:
    """Drops a file; the official client retries by itself."""
    name = f"{system.variables['MMSEARCH_USER_ID']}/drops/{path.name}"
    persistent(lambda: system.drop(name, path))


def feed(system: LocalSystem, files: list[Sample]) -> None:
    """Every other file by the API, the rest by the bucket."""
    for number, sample in enumerate(files):
        if number % 2:
            drop(system, sample.path)
        else:
            post(system, sample.path)


def until_all_completed(system: LocalSystem, files: list[Sample], patience_s: float = 110) -> dict[str, str]:
    """Waits; answers file name → upload id."""
    wanted = {sample.path.name for sample in files}
    seen: dict[str, str] = {}

    def completed() -> bool:
        uploads = persistent(system.uploads)
        seen.update({u["filename"]: f"{u['status']} {u['stage']}" for u in uploads if u["filename"] in wanted})
        return sum(state.startswith("completed") for state in seen.values()) == len(wanted)

    try:
        wait_for(completed, patience_s)
    except AssertionError:
        raise AssertionError({name: state for name, state in seen.items() if "completed" not in state}) from None
    return {u["filename"]: u["upload_id"] for u in system.uploads() if u["filename"] in wanted}


def assert_findable_exactly_once(system: LocalSystem, files: list[Sample]) -> None:
    for sample in files:
        hits = Counter(result["filename"] for result in system.search(sample.query))
        assert hits[sample.path.name] == 1, (sample.query, hits)


def assert_one_manifest_per_stage(system: LocalSystem, upload_ids: set[str]) -> None:
    """A second manifest for the same run would mean that something was computed from two different inputs."""
    names = [blob.name for blob in system.bucket("ARTIFACTS_BUCKET").list_blobs() if blob.name]
    found = Counter((m["upload"], m["stage"]) for name in names if (m := _MANIFEST.match(name)))
    expected = {(upload_id, stage): 1 for upload_id in upload_ids for stage in STAGES}
    assert {key: found[key] for key in expected} == expected
