"""The formats that are accepted, one row each: name, kind and media type.

Which one a file has is told by ``detect`` from its content.
"""

from dataclasses import dataclass

from contracts.artifacts import Kind


@dataclass(frozen=True)
class Format:
    """A file format; ``name`` is stable and lower case, ``demuxer`` the FFmpeg demuxer allowed to open it."""

    name: str
    kind: Kind
    media_type: str
    demuxer: str = ""


def _image(name: str) -> Format:
    return Format(name, Kind.IMAGE, f"image/{name}")


def _document(name: str, media_type: str) -> Format:
    return Format(name, Kind.DOCUMENT, media_type)


JPEG, PNG, WEBP, GIF, BMP, TIFF, AVIF = (_image(n) for n in ("jpeg", "png", "webp", "gif", "bmp", "tiff", "avif"))
HEIC = Format("heic", Kind.IMAGE, "image/heic", "mov")

MP4 = Format("mp4", Kind.VIDEO, "video/mp4", "mov")
MOV = Format("mov", Kind.VIDEO, "video/quicktime", "mov")
WEBM = Format("webm", Kind.VIDEO, "video/webm", "matroska")
MKV = Format("mkv", Kind.VIDEO, "video/x-matroska", "matroska")
AVI = Format("avi", Kind.VIDEO, "video/x-msvideo", "avi")
OGV = Format("ogv", Kind.VIDEO, "video/ogg", "ogg")

MP3 = Format("mp3", Kind.AUDIO, "audio/mpeg", "mp3")
WAV = Format("wav", Kind.AUDIO, "audio/wav", "wav")
FLAC = Format("flac", Kind.AUDIO, "audio/flac", "flac")
OGG = Format("ogg", Kind.AUDIO, "audio/ogg", "ogg")
M4A = Format("m4a", Kind.AUDIO, "audio/mp4", "mov")
AAC = Format("aac", Kind.AUDIO, "audio/aac", "aac")
WEBM_AUDIO = Format("webm", Kind.AUDIO, "audio/webm", "matroska")
MKA = Format("mka", Kind.AUDIO, "audio/x-matroska", "matroska")

PDF = _document("pdf", "application/pdf")
DOCX = _document("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document")
PPTX = _document("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation")
XLSX = _document("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
EPUB = _document("epub", "application/epub+zip")
RTF = _document("rtf", "application/rtf")
HTML = _document("html", "text/html")
EML = _document("eml", "message/rfc822")
MARKDOWN = _document("md", "text/markdown")
CSV = _document("csv", "text/csv")
TEXT = _document("txt", "text/plain")

SOUND_ONLY = {MP4: M4A, MOV: M4A, WEBM: WEBM_AUDIO, MKV: MKA, OGV: OGG}
"""What a container that may hold pictures is when it holds only sound."""
