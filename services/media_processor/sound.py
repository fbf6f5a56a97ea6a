"""Turns the sound of a recording or film into what a speech backend hears: mono, 16 kHz, in chunks, with stretches.

One pass, whatever the length: chunks are written as they are decoded, and end in silence where there is some. What is
missing or damaged becomes silence, so that what follows keeps its time.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import av
from av import AudioFrame, AudioStream
from av.container import InputContainer, OutputContainer
from av.error import BlockingIOError as NothingYetError
from av.error import EOFError as NothingMoreError
from av.filter import Graph

from contracts.artifacts import Locator
from media_processor.containers import open_media, start_of
from media_processor.damage import Damage, frames_of, packets_of
from media_processor.decoded import DecodedSound
from media_processor.formats import Format
from media_processor.kinds.row import Note
from media_processor.stretches import INAUDIBLE_DB, STEP_S, find_stretches, silent_below

RATE = 16_000
_STEP_SAMPLES = int(RATE * STEP_S)
CHUNK_S = 600.0
MAX_SOUND_S = 4 * 3600.0
_BUDGET_S = 120.0
_MAY_END_AT_S, _QUIET_STEPS = 0.85 * CHUNK_S, 3
_OPUS = {"b": "24000", "application": "voip", "compression_level": "1"}
_LEVEL = "lavfi.astats.Overall.RMS_level"
Form = tuple[int, str, str]
"""Rate, layout and format of sound."""

_FILTERS = (
    ("aresample", str(RATE)),
    ("aformat", "sample_fmts=s16:channel_layouts=mono"),
    ("asetnsamples", f"n={_STEP_SAMPLES}:p=0"),
    ("astats", "metadata=1:reset=1:measure_perchannel=none:measure_overall=RMS_level"),
    ("abuffersink", ""),
)


@dataclass
class _Chunk:
    path: Path
    start_s: float
    container: OutputContainer
    stream: AudioStream
    levels: list[float] = field(default_factory=list[float])
    silence: float | None = None

    @property
    def length_s(self) -> float:
        return len(self.levels) * STEP_S

    def add(self, step: AudioFrame) -> None:
        step.pts, step.time_base = len(self.levels) * _STEP_SAMPLES, Fraction(1, RATE)
        self.container.mux(self.stream.encode(step))
        self.levels.append(max(float(step.metadata.get(_LEVEL, "-inf")), INAUDIBLE_DB))

    def may_end(self) -> bool:
        if self.length_s < _MAY_END_AT_S:
            return False
        if self.silence is None:
            self.silence = silent_below(self.levels)
        return self.length_s >= CHUNK_S or max(self.levels[-_QUIET_STEPS:]) <= self.silence

    def close(self) -> DecodedSound | None:
        """The finished chunk; None, and no file, for one that is silent throughout."""
        self.container.mux(self.stream.encode(None))
        self.container.close()
        stretches = find_stretches(self.levels)
        if not stretches:
            self.path.unlink()
            return None
        return DecodedSound(
            name=self.path.name,
            locator=_place(self.start_s, self.start_s + self.length_s),
            stretches=tuple(_place(self.start_s + start, self.start_s + end) for start, end in stretches),
        )


def write_sound(path: Path, format_: Format, output: Path, note: Note, damage: Damage) -> list[DecodedSound]:
    """Chunks of at most 10 min as ``sound-NNNN.ogg`` in ``output``; silent ones are left out.

    What is missing of a very long or damaged recording is said in a note.
    """
    written: list[DecodedSound | None] = []
    chunk: _Chunk | None = None
    deadline = time.monotonic() + _BUDGET_S
    with open_media(path, format_) as container:
        for number, (first_s, step) in enumerate(_steps(container, damage)):
            start_s = first_s + number * STEP_S
            if start_s >= MAX_SOUND_S or time.monotonic() > deadline:
                note("speech", f"Only the first {start_s:.0f} s of the sound were prepared.")
                break
            chunk = chunk or _start(output / f"sound-{len(written) + 1:04d}.ogg", start_s)
            chunk.add(step)
            if chunk.may_end():
                written.append(chunk.close())
                chunk = None
    if chunk:
        written.append(chunk.close())
    if told := damage.told_of("audio"):
        note("speech", told)
    return [sound for sound in written if sound]


def _steps(container: InputContainer, damage: Damage) -> Iterator[tuple[float, AudioFrame]]:
    """(second of the first one, frame of 0.1 s) until the sound ends."""
    start_s, stated_s = start_of(container), (container.duration or 0) / av.time_base
    first_s, given_s = 0.0, 0.0
    graph: Graph | None = None
    for alike in runs_alike(frames_of(packets_of(container, container.streams.audio[:1], damage), damage)):
        for number, frame in enumerate(alike):
            heard_s = frame.time or 0.0
            if graph is None:
                first_s = max(heard_s - start_s, 0.0)
            graph = _graph(frame) if graph is None or number == 0 else graph
            # Beyond the stated end a time is damaged itself.
            missing = int((heard_s - start_s - first_s - given_s) / STEP_S) if heard_s < stated_s else 0
            for _ in range(missing):
                given_s += STEP_S
                yield first_s, _silence()
            given_s += frame.samples / frame.sample_rate
            graph.push(frame)
            yield from ((first_s, step) for step in _ready(graph))
        if graph:
            graph.push(None)
            yield from ((first_s, step) for step in _ready(graph))


def runs_alike(frames: Iterable[AudioFrame]) -> Iterator[Iterator[AudioFrame]]:
    """Frames in runs of one form: joined recordings change it, and no resampler follows."""
    return (run for _, run in groupby(frames, key=form_of))


def form_of(frame: AudioFrame) -> Form:
    """What has to stay the same for a resampler."""
    return frame.sample_rate, frame.layout.name, frame.format.name


def _silence() -> AudioFrame:
    step = AudioFrame(format="s16", layout="mono", samples=_STEP_SAMPLES)
    step.planes[0].update(bytes(2 * _STEP_SAMPLES))
    step.sample_rate = RATE
    return step


def _graph(frame: AudioFrame) -> Graph:
    graph = Graph()
    last = graph.add_abuffer(
        sample_rate=frame.sample_rate,
        format=frame.format.name,
        layout=frame.layout.name,
        time_base=frame.time_base,
    )
    for name, arguments in _FILTERS:
        following = graph.add(name, arguments)
        last.link_to(following)
        last = following
    graph.configure()
    return graph


def _ready(graph: Graph) -> Iterator[AudioFrame]:
    while True:
        try:
            frame = graph.pull()
        except (NothingYetError, NothingMoreError):
            return
        assert isinstance(frame, AudioFrame)
        yield frame


def _start(path: Path, start_s: float) -> _Chunk:
    container = av.open(str(path), "w", format="ogg")
    stream = container.add_stream("libopus", rate=RATE, options=_OPUS)
    stream.layout = "mono"
    return _Chunk(path, start_s, container, stream)


def _place(start_s: float, end_s: float) -> Locator:
    return Locator(start_s=round(start_s, 3), end_s=round(end_s, 3))
