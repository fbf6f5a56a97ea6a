"""Turns a video into facts, a first good frame, frames spread over its whole length, and its subtitles as timed text.

Which frames are wanted is told by ``scenes``; only those are decoded in full size.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError
from PIL import Image, ImageStat

from contracts.artifacts import Degradation, FailureCode, Locator, MediaProperties
from eventing.errors import Reject
from media_processor import pictures, scenes, subtitles
from media_processor.container_tags import beside_facts, camera_of, place_of, read_tags, time_of
from media_processor.containers import moving_picture, open_media, refuse_protected
from media_processor.damage import Damage, frames_of, packets_of
from media_processor.decoded import DecodedFile, DecodedSound
from media_processor.frames import FrameReader
from media_processor.kinds.audio import length_of
from media_processor.kinds.row import Note, Prepared, Shot, Source
from media_processor.preview import write_preview
from media_processor.sound import write_sound

_BLACK_MEAN, _FLAT_DEVIATION = 16.0, 8.0
_WIDEST_PIXEL = 8
_LOOK_FOR_GOOD_FRAME_S = (0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0)


@dataclass(frozen=True)
class OpenedVideo:
    """A video of which a frame, or else some sound, could be decoded; reopened for each step."""

    source: Source
    duration_s: float
    size: tuple[int, int]
    """As seen: width and height in square pixels, after turning."""

    damage: Damage = field(default_factory=Damage)


def validate(source: Source) -> OpenedVideo:
    """Decodes the first frame that can be. Raises ``Reject``."""
    refuse_protected(source.path, source.format)
    damage = Damage()
    try:
        with open_media(source.path, source.format) as container:
            stream = _picture_stream(container)
            pictures.check_pixels(stream.width, stream.height, source.limits.max_pixels)
            first = next(frames_of(packets_of(container, [stream], damage), damage), None)
            if first is None:
                _check_sound(source)
            turned = first is not None and first.rotation % 180 != 0
            width, height = round(stream.width * _pixel_width(stream)), stream.height
            size = (height, width) if turned else (width, height)
            return OpenedVideo(source, length_of(container, stream) or 0.0, size, damage)
    except (FFmpegError, StopIteration, ValueError) as error:
        raise Reject(FailureCode.CORRUPT, "The video is damaged or cut off.") from error


def _check_sound(source: Source) -> None:
    """Raises ``StopIteration`` if no sound can be decoded either."""
    with open_media(source.path, source.format) as container:
        sound = container.streams.audio[:1]
        next(frames_of(packets_of(container, sound, Damage()), Damage()) if sound else iter(()))


def metadata(opened: OpenedVideo) -> MediaProperties:
    """Duration, codecs, resolution as seen, frame rate, tags, and where, when and with what it was taken."""
    with open_media(opened.source.path, opened.source.format) as container:
        stream = _picture_stream(container)
        sound = container.streams.audio[0].codec_context if container.streams.audio else None
        rate = stream.average_rate or stream.guessed_rate
        tags = read_tags({**stream.metadata, **container.metadata})
        latitude, longitude = place_of(tags)
        return MediaProperties(
            width=opened.size[0] or None,
            height=opened.size[1] or None,
            duration_s=opened.duration_s or None,
            frame_rate=round(float(rate), 3) if rate else None,
            frame_count=stream.frames or None,
            video_codec=stream.codec_context.codec.canonical_name,
            audio_codec=sound.codec.canonical_name if sound else None,
            sample_rate=sound.sample_rate if sound else None,
            channels=sound.channels if sound else None,
            bit_rate=container.bit_rate or None,
            title=tags.get("title", "")[:500] or None,
            author=tags.get("artist", "")[:500] or None,
            camera=camera_of(tags) or None,
            taken_at=time_of(tags),
            latitude=latitude,
            longitude=longitude,
            tags=beside_facts(tags),
        )


def thumbnail(opened: OpenedVideo) -> Image.Image | None:
    """The first frame that is neither black nor of one colour; the richest of those looked at if none is."""
    best: tuple[float, Image.Image] | None = None
    later = [opened.duration_s * share for share in (0.1, 0.25, 0.5)]
    times = sorted(t for t in {*_LOOK_FOR_GOOD_FRAME_S, *later} if t == 0 or t < opened.duration_s)
    for _, frame in frames_at(opened.source, times, opened.damage):
        statistics = ImageStat.Stat(frame.convert("L"))
        if statistics.mean[0] > _BLACK_MEAN and statistics.stddev[0] > _FLAT_DEVIATION:
            return frame
        if best is None or statistics.stddev[0] > best[0]:
            best = (statistics.stddev[0], frame)
    return best[1] if best else None


def prepare(opened: OpenedVideo) -> Prepared:
    """Subtitles, and frames for the analyzer, each with the stretch of time it stands for."""
    degradations: list[Degradation] = []
    texts = subtitles.read(opened.source, degradations)
    return Prepared(texts=texts, shots=_shots(opened, degradations), degradations=degradations)


def preview(opened: OpenedVideo, output: Path, note: Note) -> DecodedFile | None:
    """The first 30 s, as every browser plays them; none without pictures."""
    source, name = opened.source, "preview.mp4"
    written = write_preview(source.path, source.format, opened.size, output / name, note, opened.damage)
    return DecodedFile(name=name, media_type="video/mp4") if written else None


def speech(opened: OpenedVideo, output: Path, note: Note) -> list[DecodedSound]:
    """The film's first sound track for a speech backend, whole."""
    source = opened.source
    with open_media(source.path, source.format) as container:
        if not container.streams.audio:
            return []
    return write_sound(source.path, source.format, output, note, opened.damage)


