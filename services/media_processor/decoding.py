"""Turns one job into a report: detect, validate, then metadata, material and pictures, each of which may only degrade.

Runs in the sandbox's child; its results are files in the job's output directory. A step that ends the child costs no
more than itself and those after it: what was read before has been left by then.
"""

import errno
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import av.logging
from av.error import FFmpegError

from contracts.artifacts import Degradation, FailureCode, Locator, MaterialText, MediaProperties
from eventing.errors import Reject
from media_processor import pictures
from media_processor.decoded import (
    MAX_DEGRADATIONS,
    REPORT_NAME,
    UNFINISHED_NAMES,
    Decoded,
    DecodedFile,
    DecodedPicture,
    DecodedPlace,
    DecodeLimits,
    Job,
    Rejection,
    Report,
    Unfinished,
)
from media_processor.detect import detect
from media_processor.documents.content import cut_notes
from media_processor.kinds.row import Prepared, Row, Source
from media_processor.kinds.table import ROWS
from media_processor.text_encoding import clean, clip

_OUR_TROUBLE = frozenset({errno.EFBIG, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENOENT, errno.EACCES, errno.EMFILE})
_PICTURES_PER_NOTE = 10  # one with 10 MB of text takes 30 ms
ResultT = TypeVar("ResultT")


def run(job_json: str) -> None:
    """The child's entry: reads a ``Job``, leaves a ``Report``."""
    job = Job.model_validate_json(job_json)
    (job.output / REPORT_NAME).write_text(report_on(job).model_dump_json(), encoding="utf-8")


def warm_up() -> None:
    """Reads a text of our own, so that plugins, font and encoders are loaded: 10 ms that every child would spend."""
    with TemporaryDirectory() as directory:
        source = Path(directory) / "source"
        source.write_text("Warm.", encoding="utf-8")
        report_on(Job(source=source, output=Path(directory), filename="warm.txt", limits=DecodeLimits()))


def report_on(job: Job) -> Report:
    """Decodes the job's file; whatever goes wrong with it is in the report."""
    # Any other level lets FFmpeg's threads ask for the interpreter's lock, also while it waits for them: a deadlock.
    av.logging.set_level(None)
    try:
        return Report(decoded=_decode(job))
    except Reject as reject:
        return Report(rejection=Rejection(code=reject.code, message=reject.message))
    except MemoryError:
        message = "Reading the file needed more memory than is allowed."
        return Report(rejection=Rejection(code=FailureCode.RESOURCE_LIMIT, message=message))
    except Exception as error:  # decoders raise anything for a bad file, and only the file is new here
        if _is_ours(error):
            raise
        message = "The file is damaged."
        return Report(rejection=Rejection(code=FailureCode.CORRUPT, message=message, detail=_whereabouts(error)))


def _is_ours(error: Exception) -> bool:
    """True for trouble with the machine, which must be tried again and not be blamed on the file."""
    return isinstance(error, OSError) and not isinstance(error, FFmpegError) and error.errno in _OUR_TROUBLE


def _whereabouts(error: Exception) -> str:
    # Not the message: it may quote the file, and contents have no place in a log.
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join([type(error).__name__, *(f"{f.name} ({Path(f.filename).name}:{f.lineno})" for f in frames[::-1])])


