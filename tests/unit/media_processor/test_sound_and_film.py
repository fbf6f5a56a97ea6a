"""What is read from recordings and films of every format."""

import math
import struct
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest
from PIL import Image

from contracts.artifacts import FailureCode, TextSource
from localcloud.samples.media import write_video
from media_processor.damage import Damage
from media_processor.formats import MP3
from media_processor.kinds.audio import PEAKS, draw_waveform, read_peaks
from media_processor.scenes import Look, choose_times
from tests.unit.media_processor import files, films
from tests.unit.media_processor.conftest import Decode, Refuse


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    value = image.getpixel((x, y))
    assert isinstance(value, tuple)
    return value


@pytest.mark.parametrize("ending", list(files.AUDIO_CODECS))
def test_every_recording_gives_length_codec_tags_and_waveform(
    tmp_path: Path, output: Path, decode: Decode, ending: str
) -> None:
    decoded = decode(files.audio_file(tmp_path / f"a.{ending}"))
    properties = decoded.properties
    assert properties.duration_s == pytest.approx(2, abs=0.25)
    assert (properties.sample_rate, properties.channels) in {(24_000, 1), (48_000, 1)}
    assert properties.audio_codec in {"mp3", "pcm_s16le", "flac", "opus", "aac"}
    assert not decoded.degradations
    if ending != "aac":  # raw ADTS has no place for tags
        assert (properties.title, properties.author) == ("Tide Song", "Test Choir")
    with Image.open(output / "thumbnail.png") as waveform:
        assert waveform.size == (300, 150)
        assert len(waveform.getcolors(60_000) or []) > 2
    told = decoded.properties.peaks
    assert 0 < len(told) <= 200
    assert max(told) == 100


def test_peaks_cover_the_whole_length(tmp_path: Path) -> None:
    peaks = read_peaks(files.audio_file(tmp_path / "a.mp3", 40), MP3, Damage())
    assert PEAKS <= len(peaks) < 2 * PEAKS
    half = len(peaks) // 2  # the second note starts there, loud, and both fade
    assert max(peaks[half : half + 50]) > 3 * max(peaks[half - 50 : half - 5])


def test_a_silent_waveform_is_a_line() -> None:
    assert len(draw_waveform([0] * 100).getcolors() or []) == 2
    assert len(draw_waveform([]).getcolors() or []) == 2


def test_a_recording_that_is_cut_off_says_so(tmp_path: Path, decode: Decode) -> None:
    path = files.audio_file(tmp_path / "a.flac", 6)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    decoded = decode(path)
    assert [d.step for d in decoded.degradations] == ["read_to_end", "speech"]
    assert decoded.thumbnail
    assert 1 < (decoded.speech[0].locator.end_s or 0) < 5


@pytest.mark.parametrize("ending", ["m4a", "wav", "ogg", "mp3", "flac"])
def test_a_recording_without_any_sound_is_corrupt(tmp_path: Path, refuse: Refuse, ending: str) -> None:
    path = files.audio_file(tmp_path / f"a.{ending}")
    path.write_bytes(path.read_bytes()[:60])
    assert refuse(path).code is FailureCode.CORRUPT


@pytest.mark.parametrize("ending", ["mov", "mkv", "webm", "avi"])
def test_every_film_gives_frames(tmp_path: Path, decode: Decode, ending: str) -> None:
    decoded = decode(files.video_file(tmp_path / f"a.{ending}"))
    properties = decoded.properties
    assert (properties.width, properties.height) == (160, 96)
    assert properties.frame_rate == pytest.approx(10)
    assert properties.duration_s == pytest.approx(1.2, abs=0.2)
    assert properties.video_codec in {"h264", "vp8", "mpeg4"}
    assert (len(decoded.pictures), decoded.degradations) == (1, ())


