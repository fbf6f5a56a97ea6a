"""Makes the files the tests read: good ones of every format, and bad ones of every badness."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from email.message import EmailMessage
from fractions import Fraction
from pathlib import Path

import av
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import SubtitleSet
from PIL import ExifTags, Image, ImageDraw
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    PdfObject,
    StreamObject,
    TextStringObject,
)

from localcloud.samples.media import write_audio, write_video
from localcloud.samples.pdf import write_pdf

AUDIO_CODECS = {
    "mp3": "libmp3lame",
    "wav": "pcm_s16le",
    "flac": "flac",
    "ogg": "libopus",
    "opus": "libopus",
    "m4a": "aac",
    "aac": "aac",
    "webm": "libopus",
    "mka": "flac",
}
VIDEO_CODECS = {"mov": "libx264", "mkv": "libx264", "webm": "libvpx", "avi": "mpeg4"}
_SCENES = (((200, 40, 40), ("first",)), ((30, 90, 200), ("second",)))


def picture(size: tuple[int, int] = (640, 400), mode: str = "RGB") -> Image.Image:
    """Left half red, right half blue, with a white corner at the top left."""
    image = Image.new("RGB", size, (200, 30, 30))
    pen = ImageDraw.Draw(image)
    pen.rectangle((size[0] // 2, 0, *size), fill=(30, 30, 200))
    pen.rectangle((0, 0, size[0] // 8, size[1] // 8), fill=(255, 255, 255))
    return image.convert(mode)


def picture_bytes(size: tuple[int, int] = (640, 400)) -> io.BytesIO:
    """:func:`picture` as a PNG to be put into a document; each size is another file."""
    file = io.BytesIO()
    picture(size).save(file, "PNG")
    file.seek(0)
    return file


def image_file(path: Path, mode: str = "RGB", orientation: int = 1) -> Path:
    """Of the format the path's ending names."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.ImageDescription] = "halves"
    picture(mode=mode).save(path, exif=exif)
    return path


def profile_with_red_and_green_exchanged() -> bytes:
    """A colour profile of three primaries and a gamma, by which what is stored as red is to be shown as green."""

    def fixed(*values: float) -> bytes:
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    def xyz(*values: float) -> bytes:
        return b"XYZ " + bytes(4) + fixed(*values)

    red, green, blue = xyz(0.4361, 0.2225, 0.0139), xyz(0.3851, 0.7169, 0.0971), xyz(0.1431, 0.0606, 0.7139)
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, int(2.2 * 256)) + bytes(2)
    tags = {b"wtpt": xyz(0.9642, 1, 0.8249), b"rXYZ": green, b"gXYZ": red, b"bXYZ": blue}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    table, content, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += struct.pack(">4sII", name, at + len(content), len(data))
        content += data
    size = at + len(content)
    head = struct.pack(">I4sI4s4s4s", size, b"test", 0x02400000, b"mntr", b"RGB ", b"XYZ ") + bytes(12) + b"acsp"
    return (head + bytes(28) + fixed(0.9642, 1, 0.8249)).ljust(128, b"\0") + table + content


def png_with(path: Path, name: bytes, content: bytes, *, is_damaged: bool = False) -> Path:
    """A picture with one more chunk before its pixels; the checksum of one that is damaged is wrong."""
    written = image_file(path).read_bytes()
    checksum = zlib.crc32(name + content) ^ is_damaged
    chunk = struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)
    path.write_bytes(written[:33] + chunk + written[33:])
    return path


def camera_notes() -> Image.Exif:
    """EXIF of a camera that knows where it is: Sydney, in March 2025."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model], exif[ExifTags.Base.Artist] = "Nikon", "Nikon Z6", "Ada"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2025:03:09 07:08:09"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {
            ExifTags.GPS.GPSLatitudeRef: "S",
            ExifTags.GPS.GPSLatitude: (33.0, 51.0, 24.48),
            ExifTags.GPS.GPSLongitudeRef: "E",
            ExifTags.GPS.GPSLongitude: (151.0, 12.0, 54.75),
        }
    )
    return exif


def audio_file(path: Path, seconds: float = 2) -> Path:
    """A tune, in the container the path's ending names."""
    tags = {"title": "Tide Song", "artist": "Test Choir"}
    ending = path.suffix[1:]
    target = path.with_suffix(".ogg") if ending == "opus" else path.with_suffix(".mkv") if ending == "mka" else path
    target = path.with_suffix(".adts") if ending == "aac" else target
    write_audio(target, AUDIO_CODECS[ending], (440.0, 330.0), seconds, tags)
    return target.rename(path)


