"""Where, when and with what a film was taken, as phones and editors write it."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from media_processor.container_tags import beside_facts, camera_of, place_of, read_tags, time_of
from tests.unit.media_processor import films
from tests.unit.media_processor.conftest import Decode


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("+48.8577+002.2950/", (48.8577, 2.295)),
        ("-33.8568+151.2153+058.000/", (-33.8568, 151.2153)),
        ("+37.3318-122.0312+010.000CRSWGS_84/", (37.3318, -122.0312)),
        ("+4030.5-07430/", (40.5083333, -74.5)),
        ("+403030-0743000/", (40.5083333, -74.5)),
        ("+48+002/", (48.0, 2.0)),
        ("+00.0000+000.0000", (0.0, 0.0)),
        ("+95.0000+002.0000/", (None, None)),
        ("+48.8577+190.0000/", (None, None)),
        ("Paris", (None, None)),
        ("", (None, None)),
    ],
)
def test_iso_6709(written: str, place: tuple[float | None, float | None]) -> None:
    assert place_of({"location": written}) == place
    assert place_of({"com.apple.quicktime.location.iso6709": written, "location": "+1+001/"}) == place


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        ("2025-03-09T06:08:09.000000Z", datetime(2025, 3, 9, 6, 8, 9, tzinfo=UTC)),
        ("2025-03-09T07:08:09+0100", datetime(2025, 3, 9, 7, 8, 9, tzinfo=timezone(timedelta(hours=1)))),
        ("2025-03-09 07:08:09", datetime(2025, 3, 9, 7, 8, 9, tzinfo=UTC)),
        ("1904-01-01T00:00:00.000000Z", None),
        ("1970-01-01T00:00:00Z", None),
        ("2025", None),
        ("soon after breakfast", None),
    ],
)
def test_times(written: str, taken: datetime | None) -> None:
    assert time_of({"creation_time": written}) == taken


def test_tags_that_are_facts_are_not_said_twice() -> None:
    tags = read_tags({"Title": "T", "encoder": "Lavf", "_STATISTICS_TAGS": "x", "location": "+1+001/", "make": "Sony"})
    assert (tags["title"], camera_of(tags)) == ("T", "Sony")
    assert beside_facts(tags) == {"title": "T"}
    assert len(beside_facts({f"t{n}": "x" for n in range(99)})) == 30


def test_a_film_of_a_phone_says_where_and_when(tmp_path: Path, decode: Decode) -> None:
    apple = "com.apple.quicktime"
    tags = {
        f"{apple}.location.ISO6709": "-33.8568+151.2153+058.000/",
        f"{apple}.creationdate": "2025-03-09T18:08:09+1100",
        f"{apple}.make": "Apple",
        f"{apple}.model": "iPhone 15",
        "creation_time": "2025-03-09T07:08:11Z",
    }
    properties = decode(films.film_file(tmp_path / "a.mov", 1, tags=tags)).properties
    assert (properties.latitude, properties.longitude) == (-33.8568, 151.2153)
    assert properties.taken_at == datetime(2025, 3, 9, 7, 8, 9, tzinfo=UTC)
    assert properties.camera == "Apple iPhone 15"
    assert not {name for name in properties.tags if "location" in name or "creation" in name}


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "webm"])
def test_subtitles_of_every_container_keep_their_times(tmp_path: Path, decode: Decode, ending: str) -> None:
    cues = [(0.5, 1.5, "Where is the lamp?"), (2.25, 3.0, "{\\i1}Behind\\Nthe door.{\\i0}"), (3.5, 3.9, "Ünïcode")]
    found = decode(films.film_file(tmp_path / f"a.{ending}", 5, cues)).texts
    assert [(t.locator.start_s, t.locator.end_s, t.text) for t in found] == [
        (0.5, 1.5, "Where is the lamp?"),
        (2.25, 3.0, "Behind\nthe door."),
        (3.5, 3.9, "Ünïcode"),
    ]
