"""Turns a HEIC file into one upright picture: its coded tiles are decoded by FFmpeg and put together here.

FFmpeg gives each coded item as a stream whose id is the item's; which item is the picture, how tiles make a grid and
how it is turned stands in the ``meta`` box (ISO/IEC 23008-12), read here.
"""

import contextlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from av.error import FFmpegError
from PIL import Image

from contracts.artifacts import FailureCode
from eventing.errors import Reject
from media_processor import formats
from media_processor.containers import open_media
from media_processor.pictures import check_pixels

_MAX_META, _MAX_EXIF = 4 * 1024 * 1024, 1024 * 1024
_WRITTEN_OUT = frozenset({b"prof", b"rICC"})
_TURNS = (None, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
_MIRRORS = (Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.FLIP_LEFT_RIGHT)


@dataclass
class Items:
    """What the ``meta`` box says: types and places of items, tiles of grids, turning properties in their order."""

    primary: int = 0
    types: dict[int, bytes] = field(default_factory=dict[int, bytes])
    places: dict[int, tuple[int, int, int]] = field(default_factory=dict[int, tuple[int, int, int]])
    tiles: dict[int, list[int]] = field(default_factory=dict[int, list[int]])
    properties: list[tuple[bytes, bytes]] = field(default_factory=list[tuple[bytes, bytes]])
    uses: dict[int, list[int]] = field(default_factory=dict[int, list[int]])
    idat: bytes = b""

    def properties_of(self, item: int) -> Iterator[tuple[bytes, bytes]]:
        """(type, payload) of each property of an item, in order of application."""
        for index in self.uses.get(item, ()):
            if 0 < index <= len(self.properties):
                yield self.properties[index - 1]


def open_heic(path: Path, max_pixels: int) -> Image.Image:
    """The primary picture, upright, RGB, with its colour profile in ``info``. Raises ``Reject``."""
    try:
        items = _read_items(path)
        picture = _assembled(path, items, max_pixels)
        for name, payload in items.properties_of(items.primary):
            picture = _turned(picture, name, payload)
        picture.info["icc_profile"] = _colour_profile(items)
    except (FFmpegError, struct.error, ValueError, IndexError, KeyError, OSError) as error:
        raise Reject(FailureCode.CORRUPT, "The HEIC picture is damaged or cut off.") from error
    return picture


def read_exif(path: Path) -> Image.Exif:
    """The camera's notes, empty when there are none; their orientation is void, for the boxes say how to turn."""
    exif = Image.Exif()
    with contextlib.suppress(struct.error, ValueError, IndexError, KeyError, OSError, SyntaxError, UserWarning):
        items = _read_items(path)
        item = next((item for item, kind in items.types.items() if kind == b"Exif"), None)
        if item is not None:
            data = _content(path, items, item, _MAX_EXIF)
            exif.load(b"Exif\0\0" + data[4 + int.from_bytes(data[:4], "big") :])
    return exif


def _assembled(path: Path, items: Items, max_pixels: int) -> Image.Image:
    kind = items.types[items.primary]
    if kind == b"hvc1":
        return next(_pictures(path, [items.primary], max_pixels))
    if kind != b"grid":
        message = f"HEIC pictures made of “{kind.decode('ascii', 'replace')}” are not supported."
        raise Reject(FailureCode.UNSUPPORTED_FORMAT, message)
    rows, columns, width, height = _grid(path, items)
    check_pixels(width, height, max_pixels)
    tiles = items.tiles[items.primary]
    if len(tiles) != rows * columns:
        raise ValueError("a grid without all of its tiles")
    canvas = Image.new("RGB", (width, height))
    for index, tile in enumerate(_pictures(path, tiles, max_pixels)):
        row, column = divmod(index, columns)
        canvas.paste(tile, (column * tile.width, row * tile.height))
    return canvas


def _pictures(path: Path, wanted: list[int], max_pixels: int) -> Iterator[Image.Image]:
    with open_media(path, formats.HEIC) as container:
        by_item = {stream.id: stream for stream in container.streams.video}
        for item in wanted:
            stream = by_item[item]
            check_pixels(stream.width, stream.height, max_pixels)
            container.seek(0, stream=stream)
            yield next(container.decode(stream)).to_image()


def _colour_profile(items: Items) -> bytes | None:
    """That of the picture, else of its first tile."""
    for item in (items.primary, *items.tiles.get(items.primary, ())[:1]):
        for name, payload in items.properties_of(item):
            if name == b"colr" and payload[:4] in _WRITTEN_OUT:
                return payload[4:]
    return None


def _grid(path: Path, items: Items) -> tuple[int, int, int, int]:
    data = _content(path, items, items.primary, 64)
    _, flags, rows, columns = struct.unpack_from(">BBBB", data)
    width, height = struct.unpack_from(">II" if flags & 1 else ">HH", data, 4)
    return rows + 1, columns + 1, width, height


def _content(path: Path, items: Items, item: int, most: int) -> bytes:
    method, offset, length = items.places[item]
    if method == 1:
        return items.idat[offset : offset + min(length, most)]
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(min(length, most))


def _turned(picture: Image.Image, name: bytes, payload: bytes) -> Image.Image:
    if name == b"irot" and (turn := _TURNS[payload[0] & 3]) is not None:
        return picture.transpose(turn)
    if name == b"imir":
        return picture.transpose(_MIRRORS[payload[0] & 1])
    return picture


def _read_items(path: Path) -> Items:
    with path.open("rb") as file:
        head = file.read(_MAX_META)
    items = Items()
    for name, payload in _boxes(head):
        if name == b"meta":
            for inner, content in _boxes(payload[4:]):
                _read_box(items, inner, content)
    return items


def _read_box(items: Items, name: bytes, data: bytes) -> None:
    match name:
        case b"pitm":
            items.primary = int.from_bytes(data[4:6] if data[0] == 0 else data[4:8], "big")
        case b"iinf":
            _read_types(items, data)
        case b"iloc":
            _read_places(items, data)
        case b"iref":
            _read_tiles(items, data)
        case b"iprp":
            for inner, content in _boxes(data):
                _read_box(items, inner, content)
        case b"ipma":
            _read_uses(items, data)
        case b"ipco":
            items.properties = list(_boxes(data))
        case b"idat":
            items.idat = data
        case _:
            pass


def _read_types(items: Items, data: bytes) -> None:
    for _, entry in _boxes(data[6 if data[0] == 0 else 8 :]):
        wide = entry[0] >= 3
        items.types[int.from_bytes(entry[4 : 8 if wide else 6], "big")] = entry[10:14] if wide else entry[8:12]


def _read_tiles(items: Items, data: bytes) -> None:
    size = 4 if data[0] else 2
    for reference, entry in _boxes(data[4:]):
        if reference == b"dimg":
            ids = [int.from_bytes(entry[i : i + size], "big") for i in range(size + 2, len(entry), size)]
            items.tiles[int.from_bytes(entry[:size], "big")] = ids


def _read_places(items: Items, data: bytes) -> None:
    version, sizes = data[0], int.from_bytes(data[4:6], "big")
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    id_size = 2 if version < 2 else 4
    cursor = _Cursor(data, 6)
    for _ in range(cursor.take(id_size)):
        item = cursor.take(id_size)
        method = cursor.take(2) & 15 if version in {1, 2} else 0
        cursor.take(2)
        base = cursor.take(base_size)
        extents: list[tuple[int, int]] = []
        for _ in range(cursor.take(2)):
            cursor.take(index_size if version in {1, 2} else 0)
            extents.append((base + cursor.take(offset_size), cursor.take(length_size)))
        if extents:
            items.places[item] = (method, *extents[0])


def _read_uses(items: Items, data: bytes) -> None:
    wide = data[3] & 1
    cursor = _Cursor(data, 4)
    for _ in range(cursor.take(4)):
        item = cursor.take(2 if data[0] == 0 else 4)
        count = cursor.take(1)
        items.uses[item] = [cursor.take(2) & 0x7FFF if wide else cursor.take(1) & 0x7F for _ in range(count)]


@dataclass
class _Cursor:
    data: bytes
    at: int

    def take(self, size: int) -> int:
        if self.at + size > len(self.data):
            raise ValueError("a box that ends too early")
        self.at += size
        return int.from_bytes(self.data[self.at - size : self.at], "big")


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        size, start = int.from_bytes(data[at : at + 4], "big"), at + 8
        if size == 1:
            size, start = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
        size = size or len(data) - at
        if size < 8:
            return
        yield data[at + 4 : at + 8], data[start : at + size]
        at += size
