"""Turns a video into the times at which frames are worth taking: scene changes, and at least every 10 s.

Encoders put key frames at cuts, so key frames alone are looked at first, small, in one pass; only where they are
far apart are other frames decoded too, within a budget.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import av
from av import Packet, VideoFrame, VideoStream
from av.container import InputContainer
from av.error import FFmpegError
from PIL import Image, ImageChops, ImageStat

from media_processor.containers import moving_picture, start_of
from media_processor.damage import Damage, frames_of, packets_of

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


def look_through(open_film: Callable[[], InputContainer], length_s: float, damage: Damage) -> list[Look]:
    """Looks at the whole length, in order; a damaged stretch is left out."""
    with open_film() as film:
        stream = moving_picture(film)
        assert stream is not None
        seen = dict(_key_frames(film, stream, damage))
        sparse = list(_sparse(sorted(seen), length_s, stream.width * stream.height))
    if sparse:
        with open_film() as film:  # anew, for AV1's decoder asks only once which frames to leave out
            seen.update(frame for start, end in sparse for frame in _between(film, start, end, damage))
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


def _key_frames(film: InputContainer, stream: VideoStream, damage: Damage) -> Iterator[tuple[float, Image.Image]]:
    stream.codec_context.skip_frame = "NONKEY"
    start_s = start_of(film)
    for frame in frames_of(_keys(packets_of(film, [stream], damage)), damage):
        yield _second(frame, start_s), _signature(frame)


def _keys(packets: Iterable["Packet[VideoStream]"]) -> Iterator["Packet[VideoStream]"]:
    """Those of key frames that are not too close, and the empty one that ends the stream."""
    sent = -1.0
    for packet in packets:
        shown = float(packet.pts * packet.time_base) if packet.pts is not None and packet.time_base else None
        if packet.size and (not packet.is_keyframe or shown is None or (sent >= 0 and shown < sent + _CLOSEST_S)):
            continue
        sent = shown if shown is not None else sent
        yield packet


def _sparse(seen: list[float], length_s: float, pixels: int) -> Iterator[tuple[float, float]]:
    """(start, end) of what lies between distant key frames, as far as there is time to look at it."""
    # It costs a full decode: two minutes of film at 720p, less of a larger one.
    budget = _BUDGET_S * _BUDGET_PIXELS / max(pixels, _BUDGET_PIXELS)
    for start, end in pairwise([*seen, length_s]):
        affordable = min(end - start, budget)
        if affordable > _SPARSE_S:
            budget -= affordable
            yield start, start + affordable


def _between(film: InputContainer, first_s: float, end_s: float, damage: Damage) -> Iterator[tuple[float, Image.Image]]:
    stream = moving_picture(film)
    assert stream is not None
    stream.codec_context.skip_frame = "NONREF"
    next_look, start_s = first_s + _LOOK_EVERY_S, start_of(film)
    try:
        film.seek(int((first_s + start_s) * av.time_base), backward=True)
    except FFmpegError:
        return
    stream.codec_context.flush_buffers()
    for frame in frames_of(packets_of(film, [stream], damage), damage):
        second = _second(frame, start_s)
        if second >= end_s:
            return
        if second >= next_look:
            next_look = second + _LOOK_EVERY_S
            yield second, _signature(frame)


def _second(frame: VideoFrame, start_s: float) -> float:
    return max((frame.time or 0.0) - start_s, 0.0)


def _signature(frame: VideoFrame) -> Image.Image:
    return frame.reformat(*_SIGNATURE, format="rgb24").to_image()


def _difference(one: Image.Image, other: Image.Image) -> float:
    # Colours count: two scenes may be equally bright.
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def _fill_gap(wanted: list[Look], until_s: float) -> None:
    while wanted and until_s - wanted[-1].second > FRAME_EVERY_S * 1.25:
        wanted.append(Look(wanted[-1].second + FRAME_EVERY_S, 0.0))
