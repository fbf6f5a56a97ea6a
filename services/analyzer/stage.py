"""Turns a processed file into its analysis: reads the material, asks the backend, names the artifact and the event."""

from analyzer.backends.backend import Backend
from contracts.artifacts import Analysis, ArtifactRef, Material, UploadRef
from contracts.events import MediaAnalyzedV1, MediaProcessedV1
from eventing.handlers import Outcome, StageInputs

_STAGE = "1"
_LONGEST_TITLE = 500
_LONGEST_SUMMARY = 4000
_MOST_LABELS = 50
_MOST_DEGRADATIONS = 20


def stage_version(backend: Backend) -> str:
    """Changes with the model, the prompt or this stage: then files are analysed anew when they come again."""
    return f"{_STAGE}-{backend.model_id}-{backend.prompt_version}"


async def analyze(backend: Backend, processed: MediaProcessedV1, upload: UploadRef, inputs: StageInputs) -> Outcome:
    """``upload`` is the run the result belongs to; ``processed`` may stem from an earlier one."""
    material = await inputs.read_model(processed.material, Material)

    analysis = await backend.analyze(material, inputs.read)
    artifact = inputs.model_artifact("analysis.json", analysis)
    return Outcome(artifacts=[artifact], events=[_announced(processed, upload, analysis, artifact.ref)])


def _announced(
    processed: MediaProcessedV1, upload: UploadRef, analysis: Analysis, artifact: ArtifactRef
) -> MediaAnalyzedV1:
    return MediaAnalyzedV1(
        upload=upload,
        filename=processed.filename,
        kind=processed.kind,
        title=analysis.title[:_LONGEST_TITLE],
        summary=analysis.summary[:_LONGEST_SUMMARY],
        labels=analysis.labels[:_MOST_LABELS],
        language=analysis.language,
        analysis=artifact,
        segment_count=len(analysis.segments),
        moderation=analysis.moderation,
        usage=analysis.usage,
        model_id=analysis.model_id,
        prompt_version=analysis.prompt_version,
        degradations=analysis.degradations[:_MOST_DEGRADATIONS],
    )
