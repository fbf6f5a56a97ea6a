"""What pictures look like: copies nearly the same, others not, and nothing for those of one shade."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageFilter

from media_processor.pictures import THUMBNAIL_BOX, as_rgb, shrunk
from search.image_hash import MAX_DIFFERING_BITS, PictureUnreadable, difference_hash


def encoded(image: Image.Image, file_format: str = "PNG", **options) -> bytes:
    buffer = BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def noise(seed: int) -> Image.Image:
    """Soft patches, other ones for every seed."""
    dots = bytes((seed * 7919 + i * i * 104_729 + i * seed * 31) % 256 for i in range(64))
    return Image.frombytes("L", (8, 8), dots).resize((400, 300), Image.Resampling.BICUBIC).convert("RGB")


def differing(one: bytes, other: bytes) -> int:
    a, b = difference_hash(one), difference_hash(other)
    assert a is not None
    assert b is not None
    return ((a ^ b) & (2**64 - 1)).bit_count()


def test_copies_differ_in_few_bits():
    original = noise(3)
    for copy in (
        encoded(original.resize((120, 90))),
        encoded(original, "JPEG", quality=25),
        encoded(original.filter(ImageFilter.GaussianBlur(2)), "WEBP"),
        encoded(original.convert("L")),
    ):
        assert differing(encoded(original), copy) <= MAX_DIFFERING_BITS


def test_others_differ_in_many():
    pictures = [encoded(noise(seed)) for seed in range(1, 8)]
    assert min(differing(a, b) for i, a in enumerate(pictures) for b in pictures[:i]) > MAX_DIFFERING_BITS


def test_the_camera_s_orientation_is_applied():
    upright = noise(3)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encoded(upright.rotate(90, expand=True), "JPEG", exif=exif)
    assert differing(encoded(upright), turned) <= MAX_DIFFERING_BITS


def logo() -> Image.Image:
    """Soft patches behind which the paper shows: where they are transparent their hidden pixels are black."""
    colours, shape = noise(3).convert("RGBA"), noise(5).convert("L").point(lambda v: 255 if v > 128 else 0)
    colours.putalpha(shape)
    return Image.composite(colours, Image.new("RGBA", colours.size), shape)


def wide(image: Image.Image) -> Image.Image:
    """The same greys with 16 bits, in a part of their range."""
    return Image.fromarray(np.asarray(image.convert("L"), np.uint16) * 40 + 3000)


@pytest.mark.parametrize(
    "picture",
    [
        encoded(logo()),
        encoded(logo(), "WEBP", lossless=True),
        encoded(logo().convert("LA")),
        encoded(logo().quantize(64, method=Image.Quantize.FASTOCTREE)),
        encoded(wide(noise(3))),
    ],
    ids=["RGBA", "WebP", "LA", "palette", "16 bits"],
)
def test_a_picture_looks_like_its_thumbnail(picture: bytes):
    """Stored hashes are of thumbnails: drawn on white paper, greys scaled to their range."""
    with Image.open(BytesIO(picture)) as image:
        thumbnail = shrunk(as_rgb(image), THUMBNAIL_BOX)
    assert differing(picture, encoded(thumbnail)) <= MAX_DIFFERING_BITS


def test_one_shade_has_no_look():
    assert difference_hash(encoded(Image.new("RGB", (60, 40), "teal"))) is None


@pytest.mark.parametrize("content", [b"", b"x" * 50, encoded(noise(1))[:60], encoded(noise(1), "TIFF")])
def test_what_cannot_be_read_is_said_to_be_so(content):
    with pytest.raises(PictureUnreadable):
        difference_hash(content)
