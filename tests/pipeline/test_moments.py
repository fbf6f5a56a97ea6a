"""A hit points into the file: the line of a film's subtitles, page 37 of a PDF, the title painted into a chart."""

from io import BytesIO
from pathlib import Path

import httpx2
import pytest
from PIL import Image

from localcloud.samples.media import write_video
from localcloud.samples.pdf import write_pdf
from localcloud.samples.pictures import draw_card
from tests.pipeline.local_system import LocalSystem, data_of
from tests.unit.media_processor.films import film_file

FILLER = "The committee discussed the maintenance of the footpaths and found nothing to add this week."


def _completed(system: LocalSystem, path: Path) -> None:
    status = system.until_final(data_of(system.upload(path))["upload_id"])
    assert status["status"] == "completed", status


def test_a_line_of_a_films_subtitles(system: LocalSystem, tmp_path: Path) -> None:
    film = tmp_path / "expedition.mkv"
    cues = [(2.0, 4.0, "We found the lost observatory of Ulugh Beg."), (6.0, 8.0, "Let us have tea.")]
    film_file(film, seconds=9, cues=cues)
    _completed(system, film)
    moment = system.until_found("lost observatory of Ulugh Beg", film.name)["moments"][0]
    assert "Ulugh Beg" in moment["text"]
    assert moment["start_s"] <= 2.1
    assert moment["source"] == "subtitle"
    later = system.until_found("let us have tea", film.name)["moments"][0]
    assert later["start_s"] == pytest.approx(6, abs=0.1)


def test_page_37_of_a_pdf(system: LocalSystem, tmp_path: Path) -> None:
    pages = [(f"Minutes, part {number}", (FILLER, f"Item {number} was postponed.")) for number in range(1, 61)]
    pages[36] = ("Minutes, part 37", ("A meteorite fell into the duck pond and was claimed by the museum.",))
    report = tmp_path / "minutes.pdf"
    write_pdf(report, pages, "Minutes of the parish", "The clerk")
    _completed(system, report)
    moment = system.until_found("meteorite in the duck pond", report.name)["moments"][0]
    assert moment["page"] == 37
    assert _seen(system, moment["thumbnail_url"]).size == (212, 300), "an A4 page"


def test_the_scene_of_a_film(system: LocalSystem, tmp_path: Path) -> None:
    film = tmp_path / "weathervane.mp4"
    red, blue = (200, 40, 40), (40, 40, 200)
    write_video(film, (640, 360), [(red, ("Dawn",)), (blue, ("Weathervane",))], 4, {})
    _completed(system, film)
    found = system.until_found("weathervane", film.name)
    moment = next(one for one in found["moments"] if one["start_s"] == 4)
    for url, colour in ((found["thumbnail_url"], red), (moment["thumbnail_url"], blue)):
        shown = _seen(system, url).convert("RGB").getpixel((5, 5))
        assert shown == pytest.approx(colour, abs=30)


def _seen(system: LocalSystem, url: str) -> Image.Image:
    with system.http() as http:
        location = http.get(url).headers["Location"]
    # The key goes to the gateway only; the redirect leads to another origin.
    return Image.open(BytesIO(httpx2.get(location, trust_env=False).raise_for_status().content))


def test_the_title_of_a_chart(system: LocalSystem, tmp_path: Path) -> None:
    chart = tmp_path / "figure-4.png"
    draw_card((900, 640), (250, 250, 250), ("Rainfall in Bergen", "by month, 1961 to 1990")).save(chart)
    _completed(system, chart)
    moment = system.until_found("monthly rainfall in Bergen", chart.name)["moments"][0]
    assert moment["source"] == "ocr"
    assert "Bergen" in moment["text"]
