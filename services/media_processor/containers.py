"""Tells formats that share a container apart: ISO-BMFF brands, RIFF forms, EBML document types, Ogg codecs, MPEG audio.

Each reader takes the file's first bytes; ``without_pictures`` opens the container to see whether it holds any.
"""

from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition

from contracts.artifacts import FailureCode, Kind
from eventing.errors import Reject
from media_processor import formats
from media_processor.formats import Format

_ISO_BRANDS: tuple[tuple[frozenset[bytes], Format], ...] = (
    (frozenset({b"avif", b"avis"}), formats.AVIF),
    (frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}), formats.HEIC),
    (frozenset({b"M4A ", b"M4B ", b"M4P "}), formats.M4A),
    (frozenset({b"qt  "}), formats.MOV),
)
_STILL_BRANDS = frozenset({b"mif1", b"msf1", b"miaf"})
_OLD_QUICKTIME = frozenset({b"moov", b"mdat", b"pnot"})
_PADDING = frozenset({b"free", b"skip", b"wide"})

_LOCKED_ENTRIES = frozenset({b"drms", b"drmi", b"enca", b"encv"})
"""Sample entries of tracks under FairPlay or Common Encryption."""

_LARGEST_MOVIE_BOX = 64 * 1024 * 1024

_RATES = (44100, 48000, 32000)
_LAYER3_KBITS = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


def iso_bmff(head: bytes) -> Format | None:
    """MP4, QuickTime, M4A, HEIC or AVIF by major brand, then by compatible brands."""
    if b"\0" not in head:  # a text, such as one that begins with "The free press"
        return None
    start = 0
    while head[start + 4 : start + 8] in _PADDING:
        start += max(int.from_bytes(head[start : start + 4], "big"), 8)
    is_all_padding = start >= len(head)
    head = head[start:]
    box = head[4:8]
    if box in _OLD_QUICKTIME or is_all_padding:
        return formats.MOV
    if box != b"ftyp":
        return None
    size = min(int.from_bytes(head[:4], "big"), len(head), 1024)
    major = head[8:12]
    compatible = {head[i : i + 4] for i in range(16, size - 3, 4)}
    for brands, found in _ISO_BRANDS:
        if major in brands or (major in _STILL_BRANDS and brands & compatible):
            return found
    return None if major in _STILL_BRANDS else formats.MP4


def riff(head: bytes) -> Format | None:
    """WAV, WebP or AVI by the form type."""
    return {b"WAVE": formats.WAV, b"WEBP": formats.WEBP, b"AVI ": formats.AVI}.get(head[8:12])


def ebml(head: bytes) -> Format | None:
    """WebM or Matroska by the DocType element."""
    at = head[:4096].find(b"\x42\x82")
    if at < 0 or at + 3 > len(head):
        return None
    length = head[at + 2] & 0x7F
    doc_type = head[at + 3 : at + 3 + length].rstrip(b"\0")
    return {b"webm": formats.WEBM, b"matroska": formats.MKV}.get(doc_type)


def ogg(head: bytes) -> Format:
    """Ogg with pictures when a Theora or VP8 header stands in the first pages, else with sound."""
    return formats.OGV if b"\x80theora" in head[:4096] or b"OVP80" in head[:4096] else formats.OGG


def mpeg_audio(path: Path, head: bytes) -> Format | None:
    """MP3 or AAC by two consecutive frame headers, behind an ID3 tag if there is one."""
    start = 0
    if head[:3] == b"ID3" and len(head) >= 10:
        start = 10 + sum((b & 0x7F) << shift for b, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        with path.open("rb") as file:
            file.seek(start)
            head = file.read(16 * 1024).lstrip(b"\0")
        if head.startswith(b"fLaC"):
            return formats.FLAC
    for length_of, found in ((_adts_length, formats.AAC), (_layer3_length, formats.MP3)):
        length = length_of(head)
        if length and (start or length_of(head[length:]) or len(head) < length + 4):
            return found
    return formats.MP3 if start else None


def without_pictures(path: Path, found: Format) -> Format:
    """The sound-only twin of a video container that holds no moving picture; the format itself otherwise."""
    twin = formats.SOUND_ONLY.get(found)
    if twin is None or found.kind is not Kind.VIDEO:
        return found
    try:
        with open_media(path, found) as container:
            sound = bool(container.streams.audio)
            return twin if sound and moving_picture(container) is None else found
    except (FFmpegError, ValueError):
        return found  # validation will refuse it with its own words


def open_media(path: Path, format_: Format) -> InputContainer:
    """Opened by the one demuxer of its format; nothing the file refers to is ever followed."""
    return av.open(str(path), format=format_.demuxer, options={"protocol_whitelist": "file"})


def start_of(container: InputContainer) -> float:
    """The second its times are counted from: not 0 in what was cut out of something longer."""
    return max((container.start_time or 0) / av.time_base, 0.0)


def refuse_protected(path: Path, format_: Format) -> None:
    """Raises ``Reject(encrypted)`` for an MP4, M4A or QuickTime file whose shop or sender locked it."""
    if format_.demuxer != "mov":
        return
    movie = _movie_box(path)
    at = movie.find(b"stsd")
    while at >= 0:
        if movie[at + 16 : at + 20] in _LOCKED_ENTRIES:
            raise Reject(FailureCode.ENCRYPTED, "The file is protected against copying and cannot be read.")
        at = movie.find(b"stsd", at + 4)


def _movie_box(path: Path) -> bytes:
    """The box that describes the tracks, as far as it is there."""
    with path.open("rb") as file:
        at, end = 0, path.stat().st_size
        while at + 8 <= end:
            file.seek(at)
            head = file.read(16)
            size = int.from_bytes(head[:4], "big")
            if size == 1:
                size = int.from_bytes(head[8:16], "big")
            if head[4:8] == b"moov":
                file.seek(at)
                return file.read(min(size or end, _LARGEST_MOVIE_BOX))
            if size < 8:
                break
            at += size
    return b""


def moving_picture(container: InputContainer) -> "av.VideoStream | None":
    """The first video stream that is not a cover picture."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    return None


def _adts_length(data: bytes) -> int:
    if len(data) < 7 or data[0] != 0xFF or data[1] & 0xF6 != 0xF0 or (data[2] >> 2) & 0xF > 12:
        return 0
    length = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
    return length if length > 7 else 0


def _layer3_length(data: bytes) -> int:
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0 or (data[1] >> 1) & 3 != 1:
        return 0
    version, bit_rate, rate = (data[1] >> 3) & 3, data[2] >> 4, (data[2] >> 2) & 3
    if version == 1 or bit_rate in {0, 15} or rate == 3:
        return 0
    hertz = _RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    kbits = _LAYER3_KBITS[1 if version == 3 else 2][bit_rate]
    return (144 if version == 3 else 72) * kbits * 1000 // hertz + ((data[2] >> 1) & 1)
