"""Turns a film into a preview every browser plays: its first 30 s as H.264 and AAC in MP4, index first, small.

Encoding has a budget of time; what is done by then is the preview.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av import AudioFrame, AudioResampler, AudioStream, VideoFrame, VideoStream
from av.container import InputContainer, OutputContainer

from media_processor.containers import moving_picture, open_media, start_of
from media_processor.damage import Damage, frames_of, packets_of
from media_processor.formats import Format
from media_processor.kinds.row import Note
from media_processor.sound import Form, form_of

LENGTH_S = 30.0
BOX = (640, 360)
FRAMES_PER_S = 15
_BUDGET_S = 10.0
_SOUND_RATE, _SOUND_FORMAT = 48_000, "fltp"
_GAP = _SOUND_RATE // 10
_X264 = {"preset": "veryfast", "crf": "28", "maxrate": "1200k", "bufsize": "2400k", "g": "60", "threads": "2"}
_AAC = {"b": "64000"}


@dataclass
class _Encoder:
    container: OutputContainer
    picture: VideoStream
    sound: AudioStream | None
    shown: int = -1
    heard: int = -1
    resampler: AudioResampler | None = None
    resampled: Form | None = None

    def add(self, second: float, frame: VideoFrame | AudioFrame) -> None:
        if isinstance(frame, VideoFrame):
            self._add_picture(int(second * FRAMES_PER_S + 0.001), frame)
        elif self.sound:
            self._add_sound(int(second * _SOUND_RATE), frame, self.sound)

    def _add_sound(self, at: int, frame: AudioFrame, sound: AudioStream) -> None:
        self.heard = at if self.heard < 0 else self.heard
        small = [_silence(at - self.heard)] if at - self.heard > _GAP else []
        if self.resampler is None or form_of(frame) != self.resampled:
            self.resampler, self.resampled = AudioResampler(_SOUND_FORMAT, "stereo", _SOUND_RATE), form_of(frame)
        for resampled in (*small, *self.resampler.resample(frame)):
            resampled.pts, resampled.time_base = self.heard, Fraction(1, _SOUND_RATE)
            self.heard += resampled.samples
            self.container.mux(sound.encode(resampled))

    def _add_picture(self, number: int, frame: VideoFrame) -> None:
        if number <= self.shown:
            return
        small = _scaled(frame, (self.picture.width, self.picture.height))
        small.pts, small.time_base = number, Fraction(1, FRAMES_PER_S)
        self.shown = number
        self.container.mux(self.picture.encode(small))

    def finish(self) -> None:
        self.container.mux(self.picture.encode(None))
        if self.sound and self.heard >= 0:
            self.container.mux(self.sound.encode(None))


def write_preview(path: Path, format_: Format, size: tuple[int, int], target: Path, note: Note, damage: Damage) -> bool:
    """Writes ``target``, an MP4; ``size`` is that of the film as shown. False if no picture of it could be decoded."""
    deadline = time.monotonic() + _BUDGET_S
    with (
        open_media(path, format_) as film,
        av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as container,
    ):
        encoder = _encoder(container, size, has_sound=bool(film.streams.audio))
        for second, frame in _frames(film, damage):
            if second >= LENGTH_S:
                break
            if time.monotonic() > deadline:
                note("preview", f"It shows only the first {second:.0f} s: encoding took too long.")
                break
            encoder.add(second, frame)
        if encoder.shown < 0:
            return False
        encoder.finish()
        return True


def _encoder(container: OutputContainer, size: tuple[int, int], *, has_sound: bool) -> _Encoder:
    picture = container.add_stream("libx264", rate=FRAMES_PER_S, options=_X264)
    picture.width, picture.height = fitted(size)
    picture.pix_fmt = "yuv420p"
    sound = container.add_stream("aac", rate=_SOUND_RATE, options=_AAC) if has_sound else None
    if sound:
        sound.layout = "stereo"
    return _Encoder(container, picture, sound)


def fitted(size: tuple[int, int]) -> tuple[int, int]:
    """Within the box (or the box turned, for a film shot upright), never enlarged; even, as H.264 wants it."""
    box = BOX if size[0] >= size[1] else BOX[::-1]
    scale = min(box[0] / size[0], box[1] / size[1], 1.0)
    width, height = (max(int(side * scale) // 2 * 2, 2) for side in size)
    return width, height


def _frames(film: InputContainer, damage: Damage) -> Iterator[tuple[float, VideoFrame | AudioFrame]]:
    """(second, frame) of picture and sound as they come."""
    picture = moving_picture(film)
    assert picture is not None
    start = start_of(film)
    for frame in frames_of(packets_of(film, [picture, *film.streams.audio[:1]], damage), damage):
        if frame.time is not None:
            yield max(frame.time - start, 0.0), frame


def _silence(samples: int) -> AudioFrame:
    """In place of what was damaged, so that what follows keeps its time."""
    frame = AudioFrame(_SOUND_FORMAT, "stereo", samples)
    frame.sample_rate = _SOUND_RATE
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return frame


def _scaled(frame: VideoFrame, size: tuple[int, int]) -> VideoFrame:
    if not frame.rotation:
        return frame.reformat(*size, format="yuv420p")
    lying = size if frame.rotation % 180 == 0 else size[::-1]
    picture = frame.reformat(*lying, format="rgb24").to_image()
    return VideoFrame.from_image(picture.rotate(frame.rotation, expand=True))
