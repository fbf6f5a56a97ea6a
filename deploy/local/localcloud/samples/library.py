"""The named samples: believable files of varied topics, each with a query that should find it."""

from dataclasses import dataclass
from pathlib import Path

from localcloud.samples import texts
from localcloud.samples.media import write_audio, write_video
from localcloud.samples.office import write_docx, write_xlsx
from localcloud.samples.pdf import write_pdf
from localcloud.samples.pictures import draw_card, draw_harbour, save_photo


@dataclass(frozen=True)
class Sample:
    """A made file, a search that should find it first, and what it is."""

    path: Path
    query: str
    description: str


def make_samples(directory: Path) -> list[Sample]:
    """Makes all samples in a directory (created if need be), in about two seconds."""
    directory.mkdir(parents=True, exist_ok=True)
    return [*_documents(directory), *_pictures(directory), *_recordings(directory), _film(directory)]


def _documents(directory: Path) -> list[Sample]:
    report = directory / "kestrel-coffee-quarterly-report.pdf"
    write_pdf(report, texts.COFFEE_REPORT, "Kestrel Coffee Roasters: Quarterly Report", "Hanna Weiss")
    recipe = directory / "rye-sourdough.docx"
    write_docx(recipe, texts.BREAD_RECIPE, "Aino Virtanen")
    meeting = directory / "neighbourhood-meeting.xlsx"
    write_xlsx(meeting, "Neighbourhood meeting, November", texts.NEIGHBOURHOOD_MEETING, "Marlene Kraus")
    guide, log, garden = (directory / name for name in ("bicycle-repair.md", "lighthouse-log.txt", "tomatoes.html"))
    guide.write_text(texts.BICYCLE_GUIDE, encoding="utf-8")
    log.write_text(texts.LIGHTHOUSE_LOG, encoding="utf-8")
    garden.write_text(texts.GARDEN_PAGE, encoding="utf-8")
    return [
        Sample(report, "how much did the price of green coffee beans matter", "a PDF report of three pages"),
        Sample(recipe, "why is my rye bread gummy inside", "a Word document with a recipe"),
        Sample(meeting, "who repairs the broken swing", "a workbook with the decisions of a meeting"),
        Sample(guide, "how do I patch a punctured inner tube", "a Markdown guide"),
        Sample(log, "aurora borealis seen by the lighthouse keeper", "a plain text log book"),
        Sample(garden, "growing vegetables on a balcony", "a web page"),
    ]


def _pictures(directory: Path) -> list[Sample]:
    photo = directory / "harbour-evening.jpg"
    harbour = draw_harbour((1280, 853), ("HARBOUR FERRY", "Last boat 21:45"), seed=7)
    save_photo(harbour, photo, ("Fujifilm", "X100V"), "2026:07:19 21:12:40", (59.9075, 10.7263))
    notice = directory / "lost-tortoise-notice.png"
    draw_card(
        (900, 640),
        (255, 232, 140),
        ("LOST TORTOISE", "answers to Biscuit", "blue dot on her shell", "Reward: apple pie"),
    ).save(notice)
    return [
        Sample(photo, "when does the last ferry leave", "a photo of a harbour with a sign"),
        Sample(notice, "runaway pet with a coloured mark on its shell", "a notice with words to be read by OCR"),
    ]


def _recordings(directory: Path) -> list[Sample]:
    lullaby, bell = directory / "lullaby-for-otters.mp3", directory / "monastery-bell.flac"
    tune = {"title": "Lullaby for Otters", "artist": "The Tidepool Quartet", "album": "Songs from the Estuary"}
    write_audio(lullaby, "libmp3lame", (392.0, 330.0, 349.0, 262.0, 294.0, 262.0), 9, {**tune, "genre": "Chamber folk"})
    about = "Field recording of the morning bell at a monastery in the Pyrenees"
    write_audio(
        bell, "flac", (220.0,) * 3, 6, {"title": "Morning Bell", "artist": "Pilar Echeverria", "comment": about}
    )
    return [
        Sample(lullaby, "calm music for sleepy otters", "an MP3 with tags"),
        Sample(bell, "church bell recorded in the mountains", "a FLAC recording with a comment"),
    ]


def _film(directory: Path) -> Sample:
    film = directory / "emma-turns-seven.mp4"
    scenes = (
        ((250, 214, 110), ("Emma turns seven", "14 June 2026")),
        ((120, 190, 236), ("Blowing out", "the candles")),
        ((150, 214, 140), ("Sack race", "in the garden")),
        ((232, 150, 180), ("Opening presents:", "a red scooter!")),
    )
    write_video(film, (640, 360), scenes, 4, {"title": "Emma turns seven", "comment": "Birthday party in the garden"})
    return Sample(film, "child's birthday party with a scooter", "a film of four scenes with sound")
