"""What the viewer makes of originals: films of any shape, links that are over, what the browser cannot show."""

import wave
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.driving import barriers, open_card, open_page, search
from tests.browser.stub_library import StubLibrary

WINDOWS = ((1280, 900), (360, 740), (740, 360), (1280, 500), (640, 450))
READY = "() => document.querySelector('#stage :is(video, audio)')?.readyState >= 1"


@pytest.fixture
def stub(tab: Page) -> Iterator[StubLibrary]:
    with StubLibrary(files=40).running() as running:
        yield running
        # The server waits for what is still being sent to somebody who has stopped listening.
        tab.close()


def _film(path: Path, width: int, height: int) -> Path:
    with av.open(path, "w") as written:
        stream = written.add_stream("h264", rate=10)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for shade in range(20):
            frame = av.VideoFrame.from_image(Image.new("RGB", (width, height), (90, 40 + 8 * shade, 120)))
            written.mux(stream.encode(frame))
        written.mux(stream.encode())
    return path


def _opened(tab: Page, stub: StubLibrary, number: int) -> Locator:
    open_page(tab, stub.url)
    search(tab, "harbour")
    expect(tab.locator("#grid mark").first).to_be_visible()
    return open_card(tab, tab.locator("#grid .card", has_text=f"file {number:05}").first)


@pytest.mark.parametrize("size", [(540, 960), (960, 540)])
def test_a_film_of_any_shape_lies_inside_the_stage(
    tab: Page, stub: StubLibrary, tmp_path: Path, size: tuple[int, int]
) -> None:
    stub.originals["upl_1"] = _film(tmp_path / "film.mp4", *size)
    viewer = _opened(tab, stub, 1)
    tab.wait_for_function(READY)
    for width, height in WINDOWS:
        tab.set_viewport_size({"width": width, "height": height})
        stage, film = (viewer.locator(name).bounding_box() for name in ("#stage", "#stage video"))
        assert stage
        assert film
        assert film["y"] >= stage["y"]
        assert film["y"] + film["height"] <= stage["y"] + stage["height"] <= height
        assert film["x"] + film["width"] <= stage["x"] + stage["width"] <= width


def _recording(path: Path, minutes: int) -> Path:
    """Too long to be fetched whole before anybody moves on in it."""
    with wave.open(str(path), "wb") as written:
        written.setnchannels(2)
        written.setsampwidth(2)
        written.setframerate(44_100)
        written.writeframes(bytes(minutes * 60 * 44_100 * 4))
    return path


def test_a_link_that_is_over_costs_neither_the_player_nor_the_place(
    tab: Page, stub: StubLibrary, tmp_path: Path
) -> None:
    stub.originals["upl_2"] = _recording(tmp_path / "long.wav", 20)
    viewer = _opened(tab, stub, 2)
    tab.wait_for_function(READY)
    stub.oldest_link = stub.links + 1
    viewer.locator("audio").evaluate("sound => { sound.pause(); sound.currentTime = 1000; }")
    tab.wait_for_function("() => document.querySelector('#stage audio').src.endsWith('link=2')")
    tab.wait_for_function("() => document.querySelector('#stage audio').readyState >= 2")
    assert viewer.locator("audio").evaluate("sound => [sound.currentTime, sound.paused]") == [1000, True]
    assert stub.links == 2


def test_only_a_new_link_that_fails_as_well_is_blamed_on_the_format(
    tab: Page, stub: StubLibrary, tmp_path: Path
) -> None:
    stub.originals["upl_2"] = tmp_path / "noise.wav"
    stub.originals["upl_2"].write_bytes(b"not a recording" * 1000)
    viewer = _opened(tab, stub, 2)
    expect(viewer.locator("#stage")).to_contain_text("This browser does not play this format.")
    assert stub.links == 2


def test_a_pdf_is_opened_by_a_link_of_the_moment(browser: Browser, stub: StubLibrary, tmp_path: Path) -> None:
    stub.originals["upl_3"] = tmp_path / "a.pdf"
    stub.originals["upl_3"].write_bytes(b"%PDF-1.7")
    context = browser.new_context(viewport={"width": 360, "height": 740})
    tab = context.new_page()
    viewer = _opened(tab, stub, 3)
    assert stub.links == 0
    with context.expect_page() as opened:
        viewer.get_by_role("button", name="Open at page 3").click()
    opened.value.wait_for_url("**/original/upl_3?link=1#page=3")
    assert opened.value.evaluate("opener") is None
    context.close()