def test_a_film_has_a_frame_per_scene(tmp_path: Path, output: Path, decode: Decode) -> None:
    decoded = decode(files.video_file(tmp_path / "a.mp4", scene_s=4))
    assert [(p.locator.start_s, p.locator.end_s) for p in decoded.pictures] == [(0, 4), (4, pytest.approx(8, abs=0.2))]
    assert (decoded.properties.audio_codec, decoded.properties.title) == ("aac", "Two scenes")
    with Image.open(output / "picture-0001.jpg") as first, Image.open(output / "picture-0002.jpg") as second:
        assert pixel(first, 5, 5)[0] > 150
        assert pixel(second, 5, 5)[2] > 150


def test_each_frame_has_a_small_picture_beside_it(tmp_path: Path, output: Path, decode: Decode) -> None:
    scenes = [((230, 40, 40), ("Red",)), ((40, 40, 230), ("Blue",))]
    write_video(tmp_path / "a.mp4", (1280, 720), scenes, 4, {})
    decoded = decode(tmp_path / "a.mp4")
    assert [place.locator for place in decoded.storyboard] == [picture.locator for picture in decoded.pictures]
    with Image.open(output / decoded.storyboard[-1].name) as small:
        assert small.size == (300, 169)
        assert pixel(small, 5, 5)[2] > 150


def test_the_thumbnail_is_not_the_black_start(tmp_path: Path, output: Path, decode: Decode) -> None:
    write_video(tmp_path / "a.mp4", (320, 180), [((0, 0, 0), ()), ((240, 240, 200), ("Good",))], 3, {})
    decode(tmp_path / "a.mp4")
    with Image.open(output / "thumbnail.jpg") as thumbnail:
        assert pixel(thumbnail, 5, 5)[0] > 200


def test_a_film_shot_upright_is_shown_upright(tmp_path: Path, output: Path, decode: Decode) -> None:
    path = files.video_file(tmp_path / "a.mov")
    plain = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    turned = struct.pack(
        ">9i", 0, 0x10000, 0, -0x10000, 0, 0, 96 << 16, 0, 0x40000000
    )  # as a phone held upright writes
    content = path.read_bytes()
    at = content.index(plain, content.index(b"tkhd"))
    path.write_bytes(content[:at] + turned + content[at + len(turned) :])
    decoded = decode(path)
    assert (decoded.properties.width, decoded.properties.height) == (96, 160)
    assert (decoded.pictures[0].width, decoded.pictures[0].height) == (96, 160)
    with Image.open(output / "picture-0001.jpg") as frame:  # the white corner went from the top left to the top right
        assert min(pixel(frame, 92, 3)) > 180
        assert pixel(frame, 20, 20)[0] > 120
        assert pixel(frame, 20, 150)[2] > 120


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi"])
def test_a_film_whose_pixels_are_not_square_is_shown_as_wide_as_it_is(
    tmp_path: Path, output: Path, decode: Decode, ending: str
) -> None:
    decoded = decode(films.film_file(tmp_path / f"a.{ending}", 1, size=(144, 96), pixel=Fraction(4, 3)))
    assert (decoded.properties.width, decoded.properties.height) == (192, 96)
    assert (decoded.pictures[0].width, decoded.pictures[0].height) == (192, 96)
    with Image.open(output / "thumbnail.jpg") as thumbnail:
        assert thumbnail.size == (192, 96)
    with av.open(str(output / "preview.mp4")) as shown:
        assert (shown.streams.video[0].width, shown.streams.video[0].height) == (192, 96)


def test_a_pixel_of_nonsense_is_taken_for_a_square(tmp_path: Path, decode: Decode) -> None:
    decoded = decode(films.film_file(tmp_path / "a.mp4", 1, size=(144, 96), pixel=Fraction(1, 1000)))
    assert (decoded.properties.width, decoded.properties.height) == (144, 96)


