"""Decides what an event may change, given what is known of its file: whatever order events come in, one state.

Generations only grow. Within one, each part is a register that keeps its latest run; a deletion holds for its
generation up to its run, and for all before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from contracts.artifacts import UploadRef

PROCESSED = "processed"
ANALYZED = "analyzed"
FAILED = "failed"
"""A run that some stage gave up on; it is not being processed any more."""


def embedded_by(model_id: str) -> str:
    """The part that one model's vectors are; several models may have theirs side by side."""
    return f"embedded:{model_id}"


@dataclass(frozen=True)
class FileState:
    """The newest generation heard of and, of that generation, the run kept for each part.

    ``tombstone`` is the (generation, run) up to which everything is deleted; a later run is a file restored.
    """

    generation: int
    tombstone: tuple[int, int] = (0, 0)
    runs: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def needs_analysis_texts(self) -> bool:
        """True while the texts of the analysis are newer than any model's passages, which hold the same words."""
        embedded = [run for part, run in self.runs.items() if part.startswith(embedded_by(""))]
        return ANALYZED in self.runs and self.runs[ANALYZED] > max(embedded, default=-1)

    def wants(self, upload: UploadRef, part: str) -> bool:
        """False when the event is of a deleted or overwritten version, or of an earlier run than the one kept."""
        if upload.version <= self.tombstone or upload.generation < self.generation:
            return False
        return upload.generation > self.generation or upload.run >= self.runs.get(part, 0)

    def after(self, upload: UploadRef, part: str) -> "FileState":
        """The state once an event that :meth:`wants` let through has been applied."""
        kept = self.runs if upload.generation == self.generation else {}
        return replace(self, generation=upload.generation, runs={**kept, part: upload.run})

    def deleted(self, upload: UploadRef) -> "FileState":
        """The state after the deletion of a version: newer generations and later runs are left as they are."""
        tombstone = max(self.tombstone, upload.version)
        generation = max(self.generation, upload.generation)
        living = {part: run for part, run in self.runs.items() if (self.generation, run) > tombstone}
        return FileState(generation, tombstone, living)
