"""What is read from pictures of every format, mode and orientation."""

import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import ExifTags, Image, ImageCms, ImageFile

from contracts.artifacts import FailureCode, Locator
from localcloud.samples.pictures import save_photo
from tests.unit.media_processor import files
from tests.unit.media_processor.conftest import Decode, Refuse
from tests.unit.media_processor.heic_file import write_heic

RED, BLUE, WHITE = (200, 30, 30), (30, 30, 200), (255, 255, 255)
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How a picture lies in a file of each orientation of EXIF."""


def loaded(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.copy()


def near(image: Image.Image, place: tuple[float, float], colour: tuple[int, int, int]) -> bool:
    pixel = image.convert("RGB").getpixel((int(place[0] * image.width), int(place[1] * image.height)))
    assert isinstance(pixel, tuple)
    return max(abs(a - b) for a, b in zip(pixel, colour, strict=True)) < 40


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "gif", "bmp", "tiff", "avif"])
def test_every_format_gives_thumbnail_and_picture(tmp_path: Path, output: Path, decode: Decode, ending: str) -> None:
    decoded = decode(files.image_file(tmp_path / f"a.{ending}"))
    assert (decoded.properties.width, decoded.properties.height) == (640, 400)
    assert not decoded.degradations
    (picture,) = decoded.pictures
    assert (picture.width, picture.height) == (640, 400)
    with Image.open(output / "thumbnail.jpg") as thumbnail:
        assert thumbnail.size == (300, 188)
        assert thumbnail.info.get("progressive")
        assert not thumbnail.getexif()
        assert near(thumbnail, (0.3, 0.5), RED)
        assert near(thumbnail, (0.8, 0.5), BLUE)


@pytest.mark.parametrize(
    ("mode", "ending"), [("CMYK", "jpg"), ("L", "jpg"), ("P", "png"), ("RGBA", "png"), ("LA", "png"), ("1", "tiff")]
)
def test_every_mode_is_shown(tmp_path: Path, output: Path, decode: Decode, mode: str, ending: str) -> None:
    decoded = decode(files.image_file(tmp_path / f"a.{ending}", mode))
    assert not decoded.degradations
    assert loaded(output / "thumbnail.jpg").mode == "RGB"


def test_sixteen_bits_are_scaled_not_cut(tmp_path: Path, output: Path, decode: Decode) -> None:
    Image.linear_gradient("L").convert("I").point(lambda v: v * 200).convert("I;16").save(tmp_path / "a.png")
    decode(tmp_path / "a.png")
    shown = loaded(output / "thumbnail.jpg").convert("L").tobytes()
    low, high = min(shown), max(shown)
    assert (low < 10, high > 245) == (True, True)


def test_transparency_becomes_white(tmp_path: Path, output: Path, decode: Decode) -> None:
    Image.new("RGBA", (50, 50), (0, 0, 0, 0)).save(tmp_path / "a.png")
    decode(tmp_path / "a.png")
    assert near(loaded(output / "thumbnail.jpg"), (0.5, 0.5), WHITE)


@pytest.mark.parametrize(("orientation", "corner"), [(1, (0, 0)), (3, (0.99, 0.99)), (6, (0.99, 0)), (8, (0, 0.99))])
def test_orientation_is_applied(
    tmp_path: Path, output: Path, decode: Decode, orientation: int, corner: tuple[float, float]
) -> None:
    decoded = decode(files.image_file(tmp_path / "a.jpg", orientation=orientation))
    turned = orientation in {6, 8}
    assert (decoded.properties.width, decoded.properties.height) == ((400, 640) if turned else (640, 400))
    assert near(loaded(output / "thumbnail.jpg"), corner, WHITE)
    assert near(loaded(output / decoded.pictures[0].name), corner, WHITE)


def test_a_large_picture_is_reduced_for_analysis(tmp_path: Path, decode: Decode) -> None:
    files.picture((4000, 2000)).save(tmp_path / "a.jpg")
    decoded = decode(tmp_path / "a.jpg")
    assert (decoded.properties.width, decoded.properties.height) == (4000, 2000)
    assert (decoded.pictures[0].width, decoded.pictures[0].height) == (1000, 500)  # decoded at a quarter
    files.picture((4000, 2000)).save(tmp_path / "a.png")
    assert decode(tmp_path / "a.png").pictures[0].width == 1024


def test_camera_time_and_place(tmp_path: Path, decode: Decode) -> None:
    save_photo(files.picture(), tmp_path / "a.jpg", ("Nikon", "Nikon Z6"), "2025:03:09 07:08:09", (-33.8568, 151.2153))
    properties = decode(tmp_path / "a.jpg").properties
    assert properties.camera == "Nikon Z6"
    assert properties.taken_at == datetime(2025, 3, 9, 7, 8, 9, tzinfo=UTC)
    assert (properties.latitude, properties.longitude) == pytest.approx((-33.8568, 151.2153), abs=1e-4)


def test_nonsense_in_exif_is_left_out(tmp_path: Path, decode: Decode) -> None:
    save_photo(files.picture(), tmp_path / "a.jpg", ("\0" * 4, "x" * 900), "not a date at all", (95.0, 400.0))
    properties = decode(tmp_path / "a.jpg").properties
    assert (properties.taken_at, properties.latitude, properties.longitude) == (None, None, None)
    assert len(properties.camera or "") == 200


def test_an_animation_counts_its_frames(tmp_path: Path, output: Path, decode: Decode) -> None:
    frames = [Image.new("RGB", (40, 40), colour) for colour in (RED, BLUE, WHITE)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert decode(tmp_path / "a.gif").properties.frame_count == 3
    assert near(loaded(output / "thumbnail.jpg"), (0.5, 0.5), RED)


@pytest.mark.parametrize(("turn", "size", "corner"), [(0, (120, 100), (0.02, 0.02)), (3, (100, 120), (0.98, 0.02))])
def test_heic_tiles_are_put_together_and_turned(
    tmp_path: Path, output: Path, decode: Decode, turn: int, size: tuple[int, int], corner: tuple[float, float]
) -> None:
    whole = files.picture((128, 128))
    tiles = [whole.crop((x, y, x + 64, y + 64)) for y in (0, 64) for x in (0, 64)]
    write_heic(tmp_path / "a.heic", tiles, columns=2, size=(120, 100), turn=turn)
    decoded = decode(tmp_path / "a.heic")
    assert decoded.media_type == "image/heic"
    assert (decoded.properties.width, decoded.properties.height) == size
    with Image.open(output / decoded.pictures[0].name) as picture:
        assert picture.size == size
        assert near(picture, corner, WHITE)
        assert near(picture, (0.25, 0.75) if turn == 0 else (0.25, 0.25), RED)
        assert near(picture, (0.9, 0.75) if turn == 0 else (0.25, 0.9), BLUE)


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "gif", "bmp", "tiff", "avif"])
def test_a_picture_that_is_cut_off_is_corrupt(tmp_path: Path, refuse: Refuse, ending: str) -> None:
    path = files.image_file(tmp_path / f"a.{ending}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    assert refuse(path).code is FailureCode.CORRUPT


@pytest.mark.parametrize(
    ("ending", "mode", "options"),
    [
        ("jpg", "RGB", {}),
        ("jpg", "RGB", {"progressive": True}),
        ("png", "RGB", {}),
        ("png", "P", {}),
        ("png", "RGBA", {}),
        ("bmp", "RGB", {}),
        ("tiff", "RGB", {}),
    ],
)
def test_a_picture_of_which_little_is_missing_is_read_and_that_is_said(
    tmp_path: Path, output: Path, decode: Decode, ending: str, mode: str, options: dict[str, bool]
) -> None:
    path = tmp_path / f"a.{ending}"
    files.picture((640, 400)).convert(mode).save(path, **options)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 95 // 100])
    decoded = decode(path)
    assert (decoded.properties.width, decoded.properties.height) == (640, 400)
    (said,) = decoded.degradations
    assert said.step == "picture"
    assert said.reason.startswith("The file is damaged or cut off; ")
    assert near(loaded(output / "thumbnail.jpg"), (0.3, 0.5), RED)
    assert near(loaded(output / "thumbnail.jpg"), (0.8, 0.5), BLUE)
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_how_much_of_a_picture_is_missing_is_said(tmp_path: Path, decode: Decode) -> None:
    noise = Image.effect_noise((640, 400), 80)
    noise.save(tmp_path / "a.bmp")
    (tmp_path / "a.bmp").write_bytes((tmp_path / "a.bmp").read_bytes()[: 1078 + 640 * 320])
    (said,) = decode(tmp_path / "a.bmp").degradations
    assert said.reason == "The file is damaged or cut off; about 20 % of the picture is missing."


def test_a_photo_that_lacks_its_last_bytes_is_whole(tmp_path: Path, decode: Decode) -> None:
    path = files.image_file(tmp_path / "a.jpg")
    path.write_bytes(path.read_bytes()[:-2])
    (said,) = decode(path).degradations
    assert said.reason == "The file is damaged or cut off; nothing seems to be missing."


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_half_a_picture_of_any_mode_is_corrupt(tmp_path: Path, refuse: Refuse, mode: str) -> None:
    noise = Image.effect_noise((640, 400), 80).convert(mode)
    noise.save(tmp_path / "a.png")
    path = tmp_path / "a.png"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert refuse(path).code is FailureCode.CORRUPT


LARGE = {
    "workflow": (b"zTXt", b"workflow\0\0" + zlib.compress(b'{"node":1}' * 200_000)),
    "xmp": (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"<x:xmpmeta>" + b"a" * 1_500_000)),
    "profile": (b"iCCP", b"large\0\0" + zlib.compress(bytes(1_200_000))),
}


@pytest.mark.parametrize("chunk", LARGE.values(), ids=LARGE)
def test_what_a_program_stores_beside_the_pixels_may_be_large(
    tmp_path: Path, decode: Decode, chunk: tuple[bytes, bytes]
) -> None:
    assert not decode(files.png_with(tmp_path / "a.png", *chunk)).degradations


def test_a_note_that_is_damaged_or_too_large_costs_itself(tmp_path: Path, decode: Decode) -> None:
    damaged = files.png_with(tmp_path / "a.png", b"tEXt", b"Comment\0words", is_damaged=True)
    too_large = files.png_with(tmp_path / "b.png", b"zTXt", b"x\0\0" + zlib.compress(bytes(20_000_000)))
    for path in (damaged, too_large):
        (said,) = decode(path).degradations
        assert said.reason.endswith("nothing seems to be missing.")


@pytest.mark.parametrize("ending", ["png", "webp", "jpg"])
def test_camera_notes_that_are_none_cost_nothing_else(tmp_path: Path, decode: Decode, ending: str) -> None:
    files.picture().save(tmp_path / f"a.{ending}", exif=b"Exif\0\0" + b"nonsense" * 9)
    decoded = decode(tmp_path / f"a.{ending}")
    assert (decoded.properties.camera, decoded.degradations) == (None, ())


def _fax(path: Path, *marks: tuple[int, int, int], **more: object) -> Path:
    pages = [Image.new("RGB", (1800, 2400), colour) for colour in marks]
    pages[0].save(path, save_all=True, append_images=pages[1:], **more)
    return path


def test_every_page_of_a_tiff_is_read(tmp_path: Path, output: Path, decode: Decode) -> None:
    decoded = decode(_fax(tmp_path / "a.tif", RED, BLUE, WHITE))
    assert (decoded.properties.page_count, decoded.properties.frame_count) == (3, None)
    assert [(p.locator.page, p.width, p.height) for p in decoded.pictures] == [(n, 1200, 1600) for n in (1, 2, 3)]
    for picture, colour in zip(decoded.pictures, (RED, BLUE, WHITE), strict=True):
        assert near(loaded(output / picture.name), (0.5, 0.5), colour)
    assert [place.locator.page for place in decoded.storyboard] == [1, 2, 3]
    assert near(loaded(output / "thumbnail.jpg"), (0.5, 0.5), RED)
    assert not decoded.degradations


def test_pages_of_a_tiff_lie_as_each_says_itself(tmp_path: Path, decode: Decode) -> None:
    notes = Image.Exif()
    notes[ExifTags.Base.Orientation] = 6
    decoded = decode(_fax(tmp_path / "a.tif", RED, BLUE, exif=notes))
    assert [(p.width, p.height) for p in decoded.pictures] == [(1600, 1200)] * 2


def test_more_pages_than_are_read_are_counted_and_that_is_said(tmp_path: Path, decode: Decode, refuse: Refuse) -> None:
    path = _fax(tmp_path / "a.tif", RED, BLUE, WHITE, RED)
    decoded = decode(path, max_scans=2)
    assert [p.locator.page for p in decoded.pictures] == [1, 2]
    assert decoded.properties.page_count == 4
    (said,) = decoded.degradations
    assert (said.step, said.reason) == ("scans", "The file has 4 pages; the text in the first 2 is read.")
    assert refuse(path, max_pages=3).code is FailureCode.RESOURCE_LIMIT


def test_a_page_that_is_too_large_is_left_out(tmp_path: Path, decode: Decode) -> None:
    pages = [Image.new("RGB", size, RED) for size in ((100, 100), (400, 400), (90, 90))]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    decoded = decode(tmp_path / "a.tif", max_pixels=20_000)
    assert [p.locator.page for p in decoded.pictures] == [1, 3]
    (said,) = decoded.degradations
    assert said.step == "page 2"


def test_a_smaller_copy_inside_a_tiff_is_no_page(tmp_path: Path, decode: Decode) -> None:
    small = Image.new("RGB", (160, 120), BLUE)
    small.encoderinfo = {"tiffinfo": {254: 1}}
    files.picture().save(tmp_path / "a.tif", save_all=True, append_images=[small])
    decoded = decode(tmp_path / "a.tif")
    assert (decoded.properties.page_count, [p.locator for p in decoded.pictures]) == (None, [Locator()])


def test_two_views_of_one_scene_are_no_animation(tmp_path: Path, decode: Decode) -> None:
    files.picture().save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[files.picture((160, 100))])
    properties = decode(tmp_path / "a.jpg").properties
    assert (properties.frame_count, properties.page_count) == (None, None)


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tiff", "avif", "heic"])
def test_colours_are_those_that_the_pictures_profile_means(
    tmp_path: Path, output: Path, decode: Decode, ending: str
) -> None:
    path, profile = tmp_path / f"a.{ending}", files.profile_with_red_and_green_exchanged()
    if ending == "heic":
        write_heic(path, [files.picture((128, 128))], columns=1, size=(128, 128), profile=profile)
    else:
        files.picture((640, 400)).save(path, icc_profile=profile)
    assert not decode(path).degradations
    for name in ("thumbnail.jpg", "picture-0001.jpg"):
        assert near(loaded(output / name), (0.3, 0.5), (30, 200, 30))
        assert near(loaded(output / name), (0.8, 0.5), BLUE)


@pytest.mark.parametrize("profile", [b"nonsense", files.profile_with_red_and_green_exchanged()[:300]])
def test_a_profile_that_is_none_changes_nothing(tmp_path: Path, output: Path, decode: Decode, profile: bytes) -> None:
    files.picture().save(tmp_path / "a.jpg", icc_profile=profile)
    assert not decode(tmp_path / "a.jpg").degradations
    assert near(loaded(output / "thumbnail.jpg"), (0.3, 0.5), RED)


def test_a_heic_that_is_cut_off_is_corrupt(tmp_path: Path, refuse: Refuse) -> None:
    path = tmp_path / "a.heic"
    write_heic(path, [files.picture((64, 64))], columns=1, size=(64, 64))
    whole = path.read_bytes()
    for length in (len(whole) - 40, 400, 60):
        path.write_bytes(whole[:length])
        assert refuse(path).code is FailureCode.CORRUPT


def test_a_pixel_bomb_is_refused_before_it_is_decoded(tmp_path: Path, refuse: Refuse) -> None:
    rejection = refuse(files.pixel_bomb(tmp_path / "a.png"))
    assert rejection.code is FailureCode.RESOURCE_LIMIT
    assert "50000 x 50000" in rejection.message


def test_a_heic_says_camera_time_and_place(tmp_path: Path, decode: Decode) -> None:
    notes = files.camera_notes()
    notes[ExifTags.Base.Orientation] = 6  # void: a HEIC is turned by its boxes
    exif = notes.tobytes().removeprefix(b"Exif\0\0")
    write_heic(tmp_path / "a.heic", [files.picture((64, 64))], columns=1, size=(64, 48), exif=exif)
    properties = decode(tmp_path / "a.heic").properties
    assert (properties.width, properties.height, properties.camera) == (64, 48, "Nikon Z6")
    assert properties.taken_at == datetime(2025, 3, 9, 7, 8, 9, tzinfo=UTC)
    assert (properties.latitude, properties.longitude) == pytest.approx((-33.8568, 151.2152), abs=1e-4)


@pytest.mark.parametrize("exif", [b"nonsense", b"MM\0*\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff"])
def test_a_heic_with_broken_notes_is_still_a_picture(tmp_path: Path, decode: Decode, exif: bytes) -> None:
    write_heic(tmp_path / "a.heic", [files.picture((64, 64))], columns=1, size=(64, 64), exif=exif)
    decoded = decode(tmp_path / "a.heic")
    assert (decoded.properties.width, decoded.properties.camera) == (64, None)


@pytest.mark.parametrize("ending", ["png", "webp", "avif"])
def test_other_animations_show_their_first_frame_and_count(
    tmp_path: Path, output: Path, decode: Decode, ending: str
) -> None:
    frames = [Image.new("RGB", (40, 40), colour) for colour in (RED, BLUE, WHITE, BLUE)]
    frames[0].save(tmp_path / f"a.{ending}", save_all=True, append_images=frames[1:])
    assert decode(tmp_path / f"a.{ending}").properties.frame_count == 4
    assert near(loaded(output / "thumbnail.jpg"), (0.5, 0.5), RED)


def test_a_palette_is_blended_and_its_transparency_is_white(tmp_path: Path, output: Path, decode: Decode) -> None:
    stripes = Image.new("P", (3000, 1000), 0)
    stripes.putpalette([0, 0, 0, *RED, 0, 0, 0])
    for x in range(0, 1500, 2):
        stripes.paste(1, (x, 0, x + 1, 1000))
    stripes.paste(2, (2000, 0, 3000, 1000))
    stripes.save(tmp_path / "a.png", transparency=2)
    decode(tmp_path / "a.png")
    shown = loaded(output / "picture-0001.jpg")
    assert near(shown, (0.25, 0.5), (100, 15, 15))  # between red and black
    assert near(shown, (0.9, 0.5), WHITE)


@pytest.mark.parametrize(("mode", "ending"), [("I;16", "tiff"), ("CMYK", "tiff"), ("RGBA", "webp")])
def test_more_modes(tmp_path: Path, output: Path, decode: Decode, mode: str, ending: str) -> None:
    files.picture(mode="L" if mode == "I;16" else mode).convert(mode).save(tmp_path / f"a.{ending}")
    assert not decode(tmp_path / f"a.{ending}").degradations
    thumbnail = loaded(output / "thumbnail.jpg").convert("L")
    values = thumbnail.tobytes()
    assert max(values) - min(values) > 100


def _lined(width: int, height: int) -> Image.Image:
    """Black lines across a white picture, as far from each other as lines of a text."""
    lined = Image.new("RGB", (width, height), WHITE)
    for top in range(20, height - 40, 50):
        lined.paste((0, 0, 0), (30, top, width - 30, top + 28))
    return lined


def test_a_long_picture_is_read_in_pieces_as_large_as_it_is_and_cut_between_its_lines(
    tmp_path: Path, output: Path, decode: Decode
) -> None:
    _lined(1080, 4800).save(tmp_path / "a.png")
    decoded = decode(tmp_path / "a.png")
    assert not decoded.degradations
    assert {(picture.width, picture.locator) for picture in decoded.pictures} == {(1080, Locator())}
    assert sum(picture.height for picture in decoded.pictures) == 4800
    assert len(decoded.pictures) == 4
    for picture in decoded.pictures:
        piece = loaded(output / picture.name)
        assert near(piece, (0.5, 0), WHITE)
        assert near(piece, (0.5, 1 - 1 / piece.height), WHITE)
    assert max(loaded(output / "thumbnail.jpg").size) == 300
    assert not decoded.storyboard


@pytest.mark.parametrize(("size", "orientation"), [((9000, 1200), 1), ((1200, 9000), 6)])
def test_a_wide_picture_is_cut_from_left_to_right_whichever_way_it_lies(
    tmp_path: Path, decode: Decode, size: tuple[int, int], orientation: int
) -> None:
    notes = Image.Exif()
    notes[ExifTags.Base.Orientation] = orientation
    _lined(*size).save(tmp_path / "a.jpg", exif=notes)
    decoded = decode(tmp_path / "a.jpg")
    assert {picture.height for picture in decoded.pictures} == {1200}
    assert len(decoded.pictures) >= 6
    assert sum(picture.width for picture in decoded.pictures) >= 9000


def test_where_no_place_is_even_pieces_overlap(tmp_path: Path, decode: Decode) -> None:
    stripes = _lined(4000, 1000).rotate(90, expand=True)
    stripes.save(tmp_path / "a.png")
    heights = [picture.height for picture in decode(tmp_path / "a.png").pictures]
    assert sum(heights) == 4000 + 160 * (len(heights) - 1)


def test_of_a_picture_that_is_too_long_the_first_part_is_read_and_that_is_said(tmp_path: Path, decode: Decode) -> None:
    _lined(400, 30_000).save(tmp_path / "a.png")
    decoded = decode(tmp_path / "a.png")
    assert sum(picture.height for picture in decoded.pictures) == 24_000
    assert [degradation.step for degradation in decoded.degradations] == ["text"]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(100, 25_000), (25_000, 100)])
def test_the_first_part_is_the_first_as_it_is_seen(
    tmp_path: Path, output: Path, decode: Decode, size: tuple[int, int], orientation: int
) -> None:
    seen = Image.new("RGB", size, WHITE)
    seen.paste(RED, (0, 0, 100, 100))
    notes = Image.Exif()
    notes[ExifTags.Base.Orientation] = orientation
    stored = seen.transpose(STORED[orientation]) if orientation in STORED else seen
    stored.save(tmp_path / "a.jpg", exif=notes)
    decoded = decode(tmp_path / "a.jpg")
    assert near(loaded(output / decoded.pictures[0].name), (0.01, 0.01), RED)


def test_nothing_public_carries_metadata(tmp_path: Path, output: Path, decode: Decode) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>the-owner</x:xmpmeta>"
    notes = files.camera_notes()
    notes[ExifTags.Base.Artist] = "the-owner"
    files.picture().save(tmp_path / "a.jpg", exif=notes, icc_profile=profile, xmp=xmp, comment=b"the-owner")
    decode(tmp_path / "a.jpg")
    for name in ("thumbnail.jpg", "picture-0001.jpg"):
        assert set(loaded(output / name).info) <= {
            "jfif",
            "jfif_version",
            "jfif_unit",
            "jfif_density",
            "progressive",
            "progression",
        }
        assert b"the-owner" not in (output / name).read_bytes()
        assert b"Nikon" not in (output / name).read_bytes()
