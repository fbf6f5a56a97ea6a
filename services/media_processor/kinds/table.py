"""The kinds of files there are, one row each."""

from typing import Any

from contracts.artifacts import Kind
from media_processor.kinds import audio, document, image, video
from media_processor.kinds.row import Row

ROWS: dict[Kind, Row[Any]] = {
    Kind.IMAGE: Row(image.validate, image.metadata, image.thumbnail, image.prepare, preview=image.preview),
    Kind.VIDEO: Row(
        video.validate, video.metadata, video.thumbnail, video.prepare, preview=video.preview, speech=video.speech
    ),
    Kind.AUDIO: Row(audio.validate, audio.metadata, audio.thumbnail, audio.prepare, "image/png", speech=audio.speech),
    Kind.DOCUMENT: Row(document.validate, document.metadata, document.thumbnail, document.prepare),
}
