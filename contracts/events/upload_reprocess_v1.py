"""Someone asked to run an upload again from a chosen stage; what lies upstream is reused."""

from typing import ClassVar

from pydantic import Field, model_validator

from contracts.artifacts import Service, UploadRef
from contracts.envelope import EventData
from contracts.events.media_analyzed_v1 import MediaAnalyzedV1
from contracts.events.media_processed_v1 import MediaProcessedV1
from contracts.events.object_finalized_v1 import ObjectFinalizedV1


class UploadReprocessV1(EventData):
    """Carries the input of the stage to run, so that no stage needs to ask anyone for it.

    ``upload.run`` is the next run number; the input inside may name an earlier one.
    """

    publishers: ClassVar[tuple[Service, ...]] = (Service.UPLOAD_GATEWAY,)

    upload: UploadRef
    from_stage: Service = Field(description="media-processor, analyzer or embedder")
    finalized: ObjectFinalizedV1 | None = None
    processed: MediaProcessedV1 | None = None
    analyzed: MediaAnalyzedV1 | None = None

    @model_validator(mode="after")
    def _carries_its_input(self) -> "UploadReprocessV1":
        needed = {
            Service.MEDIA_PROCESSOR: self.finalized,
            Service.ANALYZER: self.processed,
            Service.EMBEDDER: self.analyzed,
        }
        if needed.get(self.from_stage) is None:
            raise ValueError(f"no input for stage {self.from_stage}")
        return self

    def subject(self) -> str:
        """The upload id."""
        return self.upload.upload_id

    def extensions(self) -> dict[str, str]:
        """``fromstage`` is what each stage's subscription filters on."""
        return {"fromstage": self.from_stage.value}
