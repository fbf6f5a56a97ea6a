"""Films and recordings with damage in the middle: what can be decoded is, at its time, and the rest is told plainly."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import pytest
from av.error import InvalidDataError

from contracts.artifacts import Degradation, FailureCode
from media_processor import damage
from media_processor.damage import Damage, frames_of
from tests.unit.media_processor import files, films
from tests.unit.media_processor.conftest import Decode, Refuse

A_LITTLE = "A second or less of the {} could not be read."


def overwrite(path: Path, type_: str, start_s: float, end_s: float) -> Path:
    """Overwrites the packets of one stream that are shown from ``start_s`` until before ``end_s``."""
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        for packet in container.demux(*(s for s in container.streams if s.type == type_)):
            shown = float(packet.pts * packet.time_base) if packet.pts is not None else -1.0
            if packet.size and packet.pos is not None and start_s <= shown < end_s:
                content[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    path.write_bytes(content)
    return path


def length_of(path: Path, type_: str) -> float:
    with av.open(str(path)) as container:
        return max(
            float((packet.pts + (packet.duration or 0)) * packet.time_base)
            for packet in container.demux(*(s for s in container.streams if s.type == type_))
            if packet.pts is not None
        )


def test_a_damaged_picture_costs_itself(tmp_path: Path, output: Path, decode: Decode) -> None:
    path = overwrite(films.brightening_film(tmp_path / "a.mp4", 40, 5), "video", 15.3, 15.5)
    decoded = decode(path)
    starts = [picture.locator.start_s or 0.0 for picture in decoded.pictures]
    assert max(b - a for a, b in pairwise([0.0, *starts, 40.0])) <= 10
    assert length_of(output / "preview.mp4", "video") == pytest.approx(30, abs=0.2)
    assert decoded.degradations == (Degradation(step="pictures", reason=A_LITTLE.format("pictures")),)


def test_a_film_whose_first_picture_is_damaged_is_read_from_the_next_whole_one(tmp_path: Path, decode: Decode) -> None:
    decoded = decode(overwrite(films.brightening_film(tmp_path / "a.mp4", 40, 5), "video", 0, 0.1))
    assert decoded.pictures[0].locator.start_s == 5
    assert decoded.thumbnail
    reason = "About 5 s of the pictures could not be read."
    assert decoded.degradations == (Degradation(step="pictures", reason=reason),)


def test_a_film_of_which_only_the_sound_can_be_decoded_keeps_it(tmp_path: Path, decode: Decode) -> None:
    decoded = decode(overwrite(films.film_file(tmp_path / "a.mp4", 6), "video", 0, 6))
    assert decoded.speech
    assert (decoded.pictures, decoded.thumbnail, decoded.preview) == ((), None, None)
    assert [d.reason for d in decoded.degradations] == ["About 6 s of the pictures could not be read."]


def test_a_film_of_which_nothing_can_be_decoded_is_corrupt(tmp_path: Path, refuse: Refuse) -> None:
    path = overwrite(films.film_file(tmp_path / "a.mp4", 6), "video", 0, 6)
    assert refuse(overwrite(path, "audio", -1, 9)).code is FailureCode.CORRUPT


def test_a_recording_of_which_nothing_can_be_decoded_is_corrupt(tmp_path: Path, refuse: Refuse) -> None:
    path = overwrite(films.sound_file(tmp_path / "a.m4a", [True] * 3), "audio", -1, 9)
    assert refuse(path).code is FailureCode.CORRUPT


def test_sound_after_a_damaged_stretch_keeps_its_time(tmp_path: Path, decode: Decode) -> None:
    path = overwrite(films.sound_file(tmp_path / "a.m4a", [second in {2, 17} for second in range(20)]), "audio", 5, 10)
    decoded = decode(path)
    (chunk,) = decoded.speech
    assert [(s.start_s, s.end_s) for s in chunk.stretches] == [
        pytest.approx((2, 3), abs=0.4),
        pytest.approx((17, 18), abs=0.4),
    ]
    assert chunk.locator.end_s == pytest.approx(20, abs=0.2)
    reason = "About 5 s of the sound could not be read."
    assert decoded.degradations == (Degradation(step="speech", reason=reason),)
    assert len(decoded.properties.peaks) > 100


def test_sound_and_picture_of_a_preview_stay_together_over_damage(tmp_path: Path, output: Path, decode: Decode) -> None:
    decode(overwrite(films.film_file(tmp_path / "a.mp4", 12), "audio", 3, 6))
    assert length_of(output / "preview.mp4", "audio") == pytest.approx(12, abs=0.2)


@pytest.mark.parametrize("ending", ["mp3", "aac", "mka", "wav", "flac"])
def test_a_lost_block_of_a_recording_costs_little(tmp_path: Path, decode: Decode, ending: str) -> None:
    path = files.audio_file(tmp_path / f"a.{ending}", 12)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 1024] = bytes(1024)
    path.write_bytes(content)
    decoded = decode(path)
    assert decoded.speech[-1].locator.end_s == pytest.approx(12, abs=0.6)
    assert {d.reason for d in decoded.degradations} <= {A_LITTLE.format("sound")}


def test_a_recording_that_changes_its_form_on_the_way_is_heard_whole(tmp_path: Path, decode: Decode) -> None:
    joined = b""
    for number, (rate, layout) in enumerate(((44_100, "stereo"), (24_000, "mono"))):
        part = tmp_path / f"{number}.mp3"
        with av.open(str(part), "w") as container:
            stream = container.add_stream("libmp3lame", rate=rate)
            assert isinstance(stream, av.AudioStream)
            stream.layout = layout
            films.write_sound(container, stream, [True] * 4)
        joined += part.read_bytes()
    path = tmp_path / "a.mp3"
    path.write_bytes(joined)
    decoded = decode(path)
    assert decoded.speech[-1].locator.end_s == pytest.approx(8, abs=0.6)
    assert decoded.properties.peaks


def test_a_file_that_cannot_be_read_on_is_told_with_the_second(tmp_path: Path, decode: Decode) -> None:
    path = films.brightening_film(tmp_path / "a.mp4", 30, 5, {"movflags": "frag_keyframe+empty_moov+default_base_moof"})
    content = bytearray(path.read_bytes())
    at = -1
    for _ in range(4):
        at = content.index(b"trun", at + 1)
    content[at + 44 : at + 48] = b"\x7f\xff\xff\xff"  # the size of a packet shown before 16 s
    path.write_bytes(content)
    decoded = decode(path)
    assert len(decoded.pictures) >= 2
    assert [d.reason for d in decoded.degradations] == ["The file could only be read up to 16 s."]


def test_a_subtitle_that_is_no_text_costs_itself(tmp_path: Path, decode: Decode) -> None:
    path = files.subtitled_file(tmp_path / "a.mkv", [(1, 2, "First"), (3, 4, "Second"), (5, 6, "Third")])
    path.write_bytes(path.read_bytes().replace(b"Second", b"S\xe9cond"))
    decoded = decode(path)
    assert [text.text for text in decoded.texts] == ["First", "Third"]
    assert decoded.degradations == (Degradation(step="subtitles", reason="Subtitles that could not be read: 1."),)


class Unreadable:
    """A packet of 20 ms of sound that cannot be decoded."""

    time_base = Fraction(1, 50)
    stream = SimpleNamespace(type="audio", index=0)

    def __init__(self, tries: list[int], pts: int, duration: int = 1) -> None:
        self._tries, self.pts, self.duration = tries, pts, duration

    def decode(self) -> list[Any]:
        self._tries.append(1)
        raise InvalidDataError(1, "no")


def test_what_is_all_damage_is_not_tried_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(damage, "_MOST_IN_A_ROW", 10)
    met, tries = Damage(), list[int]()
    packets: Any = (Unreadable(tries, number) for number in range(1000))
    assert list(frames_of(packets, met)) == []
    assert len(tries) == 10
    assert met.told_of("audio") == "About 20 s of the sound could not be read."
    assert met.told_of("video") == ""


def test_packets_that_do_not_say_how_long_they_are_are_lost_for_as_long_as_they_last() -> None:
    met = Damage()
    packets: Any = (Unreadable([], number, duration=0) for number in range(1000))
    assert list(frames_of(packets, met)) == []
    assert met.told_of("audio") == "About 20 s of the sound could not be read."
