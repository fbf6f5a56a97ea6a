"""A file's own facts become a title, a sentence and a metadata text."""

from datetime import UTC, datetime

import pytest

from analyzer.facts import describe, metadata_text, name_in_words, title_of
from contracts.artifacts import Kind, Locator, Material, MaterialText, MediaProperties, TextSource


def material(kind: Kind, filename: str, *texts: str, **properties: object) -> Material:
    return Material(
        kind=kind,
        filename=filename,
        properties=MediaProperties.model_validate(properties),
        texts=tuple(MaterialText(text=text, locator=Locator(), source=TextSource.TEXT) for text in texts),
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            material(
                Kind.IMAGE, "a.jpg", width=1920, height=1080, camera="Canon", taken_at=datetime(2024, 5, 1, tzinfo=UTC)
            ),
            "A 1920\u00d71080 photo taken with Canon in May 2024.",
        ),
        (material(Kind.IMAGE, "a.gif", width=800, height=600, frame_count=9), "An 800\u00d7600 animated picture."),
        (material(Kind.IMAGE, "a.tif", width=1728, height=2200, page_count=3), "A 1728\u00d72200 picture of 3 pages."),
        (material(Kind.IMAGE, "a.png"), "A picture."),
        (material(Kind.IMAGE, "a.jpg", taken_at=datetime(2024, 5, 1, tzinfo=UTC)), "A photo taken in May 2024."),
        (
            material(Kind.VIDEO, "a.mp4", duration_s=30.2, width=1280, height=720, audio_codec="aac"),
            "A 30-second video of 1280\u00d7720.",
        ),
        (material(Kind.VIDEO, "a.mp4", duration_s=480.0), "An 8-minute video, without sound."),
        (material(Kind.AUDIO, "a.mp3", duration_s=7200.0, author="Chosic"), "A 2.0-hour audio recording by Chosic."),
        (material(Kind.AUDIO, "a.mp3"), "An audio recording."),
        (material(Kind.DOCUMENT, "a.pdf", page_count=11), "An 11-page PDF document."),
        (material(Kind.DOCUMENT, "a.xlsx"), "An Excel document."),
        (material(Kind.DOCUMENT, "notes"), "A document."),
    ],
)
def test_one_sentence_says_what_it_is(given: Material, expected: str) -> None:
    assert describe(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (material(Kind.DOCUMENT, "x.pdf", title="  The  Title "), "The Title"),
        (material(Kind.DOCUMENT, "x.pdf", title="Annual_report-2024"), "Annual report 2024"),
        (material(Kind.DOCUMENT, "trip_plan.docx", title="untitled"), "trip plan"),
        (
            material(Kind.DOCUMENT, "x.docx", "\n# Heading of it all\n\nText", title="Microsoft Word - x.docx"),
            "Heading of it all",
        ),
        (material(Kind.DOCUMENT, "x.csv", "1;2;3;4;5"), "x"),
        (material(Kind.DOCUMENT, "x.txt", "It begins with a sentence."), "x"),
        (material(Kind.IMAGE, "IMG_2024-05TripToRome.final.jpg", "Some words here"), "IMG 2024 05Trip To Rome final"),
        (material(Kind.IMAGE, "____.jpg"), "Image"),
    ],
)
def test_the_title_is_its_own_or_its_heading_or_its_name(given: Material, expected: str) -> None:
    assert title_of(given) == expected


@pytest.mark.parametrize(
    ("name", "words"),
    [("a_b-c.txt", "a b c"), (".env", ".env".strip(".")), ("überBlick.pdf", "über Blick"), ("猫.jpg", "猫")],
)
def test_names_become_words(name: str, words: str) -> None:
    assert name_in_words(name) == words


def test_metadata_says_each_thing_once_and_nothing_for_machines() -> None:
    song = material(
        Kind.AUDIO,
        "a.mp3",
        title="Rain",
        author="Chosic",
        tags={"artist": "Chosic", "album_artist": "Various", "creation_time": "2024-01-01T00:00:00Z"},
        latitude=48.1371,
        longitude=-11.57541,
    )
    assert metadata_text(song) == "Title: Rain\nAuthor: Chosic\nPlace: 48.1371° N, 11.5754° W\nAlbum artist: Various"
    assert metadata_text(material(Kind.IMAGE, "a.png", width=3)) == ""
