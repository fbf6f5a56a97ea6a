"""Turns a film and times in order into the frames shown then, reading it once and decoding no frame twice.

Where a key frame lies between two times, decoding goes on there; where none does, there is no shorter way than forward.
"""

from collections import deque

from av import Packet, VideoFrame, VideoStream
from av.container import InputContainer

_SAME_TIME_S = 0.005


class FrameReader:
    """Reads one stream from its start; to be asked for times in seconds since then that never go back.

    Packets tell key frames apart in every container, with an index or without. Those between two times are held.
    """

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self._codec = stream.codec_context
        self._start = float((stream.start_time or 0) * (stream.time_base or 0))
        self._packets = container.demux(stream)
        self._ahead = deque["Packet[VideoStream]"]()
        self._decoded = deque[VideoFrame]()
        self._shown: VideoFrame | None = None

    def frame_at(self, second: float) -> VideoFrame | None:
        """The first frame at ``second`` or later, or else the film's last; None once that has been given.

        Raises ``FFmpegError`` where the film cannot be decoded.
        """
        if self._shown is not None and self._is_at(self._shown, second):
            return self._shown
        self._skip_to(second)
        found = None
        while (frame := self._next()) is not None:
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
            self._decoded.clear()
            self._codec.flush_buffers()

    def _second(self, packet: "Packet[VideoStream]") -> float:
        # Not a number, which is neither before nor after anything: such a packet is only decoded in its turn.
        return float(packet.pts * packet.time_base) - self._start if packet.pts is not None else float("nan")

    def _next(self) -> VideoFrame | None:
        while not self._decoded:
            packet = self._ahead.popleft() if self._ahead else next(self._packets, None)
            if packet is None:
                return None
            self._decoded.extend(packet.decode())
        return self._decoded.popleft()