def video_file(path: Path, scene_s: float = 2) -> Path:
    """Two scenes with sound (mp4), or a short film without (the other containers)."""
    if path.suffix == ".mp4":
        write_video(path, (320, 180), _SCENES, scene_s, {"title": "Two scenes"})
        return path
    with av.open(str(path), "w") as container:
        stream = container.add_stream(VIDEO_CODECS[path.suffix[1:]], rate=10)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for _ in range(12):
            container.mux(stream.encode(av.VideoFrame.from_image(picture((160, 96)))))
        container.mux(stream.encode(None))
    return path


def subtitled_file(
    path: Path, cues: Sequence[tuple[float, float, str]], start_s: int = 0, codec: str = "subrip"
) -> Path:
    """A Matroska film with a subtitle track; cues are (start, end, text) in seconds.

    One that was cut out of something longer starts at ``start_s`` of that.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        track = container.add_stream(codec)
        assert isinstance(track, SubtitleStream)
        tick = Fraction(1, 1000)
        track.codec_context.subtitle_header = b"[Script Info]\n[V4+ Styles]\n[Events]\n"
        for number in range(int(cues[-1][1] * 5)):
            frame = av.VideoFrame.from_image(picture((160, 96)))
            frame.pts, frame.time_base = start_s * 5 + number, Fraction(1, 5)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        for start, end, text in cues:
            line = SubtitleSet.create(
                text=f"0,0,Default,,0,0,0,,{text}".encode(), start=0, end=int((end - start) * 1000)
            )
            packet = track.codec_context.encode_subtitle(line)
            packet.stream, packet.time_base = track, tick
            packet.pts = packet.dts = int((start_s + start) / tick)
            packet.duration = int((end - start) / tick)
            container.mux(packet)
    return path


def pdf_file(path: Path, pages: int = 2) -> Path:
    """Each page says its number."""
    write_pdf(
        path,
        [(f"Heading {n}", [f"This is the text of page {n} (of many)."]) for n in range(1, pages + 1)],
        "Pages",
        "Ada",
    )
    return path


def slow_pdf(path: Path, pages: int, slow: int) -> Path:
    """As :func:`pdf_file`, with very many drawings on one page."""
    writer = PdfWriter(clone_from=PdfReader(pdf_file(path, pages)))
    contents = writer.pages[slow - 1]["/Contents"].get_object()
    assert isinstance(contents, StreamObject)
    contents.set_data(contents.get_data() + b"\n" + b"10 600 m 700 90 -300 500 600 20 c S\n" * 50_000)
    writer.write(path)
    return path


def filled_pdf(path: Path, fields: Sequence[tuple[str, str, int]], notes: Sequence[tuple[str, str, int]]) -> Path:
    """One page with form fields (type, value, field flags) and notes (type, text, flags), each in a row of its own.

    A field has its looks with it: a black box.
    """
    writer = PdfWriter(clone_from=PdfReader(pdf_file(path, 1)))
    page, listed = writer.pages[0], ArrayObject()
    box = ArrayObject(map(NumberObject, (0, 0, 300, 20)))
    looks = StreamObject()
    looks.set_data(b"0 0 300 20 re f")
    looks.update({NameObject("/Type"): NameObject("/XObject"), NameObject("/Subtype"): NameObject("/Form")})
    looks[NameObject("/BBox")] = box
    drawn = DictionaryObject({NameObject("/N"): writer._add_object(looks)})  # pyright: ignore[reportPrivateUsage]
    rows: list[dict[str, PdfObject]] = []
    for kind, value, flags in fields:
        stated: dict[str, PdfObject] = {"/V": TextStringObject(value), "/Ff": NumberObject(flags)}
        rows.append({"/Subtype": NameObject("/Widget"), "/FT": NameObject(kind), "/AP": drawn, **stated})
    for kind, text, flags in notes:
        rows.append({"/Subtype": NameObject(kind), "/Contents": TextStringObject(text), "/F": NumberObject(flags)})
    for number, row in enumerate(rows):
        stated = {
            "/Type": NameObject("/Annot"),
            "/T": TextStringObject(f"field {number}"),
            "/F": NumberObject(4),
            **row,
        }
        listed.append(writer._add_object(DictionaryObject({NameObject(k): v for k, v in stated.items()})))  # pyright: ignore[reportPrivateUsage]
        top = 400 - 30 * number
        stated_box = ArrayObject(map(NumberObject, (100, top, 400, top + 20)))
        listed[-1].get_object()[NameObject("/Rect")] = stated_box
    page[NameObject("/Annots")] = listed
    form = {
        NameObject("/Fields"): ArrayObject(listed[: len(fields)]),
        NameObject("/DA"): TextStringObject("/Helv 0 Tf"),
    }
    writer.root_object[NameObject("/AcroForm")] = DictionaryObject(form)
    writer.write(path)
    return path


def encrypted_pdf(path: Path) -> Path:
    """Asks for a password."""
    writer = PdfWriter(clone_from=PdfReader(pdf_file(path)))
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(path)
    return path


def scanned_pdf(path: Path) -> Path:
    """A page that is one picture, without any text."""
    picture((600, 800)).save(path, "PDF")
    return path


def pixel_bomb(path: Path, width: int = 50_000, height: int = 50_000) -> Path:
    """A small PNG that says it has 2.5 billion pixels."""
    return _png(path, struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0), zlib.compress(bytes(100_000), 9))


def _png(path: Path, header: bytes, data: bytes) -> Path:
    chunks = [(b"IHDR", header), (b"IDAT", data), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def blank_png(path: Path, width: int, height: int) -> Path:
    """A valid black PNG of one bit per pixel: small as a file, large in memory."""
    deflate = zlib.compressobj(1)
    row = bytes(1 + (width + 7) // 8)
    data = b"".join(deflate.compress(row) for _ in range(height)) + deflate.flush()
    return _png(path, struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0), data)


def zip_bomb(path: Path, megabytes: int = 600) -> Path:
    """Looks like a docx; its main part unpacks to much more than is allowed."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("word/document.xml", "w", force_zip64=True) as part:
            for _ in range(megabytes):
                part.write(bytes(1 << 20))
    return path


