"""What pictures look like: copies nearly the same, others not, and nothing for those of one shade."""

from io import BytesIO

import pytest
from PIL import Image, ImageFilter

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


def test_one_shade_has_no_look():
    assert difference_hash(encoded(Image.new("RGB", (60, 40), "teal"))) is None


@pytest.mark.parametrize("content", [b"", b"x" * 50, encoded(noise(1))[:60], encoded(noise(1), "TIFF")])
def test_what_cannot_be_read_is_said_to_be_so(content):
    with pytest.raises(PictureUnreadable):
        difference_hash(content)
