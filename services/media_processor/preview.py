"""Turns a film into a preview every browser plays: its first 30 s as H.264 and AAC in MP4, index first, small.

Encoding has a budget of time; what is done by then is the preview.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
from av import AudioFrame, AudioResampler, AudioStream, VideoFrame, VideoStream
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError

from media_processor.containers import moving_picture, open_media
from media_processor.formats import Format
from media_processor.kinds.row import Note

LENGTH_S = 30.0
BOX = (640, 360)
FRAMES_PER_S = 15
_BUDGET_S = 10.0
_SOUND_RATE = 48_000
_X264 = {"preset": "veryfast", "crf": "28", "maxrate": "1200k", "bufsize": "2400k", "g": "60", "threads": "2"}
_AAC = {"b": "64000"}


@dataclass
class _Encoder:
    container: OutputContainer
    picture: VideoStream
    sound: AudioStream | None
    shown: int = -1
    heard: int = -1
    resampler: AudioResampler = field(default_factory=lambda: AudioResampler("fltp", "stereo", _SOUND_RATE))

    def add(self, second: float, frame: VideoFrame | AudioFrame) -> None:
        if isinstance(frame, VideoFrame):
            self._add_picture(int(second * FRAMES_PER_S + 0.001), frame)
        elif self.sound:
            self.heard = int(second * _SOUND_RATE) if self.heard < 0 else self.heard
            for resampled in self.resampler.resample(frame):
                resampled.pts, resampled.time_base = self.heard, Fraction(1, _SOUND_RATE)
                self.heard += resampled.samples
                self.container.mux(self.sound.encode(resampled))

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


def write_preview(path: Path, format_: Format, size: tuple[int, int], target: Path, note: Note) -> None:
    """Writes ``target``, an MP4; ``size`` is that of the film as shown. Raises ``FFmpegError``, ``ValueError``."""
    deadline = time.monotonic() + _BUDGET_S
    with (
        open_media(path, format_) as film,
        av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as container,
    ):
        encoder = _encoder(container, size, has_sound=bool(film.streams.audio))
        try:
            for second, frame in _frames(film):
                if second >= LENGTH_S:
                    break
                if time.monotonic() > deadline:
                    note("preview", f"It shows only the first {second:.0f} s: encoding took too long.")
                    break
                encoder.add(second, frame)
        except FFmpegError as error:
            note("preview", f"It ends where the film could not be read: {error}")
        if encoder.shown < 0:
            raise ValueError("no picture could be decoded")
        encoder.finish()


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


def _frames(film: InputContainer) -> Iterator[tuple[float, VideoFrame | AudioFrame]]:
    """(second, frame) of picture and sound as they come."""
    picture = moving_picture(film)
    assert picture is not None
    start = (film.start_time or 0) / av.time_base
    for packet in film.demux([picture, *film.streams.audio[:1]]):
        for frame in packet.decode():
            if isinstance(frame, VideoFrame | AudioFrame) and frame.time is not None:
                yield max(frame.time - start, 0.0), frame


def _scaled(frame: VideoFrame, size: tuple[int, int]) -> VideoFrame:
    if not frame.rotation:
        return frame.reformat(*size, format="yuv420p")
    lying = size if frame.rotation % 180 == 0 else size[::-1]
    picture = frame.reformat(*lying, format="rgb24").to_image()
    return VideoFrame.from_image(picture.rotate(frame.rotation, expand=True))
