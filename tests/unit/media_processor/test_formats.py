"""One file of every format through the sandbox, held to what ``docs/formats.md`` promises of it."""

import re
from dataclasses import dataclass
from pathlib import Path

import av
import docx.shared
import pytest
from PIL import Image
from pptx import Presentation
from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject, TextStringObject

from contracts.artifacts import Locator, MediaProperties, TextSource
from localcloud.samples import texts
from localcloud.samples.office import write_docx, write_xlsx
from media_processor import formats
from media_processor.decoded import Decoded
from media_processor.formats import Format
from media_processor.sandbox import Sandbox
from tests.unit.media_processor import files, films
from tests.unit.media_processor.heic_file import write_heic

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = Path(__file__).parents[3] / "docs/formats.md"
SPECIFIED = (
    *("jpeg", "png", "webp", "gif", "bmp", "tiff", "avif", "heic"),
    *("mp4", "mov", "webm", "mkv", "avi", "mp3", "wav", "flac", "ogg", "opus", "m4a", "aac"),
    *("pdf", "docx", "pptx", "xlsx", "html", "md", "txt", "csv", "epub", "rtf", "eml"),
)
CUES = [(0.5, 1.5, "Where is the lamp?"), (2.0, 3.0, "Behind the door.")]
TAGS = {
    "title": "A lamp",
    "artist": "Ada",
    "creation_time": "2025-03-09T06:08:09Z",
    "location": "+48.8577+002.2950/",
    "com.apple.quicktime.location.ISO6709": "+48.8577+002.2950/",
    "com.apple.quicktime.make": "Nikon",
    "com.apple.quicktime.model": "Nikon Z6",
}


@dataclass(frozen=True)
class Promise:
    """A row of the table."""

    name: str
    kind: str
    media_type: str
    text: str
    place: str
    facts: tuple[str, ...]
    thumbnail: str
    pictures: str
    sound: str
    preview: str


def promises() -> list[Promise]:
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text("utf-8").splitlines() if line.count("|") == 11]
    found: list[Promise] = []
    for name, kind, media_type, text, place, facts, *made in rows[2:]:
        listed = tuple(facts.split(", ")) if facts != "—" else ()
        found.append(Promise(name, kind, media_type.strip("`"), text, place, listed, *made))
    return found


@pytest.mark.parametrize("promise", promises(), ids=lambda promise: promise.name)
async def test_a_format_is_read_as_the_page_says(sandbox: Sandbox, tmp_path: Path, promise: Promise) -> None:
    output = tmp_path / "output"
    output.mkdir()
    source = written(tmp_path, promise.name)
    decoded = await sandbox.decode(source.rename(tmp_path / "object"), source.name, output)
    assert (decoded.kind.value, decoded.media_type) == (promise.kind, promise.media_type)
    assert decoded.degradations == ()
    missing = [name for name in promise.facts if getattr(decoded.properties, name) is None]
    assert missing == []
    assert set(promise.facts) <= set(MediaProperties.model_fields)
    check_texts(promise, decoded)
    check_pictures(promise, decoded, output)
    check_sound_and_preview(promise, decoded, output)


def check_texts(promise: Promise, decoded: Decoded) -> None:
    assert {t.source for t in decoded.texts} == ({TextSource(promise.text)} if promise.text != "—" else set())
    assert {place_of(t.locator) for t in decoded.texts} == ({promise.place} if promise.place != "—" else set())


def check_pictures(promise: Promise, decoded: Decoded, output: Path) -> None:
    thumbnail = decoded.thumbnail
    assert thumbnail
    assert thumbnail.media_type == f"image/{promise.thumbnail}"
    with Image.open(output / thumbnail.name) as image:
        assert max(image.size) <= 300
        assert image.format == promise.thumbnail.upper()
        assert not image.getexif()
        assert not {"exif", "icc_profile", "xmp", "comment", "photoshop"} & image.info.keys()
    places = {place_of(p.locator) for p in decoded.pictures}
    assert places == {"—": set(), "1": {"whole"}}.get(promise.pictures, {promise.pictures})
    inside = {place_of(p.locator) for p in decoded.storyboard}
    assert inside == ({promise.pictures} & {"time", "page", "section"})
    for place in decoded.storyboard:
        with Image.open(output / place.name) as image:
            assert max(image.size) <= 300
            assert image.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def check_sound_and_preview(promise: Promise, decoded: Decoded, output: Path) -> None:
    assert bool(decoded.speech) == (promise.sound == "yes")
    for sound in decoded.speech:
        with av.open(str(output / sound.name)) as heard:
            assert (heard.streams.audio[0].codec_context.name, heard.streams.audio[0].channels) == ("opus", 1)
    assert (decoded.preview.media_type if decoded.preview else "—").rpartition("/")[2] == promise.preview
    if decoded.preview and promise.preview == "jpeg":
        with Image.open(output / decoded.preview.name) as image:
            assert (image.format, max(image.size) <= 1024, image.getexif()) == ("JPEG", True, {})
    elif decoded.preview:
        with av.open(str(output / decoded.preview.name)) as shown:
            assert shown.streams.video[0].codec_context.name == "h264"
            assert not {"title", "artist", "location", "creation_time"} & shown.metadata.keys()


