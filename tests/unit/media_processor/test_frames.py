"""What is decoded for the pictures of a film: each frame once at most, and only what no key frame makes needless."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Self

import av
import pytest

from media_processor import formats
from media_processor.containers import open_media
from media_processor.damage import Damage
from media_processor.decoded import DecodeLimits
from media_processor.formats import Format
from media_processor.kinds import video
from media_processor.kinds.row import Source
from media_processor.scenes import choose_times, look_through
from tests.unit.media_processor import films
from tests.unit.media_processor.films import FPS

SECONDS = 100
FORMATS = {
    "mp4": formats.MP4,
    "mkv": formats.MKV,
    "webm": formats.WEBM,
    "avi": formats.AVI,
    "ogv": formats.OGV,
}
WITHOUT_INDEX = {"live": "1"}
"""As a browser records: no index, and no length."""


class CountedPacket:
    def __init__(self, packet: Any, film: "CountedFilm") -> None:
        self._packet, self._film = packet, film

    def __getattr__(self, name: str) -> Any:
        return getattr(self._packet, name)

    def decode(self) -> list[Any]:
        frames = self._packet.decode()
        self._film.decoded += len(frames)
        return frames


class CountedFilm(AbstractContextManager["CountedFilm"]):
    """An open film, and how many frames were decoded of it."""

    def __init__(self, container: Any) -> None:
        self._container, self.decoded = container, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def demux(self, stream: Any) -> Iterator[Any]:
        return (CountedPacket(packet, self) for packet in self._container.demux(stream))

    def decode(self, stream: Any) -> Iterator[Any]:
        for frame in self._container.decode(stream):
            self.decoded += 1
            yield frame


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[CountedFilm]:
    """Every film that was opened for its pictures."""
    counted: list[CountedFilm] = []

    def count(path: Path, format_: Format) -> CountedFilm:
        counted.append(CountedFilm(open_media(path, format_)))
        return counted[-1]

    monkeypatch.setattr(video, "open_media", count)
    return counted


def source(path: Path) -> Source:
    return Source(path, path.name, FORMATS[path.suffix[1:]], DecodeLimits())


def seconds_shown(path: Path, times: list[float]) -> list[float]:
    """The second each picture is of, as its brightness tells."""
    return [
        picture.resize((1, 1)).convert("L").getpixel((0, 0)) / 2
        for _, picture in video.frames_at(source(path), times, Damage())
    ]


@pytest.mark.parametrize(
    ("ending", "options"), [*((ending, {}) for ending in FORMATS), ("webm", WITHOUT_INDEX), ("mkv", WITHOUT_INDEX)]
)
@pytest.mark.parametrize("key_every_s", [None, 5])
def test_no_frame_is_decoded_twice(
    tmp_path: Path, opened: list[CountedFilm], ending: str, options: dict[str, str], key_every_s: int | None
) -> None:
    film = films.brightening_film(tmp_path / f"a.{ending}", SECONDS, key_every_s, options)
    times = [float(second) for second in range(2, SECONDS, 7)]
    assert seconds_shown(film, times) == pytest.approx(times, abs=1)
    assert opened[0].decoded <= SECONDS * FPS


@pytest.mark.parametrize("ending", ["mp4", "mkv", "webm"])
def test_where_key_frames_lie_between_only_what_follows_the_last_is_decoded(
    tmp_path: Path, opened: list[CountedFilm], ending: str
) -> None:
    film = films.brightening_film(tmp_path / f"a.{ending}", SECONDS, 5)
    times = [float(second) for second in range(2, SECONDS, 10)]
    assert seconds_shown(film, times) == pytest.approx(times, abs=1)
    assert opened[0].decoded <= len(times) * (2 * FPS + 1)


def test_times_closer_than_frames_give_the_same_frame_again(tmp_path: Path, opened: list[CountedFilm]) -> None:
    film = films.brightening_film(tmp_path / "a.mp4", 2, None)
    times = [0.0, 0.1, 0.15, 0.2, 1.0, 1.0]
    assert [index for index, _ in video.frames_at(source(film), times, Damage())] == list(range(len(times)))
    assert opened[0].decoded == FPS + 1


def test_frames_end_where_the_film_does(tmp_path: Path) -> None:
    film = films.brightening_film(tmp_path / "a.mp4", 10, None)
    assert seconds_shown(film, [1, 8, 30, 40, 50]) == pytest.approx([1, 8, 10], abs=1)


def test_a_film_that_states_no_length_is_shown_whole(tmp_path: Path) -> None:
    film = source(films.brightening_film(tmp_path / "a.webm", SECONDS, None, WITHOUT_INDEX))
    opened = video.validate(film)
    assert opened.duration_s == pytest.approx(SECONDS, abs=1)
    assert video.metadata(opened).duration_s == opened.duration_s
    places = [shot.locator for shot in video.prepare(opened).shots]
    assert places[-1].end_s == pytest.approx(SECONDS, abs=1)
    assert len(places) >= SECONDS / 10


def test_looking_between_key_frames_keeps_within_its_budget(tmp_path: Path) -> None:
    path, length, budget = films.brightening_film(tmp_path / "a.mp4", 200, None), 200, 120
    looked_at: list[Any] = []

    def open_film() -> Any:
        looked_at.append(CountedFilm(av.open(str(path))))
        return looked_at[-1]

    looks = look_through(open_film, length, Damage())
    assert budget - 3 < looks[-1].second <= budget
    assert sum(film.decoded for film in looked_at) <= budget * FPS + 2


def test_scenes_between_the_key_frames_of_av1_are_seen(tmp_path: Path) -> None:
    path = films.av1_film(tmp_path / "a.mp4", scene_s=5, scenes=4)
    looks = look_through(lambda: av.open(str(path)), 20, Damage())
    assert choose_times(looks, 20, 60) == pytest.approx([0, 5, 10, 15], abs=1.01)
