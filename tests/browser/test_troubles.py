"""What the page says and does when something is away, odd or empty, and that it goes on by itself."""

import secrets
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, Route, expect
from pypdf import PdfWriter

from localcloud.samples import Sample
from tests.browser.driving import add, card, open_page, search, tray_row, upload_and_finish
from tests.browser.stub_library import StubLibrary
from tests.pipeline.local_system import LocalSystem

AWAY = "The server does not answer"


def test_a_server_that_went_away_is_told_and_the_page_goes_on_by_itself(tab: Page) -> None:
    stub = StubLibrary(files=40)
    banner = tab.locator("#connection")
    with stub.running():
        open_page(tab, stub.url)
        expect(banner).not_to_be_visible()
    expect(banner).to_contain_text(AWAY)
    expect(card(tab, "file 00000.jpg")).to_be_visible()
    search(tab, "harbour")
    expect(tab.get_by_role("heading", name=AWAY)).to_be_visible()
    with stub.running():
        expect(card(tab, "file 00000.jpg").locator(".moment")).to_be_visible()
        expect(banner).not_to_be_visible()


def test_an_empty_library_asks_for_files(tab: Page) -> None:
    with StubLibrary(files=0).running() as stub:
        open_page(tab, stub.url)
        expect(tab.get_by_role("heading", name="Drop files or folders anywhere")).to_be_visible()
        expect(tab.locator("#filters")).not_to_be_visible()
        with tab.expect_file_chooser():
            tab.get_by_role("button", name="Choose files").press("Enter")
        search(tab, "harbour")
        expect(tab.get_by_role("heading", name="There is nothing to search yet")).to_be_visible()


def test_the_trash_works_when_it_is_where_one_begins(page: Page, system: LocalSystem, tmp_path: Path) -> None:
    note = tmp_path / f"thrown-away-{tmp_path.name}.txt"
    note.write_text(f"A note to be thrown away and fetched back, {tmp_path.name}.")
    upload_and_finish(system, note)
    expect(card(page, note.name)).to_be_visible()
    card(page, note.name).locator(".open").focus()
    page.keyboard.press("Delete")
    page.keyboard.press("Enter")
    expect(card(page, note.name)).to_have_count(0)
    page.goto(f"{system.url}/#/trash")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Trash")
    page.get_by_role("button", name=f"Restore {note.name}").click()
    expect(page.get_by_text(f"Restored “{note.name}”.")).to_be_visible()
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("menuitem", name="All files").click()
    expect(card(page, note.name)).to_be_visible()


def test_a_locked_pdf_asks_for_no_password_and_failures_can_be_put_away(page: Page, tmp_path: Path) -> None:
    locked = tmp_path / f"locked-{secrets.token_hex(3)}.pdf"
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.add_metadata({"/Title": locked.stem})
    writer.encrypt("secret")
    writer.write(locked)
    add(page, locked)
    expect(tray_row(page, locked.name)).to_contain_text("Remove the password")

    panel = page.get_by_role("region", name="Files that need attention")
    expect(panel).to_contain_text(locked.name)
    panel.get_by_role("button", name="Hide").click()
    expect(panel.get_by_role("listitem")).to_have_count(0)
    page.reload()
    expect(panel.get_by_role("button", name="Show")).to_be_visible()

    card(page, locked.name).locator(".open").click()
    viewer = page.locator("#viewer")
    expect(viewer.locator("#stage")).to_contain_text("protected by a password")
    expect(viewer.locator("iframe")).to_have_count(0)
    expect(viewer.get_by_role("button", name="More like this")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(viewer).not_to_be_visible()
    panel.get_by_role("button", name="Show").click()
    panel.get_by_role("button", name=f"Delete {locked.name}").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(panel.get_by_text(locked.name)).to_have_count(0)


def test_what_would_be_refused_again_cannot_be_sent_again(page: Page, tmp_path: Path) -> None:
    drawing = tmp_path / "drawing.svg"
    drawing.write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    add(page, drawing)
    row = tray_row(page, drawing.name)
    expect(row).to_contain_text("not supported")
    expect(row.get_by_role("button", name="Send drawing.svg again")).to_have_count(0)
    row.get_by_role("button", name="Dismiss drawing.svg").click()
    expect(row).not_to_be_visible()


def test_a_key_is_not_deleted_by_a_slip(page: Page) -> None:
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("menuitem", name="Usage and settings").click()
    name = f"laptop {secrets.token_hex(3)}"
    page.get_by_label("Name of the new key").fill(name)
    page.get_by_role("button", name="Create a key").click()
    delete = page.get_by_role("button", name=f"Delete the key {name}")
    delete.click()
    page.get_by_role("button", name="Keep it").click()
    expect(delete).to_be_visible()
    delete.click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(delete).to_have_count(0)


def test_a_file_found_by_its_description_shows_it_and_no_machine_words(page: Page, library: dict[str, Sample]) -> None:
    name = library[".mp3"].path.name
    search(page, "recording")
    moment = card(page, name).locator(".moment")
    expect(moment).to_be_visible()
    expect(moment).to_contain_text("recording by")


def test_what_comes_later_is_tried_again_in_plain_words(tab: Page) -> None:
    with StubLibrary(files=40).running() as stub:
        tab.clock.install()
        tab.clock.pause_at("2027-01-01")
        open_page(tab, stub.url)
        tab.route("**/views/*.js", lambda route: route.abort())
        card(tab, "file 00000.jpg").locator(".open").click()
        expect(tab.get_by_text(f"{AWAY}.", exact=True)).to_be_visible()
        assert "file=" not in tab.url
        tab.get_by_role("button", name="Menu").click()
        tab.get_by_role("menuitem", name="Trash").click()
        expect(tab.get_by_role("heading", name=AWAY)).to_be_visible()
        tab.unroute("**/views/*.js")
        tab.get_by_role("button", name="Try again").click()
        expect(tab.get_by_role("heading", name="Nothing in the trash")).to_be_visible()
        tab.go_back()
        card(tab, "file 00000.jpg").locator(".open").click()
        expect(tab.locator("#viewer")).to_be_visible()


def answering(status: int) -> Callable[[Route], None]:
    return lambda route: route.fulfill(status=status)


def test_signing_in_says_why_it_does_not_work(tab: Page) -> None:
    problem = tab.locator("#sign-in .problem")
    with StubLibrary(files=3).running() as stub:
        tab.route("**/api/v1/auth/config", lambda route: route.fulfill(json={"data": {"local": False}}))
        tab.goto(stub.url)
        tab.get_by_label("API key").fill("sk_mine")
        for status, words in (
            (403, "This account is suspended."),
            (503, "The server is not ready."),
            (401, "This key is not known here."),
        ):
            tab.route("**/api/v1/users/me", answering(status))
            tab.get_by_role("button", name="Sign in with the key").click()
            expect(problem).to_have_text(words)
        tab.route("**/api/v1/users/me", lambda route: route.abort("connectionrefused"))
        tab.get_by_role("button", name="Sign in with the key").click()
        expect(problem).to_contain_text("The server does not answer.")
        tab.unroute("**/api/v1/users/me")
        tab.get_by_role("button", name="Sign in with the key").click()
        expect(card(tab, "file 00000.jpg")).to_be_visible()
