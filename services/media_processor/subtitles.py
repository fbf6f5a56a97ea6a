"""Turns the subtitle tracks inside a video into text with times."""

import re
from typing import Any

from av import Packet
from av.error import FFmpegError

from contracts.artifacts import Degradation, Locator, MaterialText, TextSource
from media_processor.containers import open_media, start_of
from media_processor.damage import Damage, packets_of
from media_processor.kinds.row import Source
from media_processor.text_encoding import clean

_ASS_FIELDS_BEFORE_TEXT = 8
_BRACES, _MARKUP = re.compile(r"(\{[^}]*\})"), re.compile(r"<[^>]{1,80}>")
_DRAWING = re.compile(r"\\p(\d{1,3})")
"""Switches to drawing (``\\p1``) and back (``\\p0``): what is written between is points, not words."""

_MAX_CUES = 50_000


def read(source: Source, degradations: list[Degradation]) -> list[MaterialText]:
    """The cues of every text track in order of time; pictures of text (DVD, Blu-ray) are left out."""
    cues: list[MaterialText] = []
    damaged = 0
    with open_media(source.path, source.format) as container:
        streams = list(container.streams.subtitles)
        if not streams:
            return cues
        start_s = start_of(container)
        for packet in packets_of(container, streams, Damage()):
            try:
                cues += _cues_of(packet, start_s)
            except (FFmpegError, ValueError):
                damaged += 1
            if len(cues) > _MAX_CUES:
                break
    if damaged:
        degradations.append(Degradation(step="subtitles", reason=f"Subtitles that could not be read: {damaged}."))
    return sorted(cues, key=lambda cue: cue.locator.start_s or 0.0)


def _cues_of(packet: "Packet[Any]", film_start_s: float) -> list[MaterialText]:
    if packet.pts is None or not packet.time_base or not packet.size:
        return []
    start = max(float(packet.pts * packet.time_base) - film_start_s, 0.0)
    end = start + float((packet.duration or 0) * packet.time_base)
    lines = [_plain(getattr(line, "ass", b"") or b"") for line in packet.decode()]
    text = "\n".join(line for line in lines if line)
    place = Locator(start_s=round(start, 3), end_s=round(end, 3))
    return [MaterialText(text=text, locator=place, source=TextSource.SUBTITLE)] if text else []


def _plain(dialogue: bytes | str) -> str:
    written = dialogue.decode("utf-8", "replace") if isinstance(dialogue, bytes) else dialogue
    words: list[str] = []
    drawing = False
    for number, piece in enumerate(_BRACES.split(written.split(",", _ASS_FIELDS_BEFORE_TEXT)[-1])):
        if number % 2:
            for scale in _DRAWING.findall(piece):
                drawing = int(scale) > 0
        elif not drawing:
            words.append(piece)
    text = "".join(words).replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")
    return clean(_MARKUP.sub("", text)).strip()
