"""Writes sound (chords that fade) and films (title cards with a bar that moves), with tags."""

import array
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from PIL import Image, ImageDraw

from localcloud.samples.pictures import Colour, draw_card

RATE = 24_000
_FRAME = 1_024
_FPS = 10
# Without looking ahead, or the same pictures would not always give the same bytes.
_X264 = {"preset": "veryfast", "crf": "28", "threads": "1", "x264-params": "mbtree=0:rc-lookahead=0:sync-lookahead=0"}


def write_audio(path: Path, codec: str, melody: Sequence[float], seconds: float, tags: dict[str, str]) -> None:
    """One note (Hz) after another over the whole length; the container follows from the path's ending."""
    with av.open(str(path), "w") as container:
        container.metadata.update(tags)
        _add_sound(container, codec, melody, seconds)


def write_video(
    path: Path,
    size: tuple[int, int],
    scenes: Sequence[tuple[Colour, Sequence[str]]],
    scene_s: float,
    tags: dict[str, str],
) -> None:
    """H.264 and AAC; each scene is a card with words, cut hard."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        container.metadata.update(tags)
        stream = container.add_stream("libx264", rate=_FPS, options=_X264)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        sound = container.add_stream("aac", rate=RATE, options={"b": "32000"})
        sound.layout = "mono"
        for number, picture in enumerate(_pictures(size, scenes, scene_s)):
            frame = av.VideoFrame.from_image(picture)
            frame.pts, frame.time_base = number, Fraction(1, _FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        for frame in _sound_frames([262.0, 330.0, 392.0, 523.0], scene_s * len(scenes)):
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))


def _add_sound(container: OutputContainer, codec: str, melody: Sequence[float], seconds: float) -> None:
    stream = container.add_stream(codec, rate=RATE)
    assert isinstance(stream, av.AudioStream)
    stream.layout = "mono"
    resampler = av.AudioResampler(stream.format, "mono", RATE, stream.codec_context.frame_size or None)
    for frame in _sound_frames(melody, seconds):
        for fitted in resampler.resample(frame):
            container.mux(stream.encode(fitted))
    for fitted in resampler.resample(None):
        container.mux(stream.encode(fitted))
    container.mux(stream.encode(None))


def _pictures(
    size: tuple[int, int], scenes: Sequence[tuple[Colour, Sequence[str]]], scene_s: float
) -> Iterator[Image.Image]:
    count = int(scene_s * _FPS)
    for paper, lines in scenes:
        card = draw_card(size, paper, lines, size[1] / 9)
        for step in range(count):
            picture = card.copy()
            done = int(size[0] * step / count)
            ImageDraw.Draw(picture).rectangle((0, size[1] - 12, done, size[1]), fill=(240, 120, 40))
            yield picture


def _sound_frames(melody: Sequence[float], seconds: float) -> Iterator[av.AudioFrame]:
    total = int(seconds * RATE)
    note_length = max(total // len(melody), 1)
    for start in range(0, total, _FRAME):
        samples = array.array("h", (_sample(melody, note_length, n) for n in range(start, start + _FRAME)))
        frame = av.AudioFrame(format="s16", layout="mono", samples=_FRAME)
        frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
        frame.planes[0].update(samples.tobytes())
        yield frame


def _sample(melody: Sequence[float], note_length: int, number: int) -> int:
    note, into = divmod(number, note_length)
    hertz = melody[note % len(melody)]
    fade = math.exp(-2.5 * into / note_length) * min(into / 200, 1.0)
    wave = math.sin(math.tau * hertz * number / RATE) + 0.4 * math.sin(math.tau * hertz * 1.5 * number / RATE)
    return int(9_000 * fade * wave)
