"""What is made of films and recordings for people and for speech recognition, and that length costs no memory."""

from itertools import pairwise
from pathlib import Path

import av
import av.logging
import pytest
from PIL import Image

from media_processor import preview, sound
from media_processor.decoded import REPORT_NAME, DecodeLimits, Job, Report
from media_processor.preview import fitted
from media_processor.sandbox import Sandbox
from media_processor.stretches import INAUDIBLE_DB, find_stretches
from tests.unit.media_processor import films
from tests.unit.media_processor.conftest import Decode

MIB = 1 << 20

ENDS_IN_ITS_PICTURES = """
import os
from media_processor import decoding, scenes

def run(job_json):
    scenes.look_through = lambda *_: os._exit(3)
    decoding.run(job_json)
"""


def boxes(path: Path) -> list[bytes]:
    """The names of the outermost boxes of an MP4, in order."""
    content, at, names = path.read_bytes(), 0, list[bytes]()
    while at < len(content):
        names.append(content[at + 4 : at + 8])
        at += int.from_bytes(content[at : at + 4], "big") or len(content)
    return names


@pytest.mark.parametrize("ending", ["mp4", "avi"])
def test_a_preview_plays_in_browsers(tmp_path: Path, output: Path, decode: Decode, ending: str) -> None:
    decoded = decode(films.film_file(tmp_path / f"a.{ending}", 34, tags={"title": "secret"}, size=(854, 480)))
    assert decoded.preview
    assert not decoded.degradations
    assert boxes(output / "preview.mp4")[:2] == [b"ftyp", b"moov"]
    with av.open(str(output / "preview.mp4")) as shown:
        picture, heard = shown.streams.video[0], shown.streams.audio[0]
        assert (picture.codec_context.name, picture.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (picture.width, picture.height) == (640, 358)
        assert picture.average_rate
        assert picture.average_rate <= preview.FRAMES_PER_S
        assert heard.codec_context.name == "aac"
        assert shown.duration
        assert shown.duration / av.time_base == pytest.approx(preview.LENGTH_S, abs=0.3)
        assert set(shown.metadata) == {"major_brand", "minor_version", "compatible_brands", "encoder"}
        frame = next(shown.decode(picture)).to_image()
    left, right = frame.getpixel((160, 200)), frame.getpixel((480, 200))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert (left[0] > 150 > left[2], right[2] > 150 > right[0]) == (True, True)


def test_sound_and_picture_of_a_preview_have_the_same_length(tmp_path: Path, output: Path, decode: Decode) -> None:
    decode(films.film_file(tmp_path / "a.mkv", 6))
    with av.open(str(output / "preview.mp4")) as shown:
        lengths = [float((s.duration or 0) * (s.time_base or 0)) for s in (*shown.streams.video, *shown.streams.audio)]
    assert lengths == pytest.approx([6, 6], abs=0.3)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1920, 1080), (640, 360)),
        ((1080, 1920), (360, 640)),
        ((320, 180), (320, 180)),
        ((321, 181), (320, 180)),
        ((4000, 10), (640, 2)),
        ((1, 1), (2, 2)),
    ],
)
def test_previews_fit_a_box_in_even_numbers(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert fitted(size) == expected


def test_a_film_cut_off_is_shown_as_far_as_it_goes(tmp_path: Path, decode: Decode) -> None:
    path = films.film_file(tmp_path / "a.mkv", 10)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    decoded = decode(path)
    assert decoded.preview
    assert decoded.speech


@pytest.mark.asyncio(loop_scope="module")
async def test_a_film_whose_pictures_take_too_much_keeps_its_preview_and_its_sound(
    tmp_path: Path, output: Path
) -> None:
    source = films.film_file(tmp_path / "a.mp4", 3)
    ending = tmp_path / "ends_in_its_pictures.py"
    ending.write_text(ENDS_IN_ITS_PICTURES)
    async with Sandbox(entry="ends_in_its_pictures:run", search_path=[tmp_path]) as sandbox:
        decoded = await sandbox.decode(source, "a.mp4", output)
    assert [degradation.step for degradation in decoded.degradations] == ["pictures"]
    assert decoded.thumbnail
    assert decoded.preview
    assert decoded.speech


def test_encoding_has_a_budget_of_time(
    tmp_path: Path, output: Path, decode: Decode, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = films.film_file(tmp_path / "a.mp4", 3)
    monkeypatch.setattr(preview, "_BUDGET_S", -1)
    monkeypatch.setattr(sound, "_BUDGET_S", -1)
    decoded = decode(path)
    assert (decoded.preview, decoded.speech) == (None, ())
    assert {d.step for d in decoded.degradations} == {"preview", "speech"}
    assert decoded.pictures


def test_ffmpeg_never_asks_for_the_interpreter_to_log(tmp_path: Path, decode: Decode) -> None:
    av.logging.set_level(
        av.logging.ERROR
    )  # under which a decoder's thread and its closing wait for each other for ever
    decode(films.film_file(tmp_path / "a.avi", 1))
    assert av.logging.get_level() is None


def test_sound_is_cut_in_silence_and_its_stretches_keep_their_place(
    tmp_path: Path, output: Path, decode: Decode
) -> None:
    loud = {*range(2, 5), *range(100, 141), *range(505, 515), 612}
    decoded = decode(films.sound_file(tmp_path / "a.wav", [second in loud for second in range(620)]))
    first, second = decoded.speech
    assert 515 < (first.locator.end_s or 0) < 517
    assert (second.locator.start_s, second.locator.end_s) == (first.locator.end_s, pytest.approx(620, abs=0.2))
    spoken = [(s.start_s, s.end_s) for s in (*first.stretches, *second.stretches)]
    assert spoken[0] == pytest.approx((2, 5), abs=0.3)
    assert (spoken[1][0], spoken[2][1]) == pytest.approx((100, 141), abs=0.3)  # more than 30 s: in two
    assert spoken[3:] == [pytest.approx((505, 515), abs=0.3), pytest.approx((612, 613), abs=0.3)]
    for chunk in decoded.speech:
        with av.open(str(output / chunk.name)) as heard:
            assert heard.streams.audio[0].channels == 1
            assert (heard.duration or 0) / av.time_base == pytest.approx(
                (chunk.locator.end_s or 0) - (chunk.locator.start_s or 0), abs=0.2
            )
    assert sum((output / chunk.name).stat().st_size for chunk in decoded.speech) < MIB


def test_a_silent_recording_has_nothing_to_hear(tmp_path: Path, output: Path, decode: Decode) -> None:
    decoded = decode(films.sound_file(tmp_path / "a.wav", [False] * 5))
    assert (decoded.speech, decoded.degradations) == ((), ())
    assert not list(output.glob("*.ogg"))


@pytest.mark.asyncio(loop_scope="module")
async def test_two_hours_are_covered_in_bounded_memory(sandbox: Sandbox, tmp_path: Path, output: Path) -> None:
    source = films.long_film(tmp_path / "a.mp4", hours=2)
    limits = DecodeLimits()
    end = await sandbox.run(Job(source=source, output=output, filename="a.mp4", limits=limits).model_dump_json())
    assert end.exit == 0
    assert end.peak_rss < 160 * MIB
    decoded = Report.model_validate_json((output / REPORT_NAME).read_bytes()).decoded
    assert decoded
    starts = [p.locator.start_s or 0.0 for p in decoded.pictures]
    assert limits.max_frames // 2 <= len(starts) <= limits.max_frames
    assert max(b - a for a, b in pairwise([0.0, *starts, 7200.0])) <= 2 * 7200 / limits.max_frames + 60
    colours = {Image.open(output / p.name).resize((1, 1)).getpixel((0, 0)) for p in decoded.pictures}
    assert len(colours) >= 20  # of the 24 scenes


class TestStretches:
    LOUD, QUIET = -20.0, -70.0

    def test_silence_has_none(self) -> None:
        assert find_stretches([]) == []
        assert find_stretches([INAUDIBLE_DB] * 100) == []

    def test_a_voice_between_silences(self) -> None:
        levels = [self.QUIET] * 50 + [self.LOUD] * 20 + [self.QUIET] * 50
        assert find_stretches(levels) == [(4.8, 7.2)]

    def test_short_pauses_join_and_clicks_are_left_out(self) -> None:
        quiet = [self.QUIET] * 30
        levels = [*quiet, *[self.LOUD] * 10, *[self.QUIET] * 4, *[self.LOUD] * 10, *quiet, self.LOUD, *quiet]
        assert find_stretches(levels) == [(2.8, 5.6)]

    def test_noise_behind_a_voice_is_silence(self) -> None:
        levels = [-40.0] * 100 + [-22.0] * 30 + [-41.0] * 100
        assert find_stretches(levels) == [(9.8, 13.2)]

    def test_a_whisper_in_a_quiet_room_is_sound(self) -> None:
        levels = [-88.0] * 100 + [-55.0] * 30 + [-88.0] * 100
        assert find_stretches(levels) == [(9.8, 13.2)]

    def test_even_noise_is_one_stretch_in_pieces_cut_where_it_is_quietest(self) -> None:
        levels = [-20.0 - (n == 250) for n in range(500)]
        assert find_stretches(levels) == [(0.0, 25.0), (25.0, 50.0)]

    def test_one_word_in_an_hour_is_found(self) -> None:
        levels = [-60.0] * 36_000
        levels[20_000:20_005] = [self.LOUD] * 5
        assert find_stretches(levels) == [(1999.8, 2000.7)]
