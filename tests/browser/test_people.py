"""For everybody: accessible in every state, by keyboard alone, on a phone, in the dark."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from localcloud.samples import Sample
from tests.browser.driving import add, barriers, card, find, open_card, open_page, search, upload_and_finish, watched
from tests.browser.stub_library import StubLibrary
from tests.pipeline.local_system import LocalSystem

Step = Callable[[Page, dict[str, Sample]], None]


def _library(page: Page, library: dict[str, Sample]) -> None:
    expect(card(page, library[".mp4"].path.name)).to_be_visible()


def _results(page: Page, library: dict[str, Sample]) -> None:
    find(page, "child's birthday party", library[".mp4"].path.name)
    page.get_by_role("button", name="Filters").click()


def _nothing(page: Page, library: dict[str, Sample]) -> None:
    search(page, '"no such phrase anywhere"')
    expect(page.get_by_role("heading", name="No good match")).to_be_visible()


def _film(page: Page, library: dict[str, Sample]) -> None:
    viewer = open_card(page, find(page, "child's birthday party", library[".mp4"].path.name))
    expect(viewer.locator(".details dd").first).to_be_visible()


def _text(page: Page, library: dict[str, Sample]) -> None:
    viewer = open_card(page, find(page, "rattling chain", library[".md"].path.name))
    expect(viewer.locator(".text-page")).to_be_visible()


def _tray(page: Page, library: dict[str, Sample]) -> None:
    add(page, library[".md"].path)
    expect(page.locator("#tray-list li").first).to_contain_text("Already here")


def _trash(page: Page, library: dict[str, Sample]) -> None:
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("menuitem", name="Trash").click()
    expect(page.locator("#trash")).to_be_visible()


def _account(page: Page, library: dict[str, Sample]) -> None:
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("menuitem", name="Usage and settings").click()
    expect(page.locator(".figures")).to_be_visible()
    expect(page.get_by_role("heading", level=2)).to_have_text(["Usage", "Preferences", "Earlier searches", "API keys"])


def _help(page: Page, library: dict[str, Sample]) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("While a PDF has the focus")


STATES = (_library, _results, _nothing, _film, _text, _tray, _trash, _account, _help)
COLOURS = (_results, _film, _account)
"""Where every colour is seen once."""


@pytest.mark.parametrize(("scheme", "states"), [("light", STATES), ("dark", COLOURS)])
def test_no_state_keeps_anybody_out(
    browser: Browser, system: LocalSystem, library: dict[str, Sample], scheme: str, states: tuple[Step, ...]
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme, reduced_motion="reduce")
    found: list[str] = []
    for state in states:
        page = context.new_page()
        complaints = watched(page)
        open_page(page, system.url)
        state(page, library)
        found += [f"{state.__name__}: {barrier}" for barrier in barriers(page)]
        assert complaints == []
        page.close()
    context.close()
    assert found == []


def test_the_keyboard_is_enough(page: Page, library: dict[str, Sample]) -> None:
    name = library[".md"].path.name
    page.keyboard.press("/")
    page.keyboard.type("patch a punctured inner tube")
    expect(card(page, name).locator(".moment")).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(card(page, name).locator(".open")).to_be_focused()
    page.keyboard.press("Enter")
    viewer = page.locator("#viewer")
    expect(viewer).to_be_visible()
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('#viewer').contains(document.activeElement)")
    page.keyboard.press("Escape")
    expect(viewer).not_to_be_visible()
    expect(card(page, name).locator(".open")).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    expect(page.get_by_role("combobox", name="Search your files")).to_have_value("")
    expect(page.locator("#grid.found")).to_have_count(0)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    expect(page.locator("#grid .card .open").last).to_be_focused()
    page.keyboard.press("Home")
    expect(page.locator("#grid .card .open").first).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_it_fits_a_phone(browser: Browser, system: LocalSystem, library: dict[str, Sample]) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True)
    for state in (_library, _results, _film, _text, _trash, _account):
        page = context.new_page()
        open_page(page, system.url)
        state(page, library)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, state.__name__
        page.close()
    context.close()


def test_a_chosen_theme_stays(page: Page) -> None:
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("menuitem", name="Usage and settings").click()
    for theme, ground in (("Dark", "dark"), ("Light", "light"), ("As the system", "")):
        with page.expect_response(lambda answer: "preferences" in answer.url and answer.request.method == "PUT"):
            page.get_by_role("radio", name=theme).check()
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-theme", ground)
        expect(page.get_by_role("radio", name=theme)).to_be_checked()


def test_the_focus_is_never_lost(page: Page, system: LocalSystem, tmp_path: Path) -> None:
    notes = [tmp_path / f"focus-{number}-{tmp_path.name}.txt" for number in range(3)]
    for note in notes:
        note.write_text(f"A note that keeps the focus, {note.name}.")
        upload_and_finish(system, note)
    for note in notes:
        expect(card(page, note.name)).to_be_visible()
        card(page, note.name).get_by_role("checkbox").check()
    page.get_by_role("region", name="Selected files").get_by_role("button", name="Delete").press("Enter")
    page.keyboard.press("Enter")
    for note in notes:
        expect(card(page, note.name)).to_have_count(0)
    assert _is_somewhere(page)
    page.get_by_role("button", name="Undo").press("Enter")
    expect(card(page, notes[0].name)).to_be_visible()
    assert _is_somewhere(page)
    for note in notes:
        card(page, note.name).locator(".open").focus()
        page.keyboard.press("Delete")
        page.keyboard.press("Enter")
        expect(card(page, note.name)).to_have_count(0)
    _trash(page, {})
    page.get_by_role("button", name=f"Remove {notes[0].name} for ever").press("Enter")
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Escape")
    page.get_by_role("button", name=f"Restore {notes[0].name}").press("Enter")
    expect(page.get_by_role("button", name=f"Restore {notes[0].name}")).to_have_count(0)
    assert _is_somewhere(page)
    page.get_by_role("button", name="Restore all").press("Enter")
    expect(page.get_by_role("button", name=f"Restore {notes[1].name}")).to_have_count(0)
    assert _is_somewhere(page)


def test_a_new_key_has_the_focus(page: Page) -> None:
    _account(page, {})
    page.get_by_label("Name of the new key").fill("focus")
    page.keyboard.press("Enter")
    expect(page.get_by_role("group", name="Your new key.")).to_be_focused()
    page.get_by_role("button", name="Delete the key focus").press("Enter")
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).press("Enter")
    expect(page.get_by_role("button", name="Delete the key focus")).to_have_count(0)
    assert _is_somewhere(page)


def _is_somewhere(page: Page) -> bool:
    return page.evaluate("document.activeElement !== document.body && document.activeElement.checkVisibility()")


def test_high_contrast_hides_nothing(browser: Browser) -> None:
    context = browser.new_context(forced_colors="active")
    page = context.new_page()
    with StubLibrary(files=8).running() as stub:
        open_page(page, stub.url)
        _contrasts(page)
        context.close()


def _contrasts(page: Page) -> None:
    chosen = page.locator(".chip[aria-pressed=true]")
    others = page.locator(".chip[aria-pressed=false]").first
    ground = "one => getComputedStyle(one).backgroundColor"
    assert chosen.evaluate(ground) != others.evaluate(ground)
    page.get_by_role("button", name="Menu").press("Enter")
    item = page.get_by_role("menuitem", name="All files")
    expect(item).to_be_focused()
    assert item.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