def test_a_film_plays_only_when_asked_to(tab: Page, stub: StubLibrary, tmp_path: Path) -> None:
    stub.originals["upl_1"] = _film(tmp_path / "film.mp4", 320, 180)
    stub.moment = {"text": "A harbour", "highlights": [[2, 9]], "start_s": 1.0}
    viewer = _opened(tab, stub, 1)
    film = viewer.locator("video")
    tab.wait_for_function("() => document.querySelector('#stage video')?.readyState === 4")
    assert film.evaluate("film => [film.paused, film.currentTime]") == [True, 1]
    film.evaluate("film => { film.onplay = () => { film.dataset.played = 'yes'; }; }")
    viewer.locator(".moments button").click()
    expect(film).to_have_attribute("data-played", "yes")


def test_no_film_moves_under_the_pointer_of_who_wants_none_to(
    browser: Browser, stub: StubLibrary, tmp_path: Path
) -> None:
    stub.originals["upl_1"] = _film(tmp_path / "film.mp4", 320, 180)
    stub.moment = {"text": "A harbour", "highlights": [[2, 9]], "start_s": 1.0}
    for motion, links in (("reduce", 0), ("no-preference", 1)):
        context = browser.new_context(reduced_motion=motion)
        tab = context.new_page()
        open_page(tab, stub.url)
        search(tab, "harbour")
        expect(tab.locator("#grid mark").first).to_be_visible()
        tab.locator("#grid .card", has_text="file 00001").hover()
        tab.wait_for_timeout(700)
        context.close()
        assert stub.links == links


def test_a_copy_shown_instead_is_called_one(tab: Page, stub: StubLibrary, tmp_path: Path) -> None:
    stub.originals["upl_0"] = tmp_path / "photo.heic"
    stub.originals["upl_0"].write_bytes(b"what no browser shows")
    viewer = _opened(tab, stub, 0)
    note = viewer.locator(".stage-note")
    expect(note).to_contain_text("This browser cannot show this format: this is a copy that it can.")
    expect(note.get_by_role("button", name="Download the original")).to_be_visible()
    expect(note).to_have_count(1)
    picture = viewer.locator(".zoom img")
    assert picture.evaluate("one => one.getBoundingClientRect().bottom") <= note.evaluate(
        "one => one.getBoundingClientRect().top"
    )


OFFICE = "application/vnd.openxmlformats-officedocument."
WORD = f"{OFFICE}wordprocessingml.document"


def test_a_document_is_read_whole_with_what_was_found_marked_and_in_view(tab: Page, stub: StubLibrary) -> None:
    chapter = "It rains on the harbour wall. " * 60
    stub.changed["upl_3"] = {"media_type": WORD}
    pages = [[{"text": f"Chapter {n}. {chapter}", "section": f"Part {n}"}] for n in range(6)]
    pages[4] = [{"text": "At noon 😀 the keeper "}, {"text": "eats a quince alone.", "continues": True}]
    stub.texts["upl_3"] = pages
    stub.moment = {"text": "…noon 😀 the keeper eats a quince…", "highlights": [[26, 32]], "source": "text"}
    viewer = _opened(tab, stub, 3)
    mark = viewer.locator(".written mark")
    expect(mark).to_have_text("quince")
    expect(mark).to_be_in_viewport()
    expect(viewer.locator(".written p", has_text="keeper")).to_have_text("At noon 😀 the keeper eats a quince alone.")
    expect(viewer.locator(".written h3")).to_have_text(["Part 0", "Part 1", "Part 2", "Part 3", "Part 5"])
    viewer.locator(".reading").evaluate("reading => { reading.scrollTop = reading.scrollHeight; }")
    expect(viewer.locator(".written p").last).to_contain_text("Chapter 5.")
    viewer.locator(".moments button").click()
    expect(mark).to_be_in_viewport()
    asked = [path for path in stub.asked if path.startswith("/text/upl_3")]
    assert asked == [f"/text/upl_3?after={after}" for after in range(-1, 5)]