def zip_file(path: Path, members: Mapping[str, str | bytes]) -> Path:
    """A ZIP with these members in order."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def repacked(path: Path, change: Callable[[str, bytes], tuple[str, bytes]]) -> Path:
    """A ZIP with each member's name and content as ``change`` gives them."""
    return zip_file(path, dict(change(name, content) for name, content in members(path).items()))


def members(path: Path) -> dict[str, bytes]:
    """The members of a ZIP in order."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def mail_file(path: Path) -> Path:
    """An e-mail as common programs write it: words in base64, the text in two forms, a file attached."""
    mail = EmailMessage()
    mail["From"], mail["To"] = "Ada Löwe <ada@example.org>", "bo@example.org"
    mail["Subject"], mail["Date"] = "Küchenrenovierung", "Mon, 02 Mar 2026 10:00:00 +0000"
    mail.set_content("Die Spülmaschine kommt am Donnerstag.", cte="base64")
    mail.add_alternative("<p>Die <b>Spülmaschine</b> kommt am Donnerstag.</p>", subtype="html")
    mail.add_attachment(b"%PDF-1.7", "application", "pdf", filename="Pläne.pdf")
    path.write_bytes(mail.as_bytes())
    return path


def epub_file(path: Path) -> Path:
    """Two chapters, a cover, Dublin Core facts."""
    cover = io.BytesIO()
    picture((60, 90)).save(cover, "PNG")
    package = """<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0">
      <metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The Salt Road</dc:title>
      <dc:creator>Mira Holt</dc:creator><dc:language>en</dc:language></metadata>
      <manifest><item id="b" href="two.xhtml" media-type="application/xhtml+xml"/>
      <item id="a" href="one%20a.xhtml" media-type="application/xhtml+xml"/>
      <item id="c" href="c.png" media-type="image/png" properties="cover-image"/></manifest>
      <spine><itemref idref="a"/><itemref idref="b"/></spine></package>"""
    chapter = '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml"><body>{}</body></html>'
    return zip_file(
        path,
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="OEBPS/content.opf"/></rootfiles></container>',
            "OEBPS/content.opf": package,
            "OEBPS/one a.xhtml": chapter.format("<h1>Departure</h1><p>The camels left at dawn.</p>"),
            "OEBPS/two.xhtml": chapter.format("<h1>The Well</h1><p>There was no water in it.</p>"),
            "OEBPS/c.png": cover.getvalue(),
        },
    )
