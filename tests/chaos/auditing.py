"""What must hold when the harm is over: repaired by the operator's own tools, then held to every promise."""

import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from mmsearch.errors import ApiError, UnreachableError
from mmsearch.operations import OperatorClient
from tests.chaos.feeding import Expected
from tests.chaos.history import History
from tests.faults.audit import persistent
from tests.pipeline.local_system import LocalSystem, data_of

_MANIFEST = re.compile(r"^[^/]+/(?P<upload>upl_[^/]+)/(?P<version>\d+/\d+)/(?P<stage>[^/]+)/[^/]+/manifest\.json$")
_POLL_S = 0.3


class Audit:
    """Every check raises ``AssertionError`` that names what broke its promise."""

    def __init__(self, system: LocalSystem, operator: OperatorClient, expected: Expected, history: History) -> None:
        self._system = system
        self._operator = operator
        self._expected = expected
        self._history = history
        self.repaired = 0

    def drain(self, patience_s: float) -> float:
        """Waits until nothing is under way and what failed for no fault of its own has been run again; seconds."""
        began = time.monotonic()
        while not self._settled():
            assert time.monotonic() - began < patience_s, f"still under way or broken: {self._unsettled()}"
            time.sleep(_POLL_S)
        return time.monotonic() - began

    def check(self) -> None:
        """All promises but money."""
        self._no_upload_lost()
        self._deleted_stays_deleted()
        self._findable_exactly_once()
        self._one_effect_per_stage()
        self._no_orphans()

    def _settled(self) -> bool:
        if not self._awake():
            return False
        try:
            return not self._unsettled() or not (self._repair() or self._unsettled())
        except (ApiError, UnreachableError):
            return False

    def _awake(self) -> bool:
        """Whoever was killed last may still be starting."""
        with self._system.http() as http:
            return all(http.get(path).is_success for path in ("/api/v1/uploads", "/api/v1/search/history"))

    def _unsettled(self) -> dict[str, str]:
        uploads = {upload["upload_id"]: upload for upload in self._uploads()}
        under_way = [upload for upload in uploads.values() if upload["status"] in ("pending", "processing")]
        open_ = {upload["upload_id"]: f"{upload['status']} {upload['stage']}" for upload in under_way}
        for upload_id in self._expected.good:
            upload = uploads.get(upload_id)
            if upload is None or upload["status"] != "completed":
                open_[upload_id] = f"{upload['status']} {upload['error']}" if upload else "not listed"
        for upload_id in self._expected.bad:
            if upload_id not in uploads or uploads[upload_id]["status"] != "failed":
                open_[upload_id] = "a bad file is not failed"
        return open_ | dict.fromkeys(self._expected.deleted.keys() & uploads.keys(), "deleted, but listed")

    def _repair(self) -> int:
        """What an operator does after trouble: sends dead letters again, runs what failed by no fault of its own."""
        sent = sum(len(done.redriven) for done in self._operator.redrive())
        if not sent:
            for group in self._operator.failures(mine=False):
                if group.retryable:
                    for batch in self._operator.reprocess(mine=False, code=group.code):
                        sent += len(batch.started)
        if sent:
            self.repaired += sent
            self._history.add(f"the operator sent {sent} again")
        return sent

    def _no_upload_lost(self) -> None:
        listed = Counter(upload["upload_id"] for upload in self._uploads())
        wanted = Counter([*self._expected.good, *self._expected.bad])
        assert listed == wanted, {"lost": wanted - listed, "too many": listed - wanted}
        errors = {u["upload_id"]: (u["error"] or {}).get("code") for u in self._uploads()}
        told = {upload_id: errors[upload_id] for upload_id in self._expected.bad}
        assert told == self._expected.bad
        assert self._operator.dead_letters(1).total == 0

    def _deleted_stays_deleted(self) -> None:
        with self._system.http() as http:
            for upload_id in self._expected.deleted:
                answer = http.get(f"/api/v1/upload/status/{upload_id}")
                assert answer.status_code == 404, (upload_id, answer.text)
        gone = [*self._expected.deleted.items(), *self._expected.overwritten]
        self._eventually(lambda: {sample.query: i for i, sample in gone if i in self._found(sample.query)})

    def _findable_exactly_once(self) -> None:
        for upload_id, sample in self._expected.good.items():
            hits = persistent(lambda query=sample.query: self._found(query))
            assert hits.count(upload_id) == 1, (sample.query, upload_id, hits)

    def _one_effect_per_stage(self) -> None:
        """A second manifest for one version and stage would be something computed from two different inputs."""
        names = [blob.name for blob in self._system.bucket("ARTIFACTS_BUCKET").list_blobs() if blob.name]
        found = Counter((m["upload"], m["version"], m["stage"]) for name in names if (m := _MANIFEST.match(name)))
        assert {key: times for key, times in found.items() if times > 1} == {}
        stages = {(upload_id, stage) for upload_id, _, stage in found}
        missing = {
            (upload_id, stage)
            for upload_id in self._expected.good
            for stage in ("media-processor", "analyzer", "embedder")
        } - stages
        assert missing == set()

    def _no_orphans(self) -> None:
        findings = [finding for stretch in self._operator.reconcile(fix=False) for finding in stretch.findings]
        assert findings == []

    def _found(self, query: str) -> list[str]:
        return [result["upload_id"] for result in self._system.search(f'"{query}"')]

    def _uploads(self) -> list[dict[str, Any]]:
        uploads: list[dict[str, Any]] = []
        with self._system.http() as http:
            while True:
                answer = http.get("/api/v1/uploads", params={"limit": 100, "offset": len(uploads)})
                page = data_of(answer)
                uploads += page
                if not page or not answer.json()["meta"]["has_more"]:
                    return uploads

    @staticmethod
    def _eventually(left_over: Callable[[], dict[str, str]], patience_s: float = 10) -> None:
        """For what is gone within a second or so, not at once."""
        deadline = time.monotonic() + patience_s
        while left := persistent(left_over):
            assert time.monotonic() < deadline, f"deleted or overwritten, and still found: {left}"
            time.sleep(_POLL_S)
