"""Turns a finished object in the uploads bucket into properties, a thumbnail and material, or a stated refusal."""

import asyncio
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from contracts.artifacts import (
    FailureCode,
    Material,
    MaterialPicture,
    MaterialSound,
    Service,
    Storyboard,
    StoryboardPicture,
)
from contracts.events import MediaProcessedV1, ObjectFinalizedV1
from contracts.identifiers import UNKNOWN_OWNER, is_folders_placeholder
from eventing.errors import Discard, Reject
from eventing.handlers import NewArtifact, Outcome, Stage, StageInputs
from hosting.sizes import told_apart
from media_processor.decoded import Decoded, DecodedFile, DecodeLimits
from media_processor.sandbox import Sandbox
from media_processor.text_encoding import clip

STAGE_VERSION = "6"
_NAME_LENGTH = 1024


@dataclass(frozen=True)
class ProcessObject:
    """The work on one object: its child processes, and what it refuses. ``max_file_size`` in bytes."""

    sandbox: Sandbox
    max_file_size: int = 100 * 1024 * 1024
    limits: DecodeLimits = field(default_factory=DecodeLimits)

    async def __call__(self, event: ObjectFinalizedV1, inputs: StageInputs, /) -> Outcome:
        """Raises ``Reject`` with the code of what is wrong with the file, ``Discard`` for a folder's placeholder."""
        self._check(event)
        source = await inputs.download_source(event.upload, self.max_file_size)
        sha256 = await asyncio.to_thread(_sha256, source)
        output = inputs.workdir / "decoded"
        output.mkdir()
        filename = clip(event.filename, _NAME_LENGTH) or "unnamed"
        decoded = await self.sandbox.decode(source, filename, output, self.limits)
        pictures = [inputs.artifact(p.name, "image/jpeg", output / p.name) for p in decoded.pictures]
        places = [inputs.artifact(p.name, "image/jpeg", output / p.name) for p in decoded.storyboard]
        sounds = [inputs.artifact(s.name, "audio/ogg", output / s.name) for s in decoded.speech]
        material = inputs.model_artifact("material.json", _material(filename, decoded, pictures, sounds))
        thumbnail = _stored(decoded.thumbnail, output, inputs)
        preview = _stored(decoded.preview, output, inputs)
        storyboard = inputs.model_artifact("storyboard.json", _storyboard(decoded, places)) if places else None
        processed = MediaProcessedV1(
            upload=event.upload,
            filename=filename,
            kind=decoded.kind,
            media_type=decoded.media_type,
            declared_media_type=event.declared_media_type,
            size_bytes=source.stat().st_size,
            sha256=sha256,
            created_at=event.created_at,
            properties=decoded.properties,
            material=material.ref,
            thumbnail=thumbnail.ref if thumbnail else None,
            preview=preview.ref if preview else None,
            storyboard=storyboard.ref if storyboard else None,
            degradations=decoded.degradations,
        )
        derived = [artifact for artifact in (thumbnail, preview, storyboard) if artifact]
        return Outcome(artifacts=[*pictures, *places, *sounds, *derived, material], events=[processed])

    def _check(self, event: ObjectFinalizedV1) -> None:
        if is_folders_placeholder(event.upload.object_name, event.size_bytes):
            raise Discard("a folder's placeholder")
        if event.upload.user_id == UNKNOWN_OWNER:
            raise Reject(
                FailureCode.UNKNOWN_OWNER,
                "The object's owner cannot be told from its name: files belong under “{user_id}/…”.",
            )
        if event.size_bytes == 0:
            raise Reject(FailureCode.FILE_SIZE, "The file is empty (0 bytes).")
        if event.size_bytes > self.max_file_size:
            size, allowed = told_apart(event.size_bytes, self.max_file_size)
            raise Reject(FailureCode.FILE_SIZE, f"The file has {size}; {allowed} are allowed.")


def stage(process: ProcessObject) -> Stage[ObjectFinalizedV1]:
    """media-processor's ear on finished objects."""
    return Stage(Service.MEDIA_PROCESSOR, STAGE_VERSION, ObjectFinalizedV1, lambda event: event.upload, process)


def _material(filename: str, decoded: Decoded, pictures: list[NewArtifact], sounds: list[NewArtifact]) -> Material:
    return Material(
        kind=decoded.kind,
        filename=filename,
        properties=decoded.properties,
        texts=decoded.texts,
        pictures=tuple(
            MaterialPicture(image=stored.ref, locator=seen.locator, width=seen.width, height=seen.height)
            for stored, seen in zip(pictures, decoded.pictures, strict=True)
        ),
        speech=tuple(
            MaterialSound(audio=stored.ref, locator=heard.locator, stretches=heard.stretches)
            for stored, heard in zip(sounds, decoded.speech, strict=True)
        ),
    )


def _storyboard(decoded: Decoded, places: list[NewArtifact]) -> Storyboard:
    return Storyboard(
        pictures=tuple(
            StoryboardPicture(image=stored.ref, locator=place.locator)
            for stored, place in zip(places, decoded.storyboard, strict=True)
        )
    )


def _stored(file: DecodedFile | None, output: Path, inputs: StageInputs) -> NewArtifact | None:
    return inputs.artifact(file.name, file.media_type, output / file.name) if file else None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
