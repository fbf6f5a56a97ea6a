"""Turns packets into frames as players do: a damaged one costs itself and what is told by it, not what follows.

How much was lost is said in plain words, once for the pictures and once for the sound, whoever reads them how often.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast, overload

from av import AudioFrame, AudioStream, Packet, VideoFrame, VideoStream
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Stream

from media_processor.containers import start_of

_MOST_IN_A_ROW = 100_000
"""Packets: half an hour of sound. Each costs as much time as a good one, and what is all damage must end."""

_LONGEST_S = 1.0
_NAMES = {"video": "pictures", "audio": "sound"}
StreamT = TypeVar("StreamT", bound=Stream)


@dataclass
class Damage:
    """What of one film or recording could not be decoded, as far as those who read it have met it."""

    _seconds: dict[str, float] = field(default_factory=dict[str, float])
    """By type of stream: the most that one reading has met, for they read the same packets."""

    readable_s: float | None = None
    """Where the file could not be read on."""

    def met(self, type_: str, seconds: float) -> None:
        """Takes what one reading has lost so far."""
        self._seconds[type_] = max(self._seconds.get(type_, 0.0), seconds)

    def told_of(self, type_: str) -> str:
        """One or two sentences about the ``video`` or the ``audio``; empty if all of it could be decoded."""
        told: list[str] = []
        if (lost := self._seconds.get(type_)) is not None:
            how_much = f"About {lost:.0f} s" if lost >= 1.5 else "A second or less"
            told.append(f"{how_much} of the {_NAMES[type_]} could not be read.")
        if self.readable_s is not None:
            told.append(f"The file could only be read up to {self.readable_s:.0f} s.")
        return " ".join(told)


@dataclass
class _Run:
    """How the reading of one stream goes: damaged packets in a row, and what all of them have cost."""

    damaged: int = 0
    lost_s: float = 0.0
    shown_s: float = 0.0


def packets_of(container: InputContainer, streams: Sequence[StreamT], damage: Damage) -> Iterator["Packet[StreamT]"]:
    """The packets of some streams as they come, up to where the file cannot be read on."""
    start_s, read_s = start_of(container), 0.0
    try:
        for packet in cast("Iterator[Packet[StreamT]]", container.demux(list(streams))):
            read_s = max(read_s, (_shown_at(packet) or 0.0) + _length_of(packet) - start_s)
            yield packet
    except FFmpegError:  # among them "out of memory", for a damaged length
        damage.readable_s = read_s


@overload
def frames_of(packets: Iterable["Packet[VideoStream]"], damage: Damage) -> Iterator[VideoFrame]: ...
@overload
def frames_of(packets: Iterable["Packet[AudioStream]"], damage: Damage) -> Iterator[AudioFrame]: ...
@overload
def frames_of(packets: Iterable["Packet[Any]"], damage: Damage) -> Iterator[VideoFrame | AudioFrame]: ...
def frames_of(packets: Iterable["Packet[Any]"], damage: Damage) -> Iterator[VideoFrame | AudioFrame]:
    """The frames of the packets that can be decoded; packets of several streams may be mixed."""
    runs: dict[int, _Run] = {}
    for packet in packets:
        run = runs.setdefault(packet.stream.index, _Run())
        frames = _decoded(packet, run)
        before_s, run.shown_s = run.shown_s, _shown_at(packet) or run.shown_s
        yield from frames
        if frames:
            run.damaged = 0
        elif run.damaged:  # itself, or it builds on one that is
            # Not every container says how long a packet of a codec it does not know is: as long as the one before.
            run.lost_s += _length_of(packet) or min(max(run.shown_s - before_s, 0.0), _LONGEST_S)
            damage.met(packet.stream.type, run.lost_s)


def _decoded(packet: "Packet[Any]", run: _Run) -> list[Any]:
    if run.damaged >= _MOST_IN_A_ROW:
        return []
    try:
        return packet.decode()
    except MemoryError:
        raise
    except FFmpegError:
        run.damaged += 1
        return []


def _shown_at(packet: "Packet[Any]") -> float | None:
    return float(packet.pts * packet.time_base) if packet.pts is not None and packet.time_base else None


def _length_of(packet: "Packet[Any]") -> float:
    return float((packet.duration or 0) * (packet.time_base or 0))
