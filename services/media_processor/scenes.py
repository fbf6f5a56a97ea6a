"""Turns a video into the times at which frames are worth taking: scene changes, and at least every 10 s.

Encoders put key frames at cuts, so key frames alone are looked at first, small, in one pass; only where they are
far apart are other frames decoded too, within a budget.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import av
from av import VideoFrame, VideoStream
from av.container import InputContainer
from av.error import FFmpegError
from PIL import Image, ImageChops, ImageStat

FRAME_EVERY_S = 10.0
_CLOSEST_S, _SPARSE_S, _LOOK_EVERY_S = 0.5, 4.0, 1.0
_SCENE_DIFFERENCE = 16.0
_SIGNATURE = (32, 18)
_BUDGET_S, _BUDGET_PIXELS = 120.0, 1280 * 720


@dataclass(frozen=True)
class Look:
    """A frame that was looked at: when it is shown, and how much it differs from the one before (0 to 255)."""

    second: float
    difference: float


def look_through(container: InputContainer, stream: VideoStream, length_s: float) -> list[Look]:
    """Looks at the whole length, in order; a damaged stretch is left out."""
    seen = dict(_key_frames(container, stream))
    # Frames between key frames cost a full decode: two minutes of film at 720p, less of a larger one.
    budget = _BUDGET_S * _BUDGET_PIXELS / max(stream.width * stream.height, _BUDGET_PIXELS)
    for start, end in pairwise([*sorted(seen), length_s]):
        affordable = min(end - start, budget)
        if affordable > _SPARSE_S:
            budget -= affordable
            seen.update(_between(container, stream, start, start + affordable))
    in_order = sorted(seen.items())
    first = [Look(second, 255.0) for second, _ in in_order[:1]]
    return first + [Look(second, _difference(old, new)) for (_, old), (second, new) in pairwise(in_order)]


def choose_times(looks: list[Look], length_s: float, limit: int) -> list[float]:
    """Seconds in order, at most ``limit`` over the whole length; the strongest changes win where it is tight."""
    wanted: list[Look] = []
    for look in sorted(looks, key=lambda f: f.second):
        _fill_gap(wanted, look.second)
        due = not wanted or look.second - wanted[-1].second >= FRAME_EVERY_S * 0.75
        if due or look.difference >= _SCENE_DIFFERENCE:
            wanted.append(look)
    _fill_gap(wanted, length_s)
    if len(wanted) <= limit:
        return [look.second for look in wanted]
    slot = max(length_s, wanted[-1].second) / limit
    strongest: dict[int, Look] = {}
    for look in wanted:
        index = min(int(look.second / slot), limit - 1)
        if index not in strongest or look.difference > strongest[index].difference:
            strongest[index] = look
    return [strongest[index].second for index in sorted(strongest)]


def _key_frames(container: InputContainer, stream: VideoStream) -> Iterator[tuple[float, Image.Image]]:
    stream.codec_context.skip_frame = "NONKEY"
    sent = -1.0
    try:
        for packet in container.demux(stream):
            shown = float(packet.pts * packet.time_base) if packet.pts is not None and packet.time_base else None
            if packet.size and (not packet.is_keyframe or shown is None or (sent >= 0 and shown < sent + _CLOSEST_S)):
                continue
            sent = shown if shown is not None else sent
            for frame in packet.decode():
                yield _second(frame, stream), _signature(frame)
    except FFmpegError:
        return


def _between(
    container: InputContainer, stream: VideoStream, start_s: float, end_s: float
) -> Iterator[tuple[float, Image.Image]]:
    next_look = start_s + _LOOK_EVERY_S
    try:
        container.seek(int((start_s + _start(stream)) * av.time_base), backward=True)
        stream.codec_context.flush_buffers()
        stream.codec_context.skip_frame = "NONREF"
        for frame in container.decode(stream):
            second = _second(frame, stream)
            if second >= end_s:
                return
            if second >= next_look:
                next_look = second + _LOOK_EVERY_S
                yield second, _signature(frame)
    except FFmpegError:
        return


def _start(stream: VideoStream) -> float:
    return float((stream.start_time or 0) * (stream.time_base or 0))


def _second(frame: VideoFrame, stream: VideoStream) -> float:
    return max((frame.time or 0.0) - _start(stream), 0.0)


def _signature(frame: VideoFrame) -> Image.Image:
    return frame.reformat(*_SIGNATURE, format="rgb24").to_image()


def _difference(one: Image.Image, other: Image.Image) -> float:
    # Colours count: two scenes may be equally bright.
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def _fill_gap(wanted: list[Look], until_s: float) -> None:
    while wanted and until_s - wanted[-1].second > FRAME_EVERY_S * 1.25:
        wanted.append(Look(wanted[-1].second + FRAME_EVERY_S, 0.0))