async def test_the_page_lists_exactly_the_formats_there_are() -> None:
    known = {(f.kind.value, f.media_type) for f in vars(formats).values() if isinstance(f, Format)}
    assert {(p.kind, p.media_type) for p in promises()} == known
    assert set(SPECIFIED) <= {p.name for p in promises()}


async def test_the_page_lists_every_refusal() -> None:
    codes = set(re.findall(r"\| `([a-z_]+)` \|$", PAGE.read_text("utf-8"), re.MULTILINE))
    assert codes == {"unsupported_format", "corrupt", "encrypted", "resource_limit", "timeout", "file_size"}


def place_of(locator: Locator) -> str:
    if locator.start_s is not None:
        return "time"
    if locator.page is not None:
        return "page"
    return "section" if locator.section else "whole"


def written(directory: Path, name: str) -> Path:
    """A file of the format, with everything in it that the format can state."""
    path = directory / f"file.{name}"
    if name in {"jpeg", "png", "webp", "gif", "bmp", "tiff", "avif", "heic"}:
        return image(path)
    if name in {"mp4", "mov", "webm", "mkv", "avi"}:
        return films.film_file(path, 4, CUES if name != "avi" else (), TAGS)
    if name == "ogv":
        return films.silent_film(path)
    if name == "weba":
        return files.audio_file(directory / "tune.webm").rename(path)
    if name in files.AUDIO_CODECS:
        return files.audio_file(path)
    return document(path)


def image(path: Path) -> Path:
    notes, still = files.camera_notes(), files.picture()
    if path.suffix == ".heic":
        write_heic(path, [still.resize((64, 64))], 1, (64, 64), exif=notes.tobytes().removeprefix(b"Exif\0\0"))
    elif path.suffix == ".gif":
        still.save(path, save_all=True, append_images=[still.rotate(180)])
    elif path.suffix in {".png", ".webp", ".avif"}:
        still.save(path, save_all=True, append_images=[still.rotate(180)], exif=notes)
    elif path.suffix == ".bmp":
        still.save(path)
    else:
        still.save(path, exif=notes.tobytes())
    return path


def document(path: Path) -> Path:
    match path.suffix:
        case ".pdf":
            writer = PdfWriter(clone_from=PdfReader(files.pdf_file(path)))
            writer.append(files.scanned_pdf(path.with_name("scan.pdf")))
            writer.root_object[NameObject("/Lang")] = TextStringObject("de-AT")
            writer.write(path)
        case ".docx":
            write_docx(path, texts.BREAD_RECIPE, "Aino")
            letter = docx.Document(str(path))
            letter.add_heading("Scan", level=1)
            letter.add_picture(files.picture_bytes(), width=docx.shared.Inches(6))
            letter.save(str(path))
        case ".pptx":
            deck = Presentation()
            deck.core_properties.title, deck.core_properties.author = "Deck", "Ada"
            title = deck.slides.add_slide(deck.slide_layouts[0]).shapes.title
            assert title is not None
            title.text = "First slide"
            deck.slides.add_slide(deck.slide_layouts[6]).shapes.add_picture(
                files.picture_bytes(), 0, 0, deck.slide_width
            )
            deck.save(str(path))
        case ".xlsx":
            write_xlsx(path, "People", [("Name", "Town"), ("Ada", "Oslo")], "me")
        case ".epub":
            files.epub_file(path)
            files.repacked(path, with_a_page_that_is_a_picture)
        case ".eml":
            files.mail_file(path)
        case _:
            path.write_text(PLAIN[path.suffix], "utf-8")
    return path


def with_a_page_that_is_a_picture(name: str, content: bytes) -> tuple[str, bytes]:
    if name == "OEBPS/c.png":
        content = files.picture_bytes().getvalue()
    return name, content.replace(b"</body>", b'<img src="c.png"/></body>') if name == "OEBPS/two.xhtml" else content


PLAIN = {
    ".html": texts.GARDEN_PAGE,
    ".md": texts.BICYCLE_GUIDE,
    ".txt": "Plain words.\n",
    ".csv": "name,town\nAda,Oslo\n",
    ".rtf": r"{\rtf1\ansi{\info{\title My Letter}{\author Ada}}Dear Sir\par}",
}