def test_subtitles_become_text_with_times(tmp_path: Path, decode: Decode) -> None:
    cues = [(0.5, 1.5, "Where is the lamp?"), (2.0, 3.0, "{\\i1}Behind\\Nthe door.{\\i0}")]
    texts = decode(files.subtitled_file(tmp_path / "a.mkv", cues)).texts
    assert [t.text for t in texts] == ["Where is the lamp?", "Behind\nthe door."]
    assert {t.source for t in texts} == {TextSource.SUBTITLE}
    assert [(t.locator.start_s, t.locator.end_s) for t in texts] == [(0.5, 1.5), (2.0, 3.0)]


def test_what_an_ass_subtitle_draws_is_no_text(tmp_path: Path, decode: Decode) -> None:
    cues = [
        (0, 1, "{\\an7\\pos(9,9)\\p1}m 0 0 l 100 0 100 100{\\p0}"),
        (1, 2, "{\\pbo3\\p2}m 0 0 b 1 2{\\p0\\i1}Nobody saw{\\i0} her"),
    ]
    path = files.subtitled_file(tmp_path / "a.mkv", cues, codec="ass")
    assert [t.text for t in decode(path).texts] == ["Nobody saw her"]


def test_times_count_from_the_start_of_a_film_that_was_cut_out_of_a_longer_one(tmp_path: Path, decode: Decode) -> None:
    decoded = decode(files.subtitled_file(tmp_path / "a.mkv", [(2, 3, "Now"), (11, 12, "Then")], start_s=3600))
    assert [(t.locator.start_s, t.locator.end_s) for t in decoded.texts] == [(2, 3), (11, 12)]
    assert decoded.properties.duration_s == pytest.approx(12, abs=0.2)
    assert [p.locator.end_s for p in decoded.pictures][-1] == pytest.approx(12, abs=0.2)


def test_the_length_of_raw_aac_is_read_and_not_guessed(tmp_path: Path, decode: Decode) -> None:
    decoded = decode(films.sound_file(tmp_path / "a.aac", [True] + [False] * 11))
    assert decoded.properties.duration_s == pytest.approx(12, abs=0.2)


def test_frames_are_capped_and_spread(tmp_path: Path, decode: Decode) -> None:
    scenes = [((30 * n, 250 - 30 * n, 60), (str(n),)) for n in range(8)]
    write_video(tmp_path / "a.mp4", (160, 96), scenes, 3, {})
    starts = [p.locator.start_s or 0.0 for p in decode(tmp_path / "a.mp4", max_frames=4).pictures]
    assert len(starts) == 4
    assert starts[-1] >= 18


@pytest.mark.parametrize("share", [0.002, 0.3])
def test_a_film_that_is_cut_off_is_corrupt_or_degraded(tmp_path: Path, refuse: Refuse, share: float) -> None:
    path = files.video_file(tmp_path / "a.mov")  # its index is at the end
    path.write_bytes(path.read_bytes()[: max(int(path.stat().st_size * share), 40)])
    assert refuse(path).code is FailureCode.CORRUPT


class TestChooseTimes:
    def test_a_still_picture_of_an_hour_is_looked_at_every_ten_seconds(self) -> None:
        times = choose_times([Look(0, 255)], 3600, limit=1000)
        assert all(math.isclose(b - a, 10) for a, b in pairwise(times))
        assert 3580 < times[-1] < 3600

    def test_cuts_are_taken_whenever_they_come(self) -> None:
        frames = [Look(0, 255), Look(2, 80), Look(3, 1), Look(5, 90)]
        assert choose_times(frames, 8, limit=60) == [0, 2, 5]

    def test_key_frames_are_taken_rather_than_round_times(self) -> None:
        frames = [Look(s, 1) for s in range(0, 60, 4)]
        assert choose_times(frames, 60, limit=60) == [0, 8, 16, 24, 32, 40, 48, 56]

    def test_the_limit_keeps_the_strongest_change_of_each_stretch(self) -> None:
        frames = [Look(s, 200 if s % 10 == 5 else 50) for s in range(100)]
        assert choose_times(frames, 100, limit=10) == list(range(5, 100, 10))

    def test_nothing_comes_of_nothing(self) -> None:
        assert choose_times([], 0, limit=5) == []
