"""Users of a system under attack: they send good and bad files both ways, delete some, drop over others.

Only what was acknowledged is expected: :class:`Expected` is what the audit holds the system to.
"""

import random
import threading
from dataclasses import dataclass, field
from pathlib import Path

from google.cloud.exceptions import NotFound

from contracts.identifiers import ownership
from localcloud.samples import Sample, make_many
from tests.chaos.history import History
from tests.faults.audit import persistent, post
from tests.pipeline.local_system import LocalSystem

PATIENCE_S = 150
_PICTURES = (".jpg", ".png")
"""Only their names hold the word that finds them: the provider here reads no pictures."""


@dataclass
class Expected:
    """By upload id: good files with the word that finds them, bad ones with the codes allowed, and what was deleted."""

    good: dict[str, Sample] = field(default_factory=dict[str, Sample])
    bad: dict[str, str] = field(default_factory=dict[str, str])
    deleted: dict[str, Sample] = field(default_factory=dict[str, Sample])
    overwritten: list[tuple[str, Sample]] = field(default_factory=list[tuple[str, Sample]])

    @property
    def files(self) -> int:
        return len(self.good) + len(self.bad) + len(self.deleted)


class Feeder:
    """Sends files until told to stop; ``limit`` files at most."""

    def __init__(self, system: LocalSystem, directory: Path, seed: int, history: History, limit: int) -> None:
        self._system = system
        self._directory = directory
        self._history = history
        self._chance = random.Random(f"feeder {seed}")
        self._samples = make_many(directory, limit, seed)
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._failure: BaseException | None = None
        self._names: dict[str, str] = {}
        self.expected = Expected()

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> Expected:
        """Stops after the file under way. Raises what a user could not get done in good patience."""
        self._enough.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        return self.expected

    def _run(self) -> None:
        try:
            for number, sample in enumerate(self._samples):
                if self._enough.is_set() and number:
                    return
                self._act(number, sample)
                self._enough.wait(self._chance.uniform(0.1, 0.6))
        except BaseException as failure:
            self._failure = failure

    def _act(self, number: int, sample: Sample) -> None:
        expected = self.expected
        drawn = self._chance.random()
        if drawn < 0.15:
            self._bad(number)
        if drawn > 0.85 and expected.good:
            self._delete(self._chance.choice(sorted(expected.good)))
        if self._chance.random() < 0.5:
            expected.good[persistent(lambda: post(self._system, sample.path), PATIENCE_S)] = sample
        else:
            self._drop(sample)

    def _drop(self, sample: Sample) -> None:
        dropped = [i for i in sorted(self.expected.good) if not (self._names.get(i) or "x.jpg").endswith(_PICTURES)]
        if dropped and sample.path.suffix not in _PICTURES and self._chance.random() < 0.2:
            upload_id = self._chance.choice(dropped)
            name = self._name_of(upload_id)
            assert name is not None
            self.expected.overwritten.append((upload_id, self.expected.good[upload_id]))
            self._history.add(f"dropping over {name}")
        else:
            name = self._object(sample.path.name)
        persistent(lambda: self._system.drop(name, sample.path), PATIENCE_S)
        upload_id = ownership(self._system.variables["UPLOADS_BUCKET"], name).upload_id
        self._names[upload_id] = name
        self.expected.good[upload_id] = sample

    def _bad(self, number: int) -> None:
        content, code = self._chance.choice(
            [(b"", "file_size"), (b"\xff\xd8\xff\xe0 no picture at all", "corrupt"), (b"%PDF-1.7 cut off", "corrupt")]
        )
        name = self._object(f"bad-{number:04d}")
        persistent(lambda: self._system.drop(name, content), PATIENCE_S)
        self.expected.bad[ownership(self._system.variables["UPLOADS_BUCKET"], name).upload_id] = code

    def _delete(self, upload_id: str) -> None:
        name = self._name_of(upload_id)
        if name is None:
            persistent(lambda: self._delete_by_api(upload_id), PATIENCE_S)
        else:
            persistent(lambda: self._delete_object(name), PATIENCE_S)
        self.expected.deleted[upload_id] = self.expected.good.pop(upload_id)
        self._history.add(f"deleted {upload_id}")

    def _delete_by_api(self, upload_id: str) -> None:
        with self._system.http() as http:
            answer = http.delete(f"/api/v1/upload/{upload_id}")
        assert answer.status_code == 200, answer.text

    def _delete_object(self, name: str) -> None:
        try:
            self._system.bucket().blob(name).delete(timeout=10)
        except NotFound:
            return

    def _name_of(self, upload_id: str) -> str | None:
        return self._names.get(upload_id)

    def _object(self, name: str) -> str:
        return f"{self._system.variables['MMSEARCH_USER_ID']}/chaos/{name}"
