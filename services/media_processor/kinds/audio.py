"""Turns a recording into duration, codec and tags, and a waveform picture of its whole length."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import av
from av import AudioFrame
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Stream
from PIL import Image, ImageDraw

from contracts.artifacts import Degradation, FailureCode, MediaProperties
from eventing.errors import Reject
from media_processor.container_tags import beside_facts, read_tags, time_of
from media_processor.containers import open_media, refuse_protected, start_of
from media_processor.damage import Damage, frames_of, packets_of
from media_processor.decoded import DecodedSound
from media_processor.formats import Format
from media_processor.kinds.row import Note, Prepared, Source
from media_processor.sound import runs_alike, write_sound

PEAKS = 600
_TOLD_PEAKS = 200
_WAVEFORM = (600, 300)
_BACKGROUND, _BARS, _AXIS = (247, 248, 250), (52, 96, 168), (200, 205, 214)
_PEAK_RATE = 8_000
_GUESSED, _STARTS_LATE_S = frozenset({"aac"}), 1.0


@dataclass
class OpenedAudio:
    """A recording of which a frame could be decoded; reopened for each step."""

    path: Path
    format: Format
    damage: Damage = field(default_factory=Damage)

    @cached_property
    def peaks(self) -> list[int]:
        """See :func:`read_peaks`; read once."""
        return read_peaks(self.path, self.format, self.damage)


def validate(source: Source) -> OpenedAudio:
    """Decodes the first frame that can be. Raises ``Reject``."""
    refuse_protected(source.path, source.format)
    opened = OpenedAudio(source.path, source.format)
    try:
        with open_media(source.path, source.format) as container:
            if not container.streams.audio:
                raise Reject(FailureCode.CORRUPT, "The file holds no sound.")
            next(frames_of(packets_of(container, container.streams.audio[:1], opened.damage), opened.damage))
    except (FFmpegError, StopIteration, ValueError) as error:
        raise Reject(FailureCode.CORRUPT, "The recording is damaged or cut off.") from error
    return opened


def metadata(opened: OpenedAudio) -> MediaProperties:
    """Duration, bit rate, codec and tags."""
    with open_media(opened.path, opened.format) as container:
        stream = container.streams.audio[0]
        tags = read_tags({**stream.metadata, **container.metadata})
        return MediaProperties(
            duration_s=length_of(container, stream),
            audio_codec=stream.codec_context.codec.canonical_name,
            bit_rate=stream.codec_context.bit_rate or container.bit_rate or None,
            sample_rate=stream.codec_context.sample_rate or None,
            channels=stream.codec_context.channels or None,
            peaks=_told(opened),
            title=tags.get("title", "")[:500] or None,
            author=(tags.get("artist") or tags.get("album_artist") or tags.get("composer") or "")[:500] or None,
            taken_at=time_of(tags),
            tags=beside_facts(tags),
        )


def thumbnail(opened: OpenedAudio) -> Image.Image:
    """The waveform: one bar per slice of the whole length, scaled to the loudest."""
    return draw_waveform(opened.peaks)


def prepare(opened: OpenedAudio) -> Prepared:
    """No text of its own (speech is the analyzer's); says so when the end of the file is missing."""
    with open_media(opened.path, opened.format) as container:
        stream = container.streams.audio[0]
        announced = duration_of(container, stream) or 0.0
        last = _end_of(container, stream)
    if announced > 1 and last < announced * 0.9:
        reason = f"The recording ends at {last:.0f} s of the {announced:.0f} s it announces."
        return Prepared(degradations=[Degradation(step="read_to_end", reason=reason)])
    return Prepared()


def speech(opened: OpenedAudio, output: Path, note: Note) -> list[DecodedSound]:
    """The whole recording for a speech backend."""
    return write_sound(opened.path, opened.format, output, note, opened.damage)


def length_of(container: InputContainer, stream: Stream) -> float | None:
    """Seconds, as stated or else as found by reading the container to its end, which then has to be opened anew.

    What browsers record states no length; see also :func:`duration_of`.
    """
    return duration_of(container, stream) or round(_end_of(container, stream), 3) or None


def duration_of(container: InputContainer, stream: Stream) -> float | None:
    """Seconds, as the container or else the stream states them; None if neither states any that can be relied on.

    What is stated of raw AAC is FFmpeg's guess, and of what was cut out of something longer where it ends there.
    """
    if container.format.name in _GUESSED or start_of(container) > _STARTS_LATE_S:
        return None
    if container.duration and container.duration > 0:
        return round(container.duration / av.time_base, 3)
    if stream.duration and stream.duration > 0 and stream.time_base:
        return round(float(stream.duration * stream.time_base), 3)
    return None


def _end_of(container: InputContainer, stream: Stream) -> float:
    """The second, from the start, at which the last packet ends that can be read."""
    start_s, last = start_of(container), 0.0
    for packet in packets_of(container, [stream], Damage()):
        if packet.pts is not None and packet.time_base:
            last = max(last, float((packet.pts + (packet.duration or 0)) * packet.time_base) - start_s)
    return last


def read_peaks(path: Path, format_: Format, damage: Damage) -> list[int]:
    """Up to 600 peaks (0 to 32767) spread over the whole length, whatever the length; what can be read counts."""
    peaks: list[int] = []
    block = _PEAK_RATE // 100  # 10 ms; doubled whenever there are twice as many peaks as wanted
    rest = b""
    with open_media(path, format_) as container:
        for small in _at_peak_rate(frames_of(packets_of(container, container.streams.audio[:1], damage), damage)):
            samples = memoryview(rest + bytes(small.planes[0])[: small.samples * 2]).cast("h")
            whole = len(samples) - len(samples) % block
            peaks += [_peak(samples[i : i + block]) for i in range(0, whole, block)]
            rest = bytes(samples[whole:])
            if len(peaks) >= 2 * PEAKS:
                peaks = [max(peaks[i : i + 2]) for i in range(0, len(peaks), 2)]
                block *= 2
    return peaks


def _at_peak_rate(frames: Iterator[AudioFrame]) -> Iterator[AudioFrame]:
    for alike in runs_alike(frames):
        resampler = av.AudioResampler(format="s16", layout="mono", rate=_PEAK_RATE)
        for frame in alike:
            yield from resampler.resample(frame)


def _told(opened: OpenedAudio) -> tuple[int, ...]:
    """At most 200 peaks in hundredths of the loudest."""
    peaks = opened.peaks
    count, loudest = min(len(peaks), _TOLD_PEAKS), max([*peaks, 1])
    edges = [i * len(peaks) // count for i in range(count + 1)] if count else [0]
    return tuple(round(100 * max(peaks[a:b]) / loudest) for a, b in pairwise(edges))


def draw_waveform(peaks: list[int]) -> Image.Image:
    """The peaks as mirrored bars on a 600 x 300 picture."""
    image = Image.new("RGB", _WAVEFORM, _BACKGROUND)
    pen = ImageDraw.Draw(image)
    width, height = _WAVEFORM
    middle = height // 2
    pen.line((0, middle, width, middle), fill=_AXIS)
    loudest = max([*peaks, 1])
    for x in range(0, width, 3):
        start = x * len(peaks) // width
        here = max(peaks[start : max((x + 3) * len(peaks) // width, start + 1)], default=0)
        reach = int(here / loudest * (middle - 12))
        if reach:
            pen.rectangle((x, middle - reach, x + 1, middle + reach), fill=_BARS)
    return image


def _peak(samples: "memoryview[int]") -> int:
    highest, lowest = max(samples), min(samples)
    return min(max(highest, -lowest), 32767)
