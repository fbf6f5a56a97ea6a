"""The page in a real browser: add files, watch them become findable, search, open at the moment, delete and undo."""

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from localcloud.samples import Sample
from tests.pipeline.local_system import LocalSystem

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 60_000

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt-get install chromium)")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, system: LocalSystem) -> Iterator[Page]:
    """A fresh tab on the page; whatever the browser complains about fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    tab.on("console", lambda m: complaints.append(m.text) if "Content Security Policy" in m.text else None)
    tab.goto(system.url)
    expect(tab.locator("#empty-title:not(:empty), #grid .card").first).to_be_visible()
    yield tab
    context.close()
    assert complaints == []


def add(page: Page, *paths: Path) -> None:
    page.locator("#pick").set_input_files([str(path) for path in paths])


def find(page: Page, query: str, filename: str) -> None:
    """Types a query and waits for the file's card."""
    page.get_by_role("searchbox").fill(query)
    expect(page.locator("#grid .card", has_text=filename).first).to_be_visible(timeout=PATIENCE_MS)


def test_a_file_goes_from_the_hand_to_the_moment_and_back(
    page: Page, system: LocalSystem, samples: list[Sample]
) -> None:
    film = next(sample for sample in samples if sample.path.suffix == ".mp4")
    add(page, film.path)
    system.until_found(film.query, film.path.name)

    find(page, "opening presents red scooter", film.path.name)
    page.locator("#grid .card", has_text=film.path.name).first.locator("button.open").click()
    viewer = page.locator("#viewer")
    expect(viewer).to_be_visible()
    expect(viewer.locator("video")).to_be_attached(timeout=PATIENCE_MS)
    page.keyboard.press("Escape")
    expect(viewer).not_to_be_visible()

    page.get_by_role("button", name=f"Delete {film.path.name}").click()
    expect(page.locator("#grid .card", has_text=film.path.name)).to_have_count(0, timeout=PATIENCE_MS)
    page.get_by_role("button", name="Undo").click()
    system.until_found(film.query, film.path.name)


def test_a_file_that_fails_is_told_with_advice(page: Page, tmp_path: Path) -> None:
    broken = tmp_path / f"broken-{secrets.token_hex(3)}.pdf"
    broken.write_bytes(b"%PDF-1.7\n" + secrets.token_bytes(2000))
    add(page, broken)
    row = page.locator("#failed", has_text=broken.name)
    expect(row).to_be_visible(timeout=PATIENCE_MS)
    expect(row).to_contain_text("damaged")


CANARY = "<img src=x onerror=alert(1)>"


def test_names_texts_and_titles_are_never_run(page: Page, system: LocalSystem, tmp_path: Path) -> None:
    name = f"{CANARY.replace('/', '')} {secrets.token_hex(3)}.html"
    (tmp_path / name).write_text(
        f"<html><head><title>{CANARY} &lt;script&gt;alert(2)&lt;/script&gt;</title></head>"
        "<body><p>A page about walrus whiskers &lt;script&gt;alert(3)&lt;/script&gt; and ice.</p></body></html>"
    )
    upload_id = system.upload(tmp_path / name).json()["data"]["upload_id"]
    assert system.until_final(upload_id)["status"] == "completed"
    find(page, "walrus whiskers", "alert(1)")
    card = page.locator("#grid .card", has_text="alert(1)").first
    card.locator("button.open").click()
    expect(page.locator("#viewer")).to_be_visible()
    page.wait_for_timeout(500)
    assert page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_in_light_and_dark(browser: Browser, system: LocalSystem, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    tab = context.new_page()
    tab.goto(system.url)
    expect(tab.get_by_role("searchbox")).to_be_visible()
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()


def test_the_keyboard_is_enough(page: Page, system: LocalSystem, tmp_path: Path) -> None:
    note = tmp_path / f"keyboard-{secrets.token_hex(3)}.txt"
    note.write_text(f"A note about ocelots and keyboards {note.stem}.")
    system.until_final(system.upload(note).json()["data"]["upload_id"])
    page.reload()
    page.keyboard.press("/")
    page.keyboard.type("ocelots and keyboards")
    expect(page.locator("#grid .card", has_text=note.name)).to_be_visible(timeout=PATIENCE_MS)
    page.locator("#grid .card", has_text=note.name).locator("button.open").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#viewer")).to_be_visible()