@dataclass
class _Steps:
    """Runs optional steps: a failure becomes a degradation and the step's fallback."""

    decoded: Decoded
    output: Path
    _notes: int = 0

    def attempt(self, step: str, work: Callable[[], ResultT], fallback: ResultT) -> ResultT:
        self.leave_what_was_read(step)
        try:
            return work()
        except (MemoryError, RecursionError):
            self.add(step, "It needed more memory than is allowed.")
        except Exception as error:
            if _is_ours(error):
                raise
            self.add(step, error.message if isinstance(error, Reject) else f"{type(error).__name__}: {error}")
        return fallback

    def leave_what_was_read(self, step: str) -> None:
        """For the case that ``step`` ends the child. A new file each time: replacing one takes ten times as long."""
        self._notes += 1
        note = Unfinished(step=step, decoded=self.decoded)
        self._note(self._notes).write_text(note.model_dump_json(), encoding="utf-8")
        self._note(self._notes - 2).unlink(missing_ok=True)

    def _note(self, number: int) -> Path:
        return self.output / UNFINISHED_NAMES.replace("*", f"{number:04d}")

    def add(self, step: str, reason: str) -> None:
        self.add_all([Degradation(step=step, reason=clip(reason, 500))])

    def add_all(self, more: list[Degradation]) -> None:
        known = self.decoded.degradations
        new = [degradation for degradation in more if degradation not in known]
        self.decoded.degradations = (*known, *new)[:MAX_DEGRADATIONS]


def _decode(job: Job) -> Decoded:
    found = detect(job.source, job.filename)
    row = ROWS[found.kind]
    opened = row.validate(Source(job.source, job.filename, found, job.limits))
    decoded = Decoded(kind=found.kind, media_type=found.media_type)
    steps = _Steps(decoded, job.output)
    decoded.properties = steps.attempt("metadata", lambda: row.metadata(opened), MediaProperties())
    prepared = steps.attempt("prepare", lambda: row.prepare(opened), Prepared())
    decoded.texts = _bounded(prepared.texts, job.limits.max_text_chars, steps)
    steps.add_all(prepared.degradations)
    decoded.thumbnail = steps.attempt("thumbnail", lambda: _save_thumbnail(row, opened, job.output), None)
    if preview := row.preview:
        decoded.preview = steps.attempt("preview", lambda: preview(opened, job.output, steps.add), None)
    if speech := row.speech:
        decoded.speech = tuple(steps.attempt("speech", lambda: speech(opened, job.output, steps.add), []))
    # Last: no other step may take as long, and of this one every few pictures are kept.
    steps.attempt("pictures", lambda: _save_pictures(prepared, steps), None)
    steps.add_all(prepared.degradations)  # drawing the pictures may have added some
    return decoded


def _save_thumbnail(row: Row[Any], opened: Any, output: Path) -> DecodedFile | None:
    picture = row.thumbnail(opened)
    if picture is None:
        return None
    small = pictures.shrunk(picture, pictures.THUMBNAIL_BOX)
    name = "thumbnail.png" if row.thumbnail_type == "image/png" else "thumbnail.jpg"
    pictures.save_for_people(small, output / name)
    return DecodedFile(name=name, media_type=row.thumbnail_type)


def _save_pictures(prepared: Prepared, steps: _Steps) -> None:
    decoded, output = steps.decoded, steps.output
    for number, shot in enumerate(prepared.shots, start=1):
        if shot.for_analysis:
            name = f"picture-{number:04d}.jpg"
            pictures.save_quickly(shot.image, output / name)
            width, height = shot.image.size
            decoded.pictures += (DecodedPicture(name=name, locator=shot.locator, width=width, height=height),)
        if shot.locator != Locator():  # of a file that is one picture the thumbnail is all there is to show
            name = f"place-{number:04d}.jpg"
            pictures.save_quickly(pictures.shrunk(shot.image, pictures.THUMBNAIL_BOX), output / name)
            decoded.storyboard += (DecodedPlace(name=name, locator=shot.locator),)
        if number % _PICTURES_PER_NOTE == 0:
            steps.leave_what_was_read("pictures")


def _bounded(texts: list[MaterialText], limit: int, steps: _Steps) -> tuple[MaterialText, ...]:
    kept: list[MaterialText] = []
    left = limit
    for piece in texts:
        text = clean(piece.text).strip()
        if not text:
            continue
        if left <= 0 or len(text) > left:
            steps.add_all(cut_notes(True, limit))
            if left > 0:
                kept.append(piece.model_copy(update={"text": text[:left]}))
            break
        kept.append(piece.model_copy(update={"text": text}))
        left -= len(text)
    return tuple(kept)
