"""From the hand to the moment and back: files of every kind are found, opened where they match, deleted, restored."""

import re
from pathlib import Path

import pytest
from docx import Document
from playwright.sync_api import Page, expect

from localcloud.samples import Sample
from tests.browser.driving import barriers, card, find, open_card, search, upload_and_finish
from tests.pipeline.local_system import LocalSystem


def test_a_film_plays_from_the_second_that_was_found(page: Page, library: dict[str, Sample]) -> None:
    film = library[".mp4"].path.name
    found = find(page, "opening presents red scooter", film)
    expect(found.locator("mark").first).to_be_visible()
    expect(found.locator(".thumb img.loaded")).to_have_attribute("src", re.compile(r"/place-\d+\.jpg"))
    viewer = open_card(page, found)
    expect(viewer.locator(".moments .thumb img.loaded").first).to_be_visible()
    player = viewer.locator("video")
    expect(player).to_be_attached()
    start = next(one["start_s"] for one in _moments(page, "opening presents red scooter") if one["start_s"])
    page.wait_for_function("() => document.querySelector('#stage video')?.readyState >= 1")
    assert start > 5
    assert player.evaluate("film => film.currentTime") >= start - 0.5
    page.go_back()
    expect(viewer).not_to_be_visible()


def _moments(page: Page, query: str) -> list[dict[str, float]]:
    answer = page.evaluate(
        """async (query) => {
          const token = (await (await fetch('/api/v1/auth/local', {method: 'POST'})).json()).data.token;
          const headers = {Authorization: `Bearer ${token}`, 'Content-Type': 'application/json'};
          return (await fetch('/api/v1/search', {method: 'POST', headers, body: JSON.stringify({query})})).json();
        }""",
        query,
    )
    return answer["data"]["results"][0]["moments"]


def test_a_pdf_opens_at_the_page_with_the_passage_marked(page: Page, library: dict[str, Sample]) -> None:
    viewer = open_card(page, find(page, "compostable replacement for plastic valves", library[".pdf"].path.name))
    expect(viewer.locator("iframe")).to_have_attribute("src", re.compile(r"#page=3\b"))
    expect(viewer.locator(".passage mark").first).to_be_visible()


def test_a_text_opens_with_the_passage_in_view(page: Page, library: dict[str, Sample]) -> None:
    viewer = open_card(page, find(page, "rattling chain on the middle sprockets", library[".md"].path.name))
    mark = viewer.locator(".text-page mark", has_text="sprockets")
    expect(mark).to_have_text("sprockets")
    expect(mark).to_be_in_viewport()


def test_a_picture_can_be_looked_into(page: Page, library: dict[str, Sample]) -> None:
    viewer = open_card(page, find(page, "when does the last ferry leave", library[".jpg"].path.name))
    expect(viewer.locator(".zoom img")).to_be_visible()
    page.keyboard.press("+")
    expect(viewer.locator(".zoom")).to_have_class("zoom zoomed")
    page.keyboard.press("0")
    expect(viewer.locator(".zoom")).to_have_class("zoom")
    viewer.locator("summary", has_text="Text in it").click()
    expect(viewer.locator(".words mark")).to_have_text(["FERRY", "Last"])


def test_a_document_no_browser_shows_is_read_where_it_was_found(
    page: Page, system: LocalSystem, tmp_path: Path
) -> None:
    minutes, name = Document(), f"minutes-{tmp_path.name}.docx"
    minutes.add_heading("Minutes of the beekeepers", 1)
    for number in range(200):
        minutes.add_paragraph(f"Item {number}: somebody speaks of hive {number} and of the weather in the valley.")
    minutes.add_paragraph(f"The smoker of {tmp_path.name} is to be mended before spring.")
    minutes.save(str(tmp_path / name))
    upload_and_finish(system, tmp_path / name)
    viewer = open_card(page, find(page, f"smoker mended {tmp_path.name}", name))
    expect(viewer.locator(".written mark", has_text="smoker")).to_be_in_viewport()
    expect(viewer.locator(".written h3")).to_have_text("Minutes of the beekeepers")
    written = viewer.locator(".written").inner_text()
    assert all(written.count(f"Item {number}:") == 1 for number in range(200))
    assert barriers(page) == []


def test_a_recording_plays_beside_what_is_known_of_it(page: Page, library: dict[str, Sample]) -> None:
    viewer = open_card(page, find(page, "lullaby for otters", library[".mp3"].path.name))
    expect(viewer.locator("audio")).to_be_attached()
    expect(viewer.locator(".details")).to_contain_text("audio/mpeg")
    expect(viewer.locator(".details")).to_contain_text("Processed in")


