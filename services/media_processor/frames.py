"""Turns a film and times in order into the frames shown then, reading it once and decoding no frame twice.

Where a key frame lies between two times, decoding goes on there; where none does, there is no shorter way than forward.
"""

from collections import deque
from collections.abc import Iterator

from av import Packet, VideoFrame, VideoStream
from av.container import InputContainer

from media_processor.containers import start_of
from media_processor.damage import Damage, frames_of, packets_of

_SAME_TIME_S = 0.005


class FrameReader:
    """Reads one stream; to be asked for times, in seconds since the film's start, that never go back.

    Packets tell key frames apart in every container, with an index or without. Those between two times are held.
    """

    def __init__(self, container: InputContainer, stream: VideoStream, damage: Damage) -> None:
        self._codec = stream.codec_context
        self._start = start_of(container)
        self._packets = packets_of(container, [stream], damage)
        self._ahead = deque["Packet[VideoStream]"]()
        self._frames = frames_of(self._in_turn(), damage)
        self._shown: VideoFrame | None = None

    def frame_at(self, second: float) -> VideoFrame | None:
        """The first frame at ``second`` or later, or else the film's last; None once that has been given."""
        if self._shown is not None and self._is_at(self._shown, second):
            return self._shown
        self._skip_to(second)
        found = None
        for frame in self._frames:
            found = self._shown = frame
            if self._is_at(frame, second):
                break
        return found

    def _is_at(self, frame: VideoFrame, second: float) -> bool:
        return frame.time - self._start >= second - _SAME_TIME_S

    def _skip_to(self, second: float) -> None:
        """Leaves out what comes before the last key frame up to ``second``."""
        while not self._ahead or not self._second(self._ahead[-1]) > second:
            packet = next(self._packets, None)
            if packet is None:
                break
            self._ahead.append(packet)
        due = second + _SAME_TIME_S
        keys = [n for n, packet in enumerate(self._ahead) if packet.is_keyframe and self._second(packet) <= due]
        if keys:
            for _ in range(keys[-1]):
                self._ahead.popleft()
            self._codec.flush_buffers()

    def _second(self, packet: "Packet[VideoStream]") -> float:
        # Not a number, which is neither before nor after anything: such a packet is only decoded in its turn.
        return float(packet.pts * packet.time_base) - self._start if packet.pts is not None else float("nan")

    def _in_turn(self) -> Iterator["Packet[VideoStream]"]:
        while True:
            packet = self._ahead.popleft() if self._ahead else next(self._packets, None)
            if packet is None:
                return
            yield packet
