"""Decides what an event may change of its file's state; any order of events leads to the same state. Pure.

Generations only grow. Within one, each part is a register that keeps its latest run; a deletion covers its generation
up to its run, and all generations before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from contracts.artifacts import UploadRef

PROCESSED = "processed"
ANALYZED = "analyzed"
FAILED = "failed"
"""The part that records the latest run that a stage gave up on."""


def embedded_by(model_id: str) -> str:
    """Returns the part of one model's vectors; several models may have theirs side by side."""
    return f"embedded:{model_id}"


@dataclass(frozen=True)
class FileState:
    """The newest known generation of a file and the run that is stored of each part of it.

    ``tombstone`` is the (generation, run) up to which everything is deleted; a later run is a restored file.
    """

    generation: int
    tombstone: tuple[int, int] = (0, 0)
    runs: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def needs_analysis_texts(self) -> bool:
        """True while the texts of the analysis are newer than every model's passages, which hold the same words."""
        embedded = [run for part, run in self.runs.items() if part.startswith(embedded_by(""))]
        return ANALYZED in self.runs and self.runs[ANALYZED] > max(embedded, default=-1)

    def awaits(self, upload: UploadRef) -> bool:
        """True if nothing is known yet of this version or a later one."""
        if upload.version <= self.tombstone or upload.generation < self.generation:
            return False
        return upload.generation > self.generation or not self.runs

    def wants(self, upload: UploadRef, part: str) -> bool:
        """False if the event is of a deleted or overwritten version, or of an earlier run than the stored one."""
        if upload.version <= self.tombstone or upload.generation < self.generation:
            return False
        return upload.generation > self.generation or upload.run >= self.runs.get(part, 0)

    def after(self, upload: UploadRef, part: str) -> "FileState":
        """Returns the state after an event that :meth:`wants` let through."""
        kept = self.runs if upload.generation == self.generation else {}
        return replace(self, generation=upload.generation, runs={**kept, part: upload.run})

    def deleted(self, upload: UploadRef) -> "FileState":
        """Returns the state after the deletion of a version; newer generations and later runs stay."""
        tombstone = max(self.tombstone, upload.version)
        generation = max(self.generation, upload.generation)
        living = {part: run for part, run in self.runs.items() if (self.generation, run) > tombstone}
        return FileState(generation, tombstone, living)