def test_a_section_is_named_once_by_a_heading_and_marks_may_begin_in_it(tab: Page, stub: StubLibrary) -> None:
    stub.changed["upl_3"] = {"media_type": WORD}
    filler = {"text": "It rains on the harbour wall. " * 200, "section": "Rain"}
    minutes = [
        {"text": "The 😀 quince\nAt noon the kee", "section": "The 😀 quince"},
        {"text": "per eats.", "continues": True},
    ]
    stub.texts["upl_3"] = [[filler, *minutes], [{"text": "The quince tree\nstands.", "section": "The quince"}]]
    words = "The 😀 quince\nAt noon the keeper…"
    stub.moment = {"text": words, "highlights": [[6, 12], [25, 31]], "source": "text", "section": "The 😀 quince"}
    viewer = _opened(tab, stub, 3)
    expect(viewer.locator(".written h3")).to_have_text(["Rain", "The 😀 quince"])
    expect(viewer.locator(".written h3 mark")).to_have_text("quince")
    expect(viewer.locator(".written p mark")).to_have_text("keeper")
    expect(viewer.locator(".written mark").first).to_be_in_viewport()
    expect(viewer.locator(".written .here")).to_have_text(["The 😀 quince", "At noon the keeper"])
    expect(viewer.locator(".written p").nth(1)).to_have_text("At noon the keeper eats.")
    expect(viewer.locator(".written p").nth(2)).to_have_text("The quince tree stands.")


def _text_file(stub: StubLibrary, path: Path, content: bytes, media_type: str = "text/plain") -> None:
    path.write_bytes(content)
    stub.originals["upl_3"] = path
    stub.changed["upl_3"] = {"media_type": media_type}


def test_a_text_that_no_passage_of_was_found_is_shown_from_its_beginning(
    tab: Page, stub: StubLibrary, tmp_path: Path
) -> None:
    _text_file(stub, tmp_path / "diary.txt", b"Dear diary, it rained on the harbour wall.\n")
    open_page(tab, stub.url)
    from_the_list = open_card(tab, tab.locator("#grid .card", has_text="file 00003").first)
    expect(from_the_list.locator(".text-page")).to_have_text("Dear diary, it rained on the harbour wall.\n")
    expect(from_the_list.locator(".stage-note")).to_have_count(0)
    stub.moment = {"text": "Title: harbour", "highlights": [[7, 14]], "source": "metadata"}
    by_its_facts = _opened(tab, stub, 3)
    expect(by_its_facts.locator(".text-page")).to_have_text("Dear diary, it rained on the harbour wall.\n")


def test_a_text_is_shown_as_it_is_with_the_passage_tinted_and_its_words_marked(
    tab: Page, stub: StubLibrary, tmp_path: Path
) -> None:
    rain = "It rains (hard).\n" * 300
    found = "## The keeper? ##\r\n\r\nAt noon \U0001f600 the  keepe\u0301r eats a quince [alone]."
    _text_file(stub, tmp_path / "log.md", f"# Log\n{rain}{found}\n{rain}".encode(), "text/markdown")
    words = "The keeper?\nAt noon \U0001f600 the  keep\u00e9r eats a quince [alone]."
    stub.moment = {"text": f"\u2026{words}\u2026", "highlights": [[5, 11], [42, 48]], "source": "text"}
    viewer = _opened(tab, stub, 3)
    expect(viewer.locator(".text-page mark")).to_have_text(["keeper", "quince"])
    expect(viewer.locator(".text-page mark").first).to_be_in_viewport()
    here = viewer.locator(".text-page .here").text_content() or ""
    assert here.replace("\r", "") == "The keeper? ##\n\nAt noon \U0001f600 the  keep\u00e9r eats a quince [alone]."
    expect(viewer.locator(".stage-note")).to_have_count(0)
    assert not [path for path in stub.asked if path.startswith("/text/")]


def test_a_place_far_into_a_long_text_is_opened_and_what_is_left_out_is_said(
    tab: Page, stub: StubLibrary, tmp_path: Path
) -> None:
    rain = "It rains on the harbour wall.\n" * 180_000
    _text_file(stub, tmp_path / "long.txt", f"{rain}The okapi escaped.\n{rain}".encode())
    stub.moment = {"text": "The okapi escaped.", "highlights": [[4, 9]], "source": "text"}
    viewer = _opened(tab, stub, 3)
    expect(viewer.locator(".text-page mark")).to_have_text("okapi")
    expect(viewer.locator(".text-page mark")).to_be_in_viewport()
    expect(viewer.locator(".stage-note")).to_contain_text("This is a part of the text.")
    assert barriers(tab) == []