def test_deleted_and_brought_back_twice(page: Page, system: LocalSystem, library: dict[str, Sample]) -> None:
    name = library[".md"].path.name
    find(page, "patch a punctured inner tube", name).hover()
    page.get_by_role("button", name=f"Delete {name}").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(card(page, name)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    system.until_found("patch a punctured inner tube", name)
    search(page, "")
    expect(page.locator("#grid.found")).to_have_count(0)  # the summary may be empty before the list has changed
    expect(card(page, name)).to_be_visible()

    card(page, name).locator(".open").focus()
    page.keyboard.press("Delete")
    page.keyboard.press("Enter")
    expect(card(page, name)).to_have_count(0)
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("menuitem", name="Trash").click()
    page.get_by_role("button", name=f"Restore {name}").click()
    expect(page.get_by_role("button", name=f"Restore {name}")).to_have_count(0)
    system.until_found("patch a punctured inner tube", name)


def test_the_focus_stays_with_its_file_when_another_comes_before_it(
    page: Page, system: LocalSystem, library: dict[str, Sample], tmp_path: Path
) -> None:
    chosen = card(page, library[".md"].path.name).locator(".open")
    chosen.focus()
    note = tmp_path / f"pushes-in-{tmp_path.name}.txt"
    note.write_text(f"A newer note comes before all others, {tmp_path.name}.")
    upload_and_finish(system, note)
    expect(card(page, note.name)).to_be_visible()
    expect(chosen).to_be_focused()


def test_several_at_once(page: Page, library: dict[str, Sample]) -> None:
    names = [library[suffix].path.name for suffix in (".mp3", ".jpg")]
    for name in names:
        card(page, name).hover()
        page.get_by_role("checkbox", name=f"Select {name}").check()
    bar = page.get_by_role("region", name="Selected files")
    expect(bar).to_contain_text("2 files selected")
    bar.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    for name in names:
        expect(card(page, name)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    for name in names:
        expect(card(page, name)).to_be_visible()


def test_filters_narrow_and_can_be_taken_away(page: Page, library: dict[str, Sample]) -> None:
    name = library[".pdf"].path.name
    find(page, "green coffee beans", name)
    documents = page.locator(".kinds").get_by_role("button", name="Documents")
    expect(documents.locator(".count")).not_to_be_empty()
    page.locator(".kinds").get_by_role("button", name="Videos").click()
    expect(card(page, name)).to_have_count(0)
    documents.click()
    expect(card(page, name)).to_be_visible()
    page.get_by_role("button", name="Filters").click()
    page.get_by_role("button", name="Over 100 MB").click()
    expect(page.get_by_role("heading", name="No good match")).to_be_visible()
    page.get_by_role("button", name="Remove filter over 100 MB").click()
    page.get_by_role("button", name="Past 7 days").click()
    expect(card(page, name)).to_be_visible()
    page.reload()
    expect(card(page, name)).to_be_visible()
    assert "from=" in page.url


def test_files_like_another(page: Page, system: LocalSystem, tmp_path: Path) -> None:
    notes = [tmp_path / f"kayak-{number}-{tmp_path.name}.txt" for number in range(2)]
    for note, place in zip(notes, ("river", "lake"), strict=True):
        note.write_text(f"Paddling a sea kayak on the {place}: how to sit, hold the paddle and roll back up.")
        upload_and_finish(system, note)
    name, other = (note.name for note in notes)
    card(page, name).hover()
    page.get_by_role("button", name=f"More like {name}").click()
    expect(page.locator("#source")).to_contain_text(f"More like {name}")
    expect(card(page, other)).to_be_visible()
    expect(card(page, name)).to_have_count(0)


def test_a_picture_stands_in_place_of_words(page: Page, library: dict[str, Sample]) -> None:
    photo = library[".jpg"].path
    page.locator("#by-image").set_input_files(str(photo))
    expect(page.locator("#source")).to_contain_text("Files like this picture")
    expect(card(page, photo.name)).to_be_visible()
    page.get_by_role("button", name="Show all files").click()
    expect(page.get_by_role("heading", name="Your files")).to_be_attached()
    page.go_back()
    expect(page.locator("#source img")).to_be_visible()


def test_a_picture_that_is_none_leaves_no_broken_sign(page: Page, tmp_path: Path) -> None:
    (tmp_path / "noise.png").write_bytes(b"no picture at all")
    page.locator("#by-image").set_input_files(str(tmp_path / "noise.png"))
    expect(page.locator("#source")).to_contain_text("Files like this picture")
    expect(page.locator("#empty h2")).to_be_visible()
    expect(page.locator("#source img")).to_have_count(0)


@pytest.mark.parametrize("verdict", ["Yes, a good match", "No, not a good match"])
def test_feedback_is_taken(page: Page, library: dict[str, Sample], verdict: str) -> None:
    viewer = open_card(page, find(page, "child's birthday party", library[".mp4"].path.name))
    viewer.get_by_role("button", name=verdict).click()
    if verdict.startswith("No"):
        viewer.get_by_role("button", name="Right file, wrong place").click()
    expect(viewer.get_by_text("Thank you.")).to_be_visible()


def test_earlier_searches_are_suggested(page: Page, library: dict[str, Sample]) -> None:
    find(page, "boats and the last ferry", library[".jpg"].path.name)
    search(page, "")
    expect(page.get_by_role("heading", name="Your files")).to_be_attached()
    page.reload()
    box = page.get_by_role("combobox", name="Search your files")
    box.focus()
    expect(page.get_by_role("option", name="boats and the last ferry")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(card(page, library[".jpg"].path.name).locator(".moment")).to_be_visible()
