"""Writes HEIC files made of tiles, as phones do: libx265 codes each tile, the boxes around them are written here."""

import io
import struct
from pathlib import Path

import av
from PIL import Image


def write_heic(
    path: Path,
    tiles: list[Image.Image],
    columns: int,
    size: tuple[int, int],
    turn: int = 0,
    exif: bytes = b"",
    profile: bytes = b"",
) -> None:
    """A grid of equal tiles cropped to ``size``; ``turn`` counts quarter turns anticlockwise, ``exif`` is TIFF.

    ``profile`` is the colour profile that the tiles state.
    """
    configuration, coded = _coded(tiles)
    grid = struct.pack(">BBBBHH", 0, 0, len(tiles) // columns - 1, columns - 1, *size)
    ids = list(range(1, len(tiles) + 1))
    primary = len(tiles) + 1
    notes = bytes(4) + exif if exif else b""
    ftyp = _box(b"ftyp", b"heic" + bytes(4) + b"mif1heic")
    parts = (ids, primary, coded, grid, configuration, tiles[0].size, size, turn, notes, profile)
    meta = _meta(*parts, data_start=len(ftyp) + len(_meta(*parts, data_start=0)) + 8)
    path.write_bytes(ftyp + meta + _box(b"mdat", b"".join(coded) + notes))


def _meta(
    ids: list[int],
    primary: int,
    coded: list[bytes],
    grid: bytes,
    configuration: bytes,
    tile_size: tuple[int, int],
    size: tuple[int, int],
    turn: int,
    notes: bytes,
    profile: bytes,
    data_start: int,
) -> bytes:
    entries = [_full(b"infe", 2, struct.pack(">HH4s", item, 0, b"hvc1") + b"\0") for item in ids]
    entries.append(_full(b"infe", 2, struct.pack(">HH4s", primary, 0, b"grid") + b"\0"))
    if notes:
        entries.append(_full(b"infe", 2, struct.pack(">HH4s", primary + 1, 0, b"Exif") + b"\0"))
    places, at = b"", data_start
    for item, data in zip(ids, coded, strict=True):
        places += struct.pack(">HHHHII", item, 0, 0, 1, at, len(data))
        at += len(data)
    places += struct.pack(">HHHHII", primary, 1, 0, 1, 0, len(grid))
    if notes:
        places += struct.pack(">HHHHII", primary + 1, 0, 0, 1, at, len(notes))
    references = _box(b"dimg", struct.pack(f">HH{len(ids)}H", primary, len(ids), *ids))
    properties = _properties(configuration, tile_size, size, turn, profile)
    uses = b"".join(struct.pack(">HBBBB", item, 3, 0x81, 2, 5) for item in ids) + struct.pack(
        ">HBBB", primary, 2, 3, 0x84
    )
    content = [
        _full(b"hdlr", 0, bytes(4) + b"pict" + bytes(13)),
        _full(b"pitm", 0, struct.pack(">H", primary)),
        _full(b"iinf", 0, struct.pack(">H", len(entries)) + b"".join(entries)),
        _full(b"iref", 0, references),
        _full(b"iloc", 1, struct.pack(">BBH", 0x44, 0, len(entries)) + places),
        _box(b"idat", grid),
        _box(b"iprp", properties + _full(b"ipma", 0, struct.pack(">I", len(ids) + 1) + uses)),
    ]
    return _full(b"meta", 0, b"".join(content))


def _properties(
    configuration: bytes, tile_size: tuple[int, int], size: tuple[int, int], turn: int, profile: bytes
) -> bytes:
    properties = [
        _box(b"hvcC", configuration),
        _full(b"ispe", 0, struct.pack(">II", *tile_size)),
        _full(b"ispe", 0, struct.pack(">II", *size)),
        _box(b"irot", bytes([turn])),
        _box(b"colr", b"prof" + profile if profile else b"nclx" + struct.pack(">HHHB", 1, 13, 6, 0)),
    ]
    return _box(b"ipco", b"".join(properties))


def _coded(tiles: list[Image.Image]) -> tuple[bytes, list[bytes]]:
    """(hvcC, one length-prefixed picture per tile): a film of key frames, taken apart."""
    buffer = io.BytesIO()
    options = {"x265-params": "log-level=none:keyint=1:crf=12:pools=none:frame-threads=1"}
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx265", rate=1, options=options)
        stream.width, stream.height = tiles[0].size
        stream.pix_fmt = "yuv420p"
        for tile in tiles:
            container.mux(stream.encode(av.VideoFrame.from_image(tile)))
        container.mux(stream.encode(None))
    buffer.seek(0)
    with av.open(buffer, "r") as film:
        video = film.streams.video[0]
        pictures = [bytes(packet) for packet in film.demux(video) if packet.size]
        return video.codec_context.extradata or b"", pictures


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def _full(name: bytes, version: int, content: bytes) -> bytes:
    return _box(name, bytes([version, 0, 0, 0]) + content)