@pytest.mark.parametrize(
    ("media_type", "encoding", "written"),
    [
        ("text/plain", "cp1252", "Über die Größe der Hirschkäfer."),
        ("text/plain", "utf-16", "Über die Größe der Hirschkäfer."),
        ("text/plain", "utf-16-le", "Ящик Hirschkäfer стоит."),
        ("text/csv", "utf-8", "Größe;Hirschkäfer"),
        ("text/plain", "utf-8", "What the file holds is another text."),
    ],
)
def test_a_text_that_the_browser_would_show_differently_is_read_from_what_was_extracted(
    tab: Page, stub: StubLibrary, tmp_path: Path, media_type: str, encoding: str, written: str
) -> None:
    _text_file(stub, tmp_path / "beetles.txt", written.encode(encoding), media_type)
    stub.texts["upl_3"] = [[{"text": "Of stags: Größe | Hirschkäfer"}]]
    stub.moment = {"text": "Größe | Hirschkäfer", "highlights": [[8, 19]], "source": "text"}
    viewer = _opened(tab, stub, 3)
    expect(viewer.locator(".written mark")).to_have_text("Hirschkäfer")
    expect(viewer.locator(".text-page")).to_have_count(0)


def test_places_of_a_presentation_are_slides(tab: Page, stub: StubLibrary) -> None:
    stub.changed["upl_3"] = {"media_type": f"{OFFICE}presentationml.presentation"}
    stub.texts["upl_3"] = [[{"text": "The harbour by night.", "page": 3}]]
    viewer = _opened(tab, stub, 3)
    expect(tab.locator("#grid .card", has_text="file 00003").locator(".badge")).to_have_text("Slide 3")
    expect(viewer.locator(".moments .place")).to_have_text("Slide 3 ")
    expect(viewer.locator(".written h3")).to_have_text("Slide 3")


def test_a_long_passage_above_a_pdf_can_be_scrolled_by_keys(tab: Page, stub: StubLibrary, tmp_path: Path) -> None:
    stub.originals["upl_3"] = tmp_path / "a.pdf"
    stub.originals["upl_3"].write_bytes(b"%PDF-1.7")
    stub.moment = {"text": "It rains on the harbour wall. " * 40, "highlights": [[16, 23]], "page": 3, "source": "text"}
    tab.set_viewport_size({"width": 640, "height": 450})
    passage = _opened(tab, stub, 3).get_by_role("region", name="What was found")
    assert passage.evaluate("one => one.scrollHeight > one.clientHeight")
    assert barriers(tab) == []


def test_the_first_page_stays_beside_the_text(tab: Page, stub: StubLibrary) -> None:
    stub.changed["upl_3"] = {"media_type": WORD}
    stub.texts["upl_3"] = [[{"text": "It rains on the harbour wall. " * 1000}]]
    viewer = _opened(tab, stub, 3)
    for width, stays in ((1280, True), (900, False), (360, False)):
        tab.set_viewport_size({"width": width, "height": 900})
        moved = viewer.locator(".reading").evaluate(
            """(reading) => {
              const top = () => reading.querySelector(".page").getBoundingClientRect().top;
              reading.scrollTop = 0;
              const before = top();
              reading.scrollTop = 1000;
              return before - top();
            }"""
        )
        assert moved == (0 if stays else 1000)


def test_what_was_found_comes_before_the_summary(tab: Page, stub: StubLibrary) -> None:
    stub.changed["upl_0"] = {"summary": "A harbour at dawn. " * 60}
    viewer = _opened(tab, stub, 0)
    found, summary = (viewer.locator(name).bounding_box() for name in (".moments", ".summary-text"))
    assert found
    assert summary
    assert found["y"] + found["height"] <= summary["y"]


def test_a_transcript_plays_its_lines_and_follows_what_is_heard(tab: Page, stub: StubLibrary, tmp_path: Path) -> None:
    stub.originals["upl_2"] = _recording(tmp_path / "long.wav", 2)
    said = [{"text": f"line {n}", "start_s": 2.0 * n, "end_s": 2.0 * n + 2, "source": "speech"} for n in range(50)]
    stub.texts["upl_2"] = [said[:30], said[30:]]
    viewer = _opened(tab, stub, 2)
    tab.wait_for_function(READY)
    expect(viewer.locator("summary")).to_contain_text(["Transcript", "Details"])
    assert barriers(tab) == []
    viewer.get_by_role("button", name="0:20 line 10").click()
    heard = viewer.locator(".lines [aria-current]")
    expect(heard).to_have_text("0:20line 10")
    tab.mouse.move(1, 1)
    viewer.locator("audio").evaluate("sound => { sound.pause(); sound.focus(); sound.currentTime = 81; }")
    expect(heard).to_have_text("1:20line 40")
    expect(heard).to_be_in_viewport()
    viewer.locator("audio").evaluate("sound => { sound.currentTime = 110; }")
    expect(heard).to_have_count(0)