def _shots(opened: OpenedVideo, degradations: list[Degradation]) -> Iterator[Shot]:
    source = opened.source
    looks = scenes.look_through(lambda: open_media(source.path, source.format), opened.duration_s, opened.damage)
    length = max(opened.duration_s, looks[-1].second if looks else 0.0)
    times = scenes.choose_times(looks, length, source.limits.max_frames)
    ends = [*times[1:], length]
    for index, picture in frames_at(source, times, opened.damage):
        start = times[index]
        yield Shot(picture, Locator(start_s=round(start, 3), end_s=round(max(start, ends[index]), 3)))
    if told := opened.damage.told_of("video"):
        degradations.append(Degradation(step="pictures", reason=told))


def frames_at(source: Source, times: list[float], damage: Damage) -> Iterator[tuple[int, Image.Image]]:
    """(index into ``times``, in order, the frame shown then, upright, of analysis size); ends where the video does."""
    with open_media(source.path, source.format) as container:
        stream = _picture_stream(container)
        reader, pixel_width = FrameReader(container, stream, damage), _pixel_width(stream)
        for index, second in enumerate(times):
            frame = reader.frame_at(second)
            if frame is None:
                return
            yield index, _as_picture(frame, pixel_width)


def _as_picture(frame: "av.VideoFrame", pixel_width: float) -> Image.Image:
    full_width = frame.width * pixel_width
    scale = min(pictures.ANALYSIS_BOX[0] / full_width, pictures.ANALYSIS_BOX[1] / frame.height, 1.0)
    width, height = max(round(full_width * scale), 2), max(int(frame.height * scale), 2)
    picture = frame.reformat(width=width, height=height, format="rgb24").to_image()
    return picture.rotate(frame.rotation, expand=True) if frame.rotation else picture


def _pixel_width(stream: "av.VideoStream") -> float:
    """How wide a pixel is for its height: 1, but for DV, DVD and lenses that squeeze; nonsense is ignored."""
    ratio = float(stream.sample_aspect_ratio or 1)
    return ratio if 1 / _WIDEST_PIXEL <= ratio <= _WIDEST_PIXEL else 1.0


def _picture_stream(container: InputContainer) -> "av.VideoStream":
    stream = moving_picture(container)
    if stream is None:
        raise Reject(FailureCode.CORRUPT, "The video holds no moving picture.")
    return stream
