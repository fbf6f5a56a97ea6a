"""Makes films as cameras and editors write them: picture, sound, subtitles, and tags that say where and when."""

import random
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import SubtitleSet
from PIL import Image

from tests.unit.media_processor import files

Cue = tuple[float, float, str]
"""(start, end, text) in seconds."""

SOUND_RATE = 24_000
FPS = 5
_CODECS = {
    "mp4": ("libx264", "aac", "mov_text"),
    "mov": ("libx264", "aac", "mov_text"),
    "mkv": ("libx264", "libopus", "subrip"),
    "webm": ("libvpx", "libopus", "webvtt"),
    "avi": ("mpeg4", "libmp3lame", ""),
}
_SOUND_FILES = {"wav": ("pcm_s16le", "wav"), "m4a": ("aac", "mp4"), "aac": ("aac", "adts")}
_ASS_HEADER = b"[Script Info]\n[V4+ Styles]\n[Events]\n"
_TICK = Fraction(1, 1000)


def film_file(
    path: Path,
    seconds: int = 3,
    cues: Sequence[Cue] = (),
    tags: Mapping[str, str] | None = None,
    size: tuple[int, int] = (160, 96),
    pixel: Fraction = Fraction(1),
) -> Path:
    """Of the container the path's ending names; the picture is ``files.picture``, the sound is noise.

    Each pixel is ``pixel`` times as wide as high.
    """
    picture_codec, sound_codec, text_codec = _CODECS[path.suffix[1:]]
    options = {"movflags": "use_metadata_tags"} if path.suffix == ".mov" else {}
    with av.open(str(path), "w", options=options) as container:
        container.metadata.update(tags or {})
        picture = container.add_stream(picture_codec, rate=FPS)
        assert isinstance(picture, av.VideoStream)
        picture.width, picture.height, picture.pix_fmt = *size, "yuv420p"
        picture.codec_context.sample_aspect_ratio = pixel
        sound = container.add_stream(sound_codec, rate=SOUND_RATE)
        assert isinstance(sound, av.AudioStream)
        sound.layout = "mono"
        track = container.add_stream(text_codec) if cues else None
        if isinstance(track, SubtitleStream):
            track.codec_context.subtitle_header = _ASS_HEADER
        _write_picture(container, picture, size, seconds)
        write_sound(container, sound, [True] * seconds)
        for cue in cues:
            assert isinstance(track, SubtitleStream)
            _write_cue(container, track, cue)
    return path


def silent_film(path: Path) -> Path:
    """Three seconds without sound, in VP8 (Ogg)."""
    with av.open(str(path), "w", format="ogg") as container:
        stream = container.add_stream("libvpx", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        _write_picture(container, stream, (160, 96), 3)
    return path


def long_film(path: Path, hours: float) -> Path:
    """One frame a second, another colour every five minutes, no sound: cheap to make, long to read."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=1, options={"preset": "ultrafast", "g": "60"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for start in range(0, int(hours * 3600), 300):
            colour = (start * 37 // 300 % 256, start * 91 // 300 % 256, 90)
            frame = av.VideoFrame.from_image(Image.new("RGB", (64, 48), colour)).reformat(format="yuv420p")
            for second in range(start, start + 300):
                frame.pts, frame.time_base = second, Fraction(1)
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def brightening_film(
    path: Path, seconds: int, key_every_s: int | None, options: Mapping[str, str] | None = None
) -> Path:
    """``FPS`` frames a second, twice as many grey levels bright as it is seconds in; key frames at intervals or one.

    ``options`` are the container's.
    """
    gap = str(key_every_s * FPS if key_every_s else 1_000_000)
    kind = {".ogv": "ogg"}.get(path.suffix)
    with av.open(str(path), "w", format=kind, options=dict(options or {})) as container:
        codec = "libvpx" if kind else _CODECS[path.suffix[1:]][0]
        stream = container.add_stream(codec, rate=FPS, options={"g": gap, "keyint_min": gap, "sc_threshold": "0"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(seconds * FPS):
            grey = Image.new("RGB", (64, 48), (number * 2 // FPS,) * 3)
            container.mux(stream.encode(av.VideoFrame.from_image(grey)))
        container.mux(stream.encode(None))
    return path


def av1_film(path: Path, scene_s: int, scenes: int) -> Path:
    """Scenes of one grey each, with one key frame at the start."""
    with av.open(str(path), "w") as container:
        options = {"preset": "12", "svtav1-params": "keyint=-1:scd=0"}
        stream = container.add_stream("libsvtav1", rate=FPS, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for number in range(scenes * scene_s * FPS):
            grey = Image.new("RGB", (64, 64), (60 * (number // (scene_s * FPS)),) * 3)
            container.mux(stream.encode(av.VideoFrame.from_image(grey)))
        container.mux(stream.encode(None))
    return path


def sound_file(path: Path, loud: Sequence[bool]) -> Path:
    """Noise and silence, one second each: a WAV, an M4A, or raw AAC."""
    codec, container_name = _SOUND_FILES[path.suffix[1:]]
    with av.open(str(path), "w", format=container_name) as container:
        stream = container.add_stream(codec, rate=SOUND_RATE)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        write_sound(container, stream, loud)
    return path


def write_sound(container: OutputContainer, stream: "av.AudioStream", loud: Sequence[bool]) -> None:
    """Encodes seconds of noise or of silence, and ends the stream."""
    noise, silence = random.Random(1).randbytes(SOUND_RATE * 2), bytes(SOUND_RATE * 2)
    for second, is_loud in enumerate(loud):
        frame = av.AudioFrame(format="s16", layout="mono", samples=SOUND_RATE)
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, second * SOUND_RATE, Fraction(1, SOUND_RATE)
        frame.planes[0].update(noise if is_loud else silence)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _write_picture(container: OutputContainer, stream: "av.VideoStream", size: tuple[int, int], seconds: int) -> None:
    for _ in range(seconds * FPS):
        container.mux(stream.encode(av.VideoFrame.from_image(files.picture(size))))
    container.mux(stream.encode(None))


def _write_cue(container: OutputContainer, track: SubtitleStream, cue: Cue) -> None:
    start, end, text = cue
    line = SubtitleSet.create(text=f"0,0,Default,,0,0,0,,{text}".encode(), start=0, end=round((end - start) * 1000))
    packet = track.codec_context.encode_subtitle(line)
    packet.stream, packet.time_base = track, _TICK
    packet.pts = packet.dts = round(start / _TICK)
    packet.duration = round((end - start) / _TICK)
    container.mux(packet)