def test_text_in_a_picture_can_be_had_and_where_there_is_none_nothing_is_offered(tab: Page, stub: StubLibrary) -> None:
    stub.texts["upl_0"] = [[{"text": "HARBOUR FERRY 21:45", "source": "ocr"}]]
    viewer = _opened(tab, stub, 0)
    text = viewer.locator("details", has_text="Text in it")
    text.locator("summary").click()
    assert barriers(tab) == []
    expect(text.locator("p")).to_have_text("HARBOUR FERRY 21:45")
    tab.keyboard.press("ArrowRight")
    expect(viewer.locator("#viewer-title")).to_have_text("file 00001.jpg")
    expect(viewer.locator("summary:visible")).to_have_text(["Details"])


def test_of_a_document_without_text_the_first_page_is_shown(tab: Page, stub: StubLibrary) -> None:
    stub.changed["upl_3"] = {"media_type": WORD}
    open_page(tab, stub.url)
    viewer = open_card(tab, tab.locator("#grid .card", has_text="file 00003").first)
    expect(viewer.locator("#stage img.page")).to_be_visible()
    expect(viewer.locator(".stage-note")).to_contain_text("Its first page. Download it to read all of it.")


def test_a_note_beside_the_text_can_be_read(tab: Page, stub: StubLibrary) -> None:
    stub.changed["upl_3"] = {"media_type": WORD, "thumbnail_url": None}
    viewer = _opened(tab, stub, 3)
    expect(viewer.locator(".reading .stage-note")).to_contain_text("Download it to read it.")
    assert barriers(tab) == []


@pytest.mark.parametrize("code", ["encrypted", "corrupt"])
def test_of_a_file_that_cannot_be_read_the_reason_is_shown_in_its_place(
    tab: Page, stub: StubLibrary, code: str
) -> None:
    error = {"code": code, "message": "The PDF is damaged.", "advice": "Export it again."}
    stub.changed["upl_3"] = {"status": "failed", "message": "The PDF is damaged.", "error": error}
    open_page(tab, stub.url)
    viewer = open_card(tab, tab.locator("#grid .card", has_text="file 00003").first)
    note = viewer.locator("#stage .stage-note")
    expect(note).to_contain_text("The PDF is damaged.")
    expect(note.get_by_role("button", name="Download the original")).to_be_visible()
    expect(viewer.locator("iframe")).to_have_count(0)
    expect(viewer.locator(".details dd").first).to_be_visible()
    assert [path for path in stub.asked if path.startswith("/text/")] == []


def test_a_file_reopened_by_its_address_keeps_what_was_found_and_its_neighbours(tab: Page, stub: StubLibrary) -> None:
    viewer = _opened(tab, stub, 4)
    stub.slow["harbour"] = 1
    tab.reload()
    expect(viewer.locator(".moments mark")).to_have_text("harbour")
    viewer.get_by_role("button", name="Next file").click()
    expect(viewer.locator("#viewer-title")).to_have_text("file 00005.jpg")
    viewer.get_by_role("button", name="Previous file").click()
    expect(viewer.locator("#viewer-title")).to_have_text("file 00004.jpg")


def test_a_file_reopened_by_its_address_is_there_without_its_list(tab: Page, stub: StubLibrary) -> None:
    viewer = _opened(tab, stub, 4)
    tab.route("**/api/v1/search", lambda route: route.fulfill(status=500, json={}))
    tab.reload()
    expect(viewer.locator("#viewer-title")).to_have_text("file 00004.jpg")
    expect(viewer.get_by_role("button", name="Next file")).to_be_disabled()


@pytest.mark.parametrize(
    ("media_type", "properties", "words"),
    [
        ("video/mp4", {"frame_rate": 29.97}, "Frames per second29.97"),
        ("application/pdf", {"page_count": 3}, "Pages3"),
        (f"{OFFICE}spreadsheetml.sheet", {"page_count": 3}, "Sheets3"),
        (f"{OFFICE}presentationml.presentation", {"page_count": 3}, "Slides3"),
    ],
)
def test_what_is_counted_is_called_by_its_name(
    tab: Page, stub: StubLibrary, media_type: str, properties: dict[str, float], words: str
) -> None:
    stub.changed["upl_0"] = {"media_type": media_type, "properties": properties}
    viewer = _opened(tab, stub, 0)
    expect(viewer.locator(".details")).to_contain_text(words)
