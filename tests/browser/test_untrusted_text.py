"""Names, titles, texts and summaries are other people's words: shown as they are, never run."""

import secrets
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.driving import find, open_card, upload_and_finish
from tests.pipeline.local_system import LocalSystem

CANARY = "<img src=x onerror=alert(1)>"
SCRIPT = "<script>alert(2)</script>"


def test_canaries_never_run(page: Page, system: LocalSystem, tmp_path: Path) -> None:
    name = f"{CANARY} {secrets.token_hex(3)}.html"
    escaped = SCRIPT.replace("<", "&lt;").replace(">", "&gt;")
    (tmp_path / name).write_text(
        f"<html><head><title>{escaped} walrus</title></head>"
        f"<body><h1>{escaped}</h1><p>A page about walrus whiskers {escaped} and drifting ice.</p></body></html>"
    )
    upload_and_finish(system, tmp_path / name)
    found = find(page, "walrus whiskers on drifting ice", "onerror=alert(1)")
    expect(found.locator(".moment")).to_contain_text("walrus")
    viewer = open_card(page, found)
    expect(viewer.get_by_role("heading", level=2)).to_have_text(name)
    expect(viewer.locator(".details")).to_contain_text("text/html")
    expect(viewer.get_by_text(SCRIPT).first).to_be_visible()
    assert page.locator("img[src=x], #viewer script, #grid script").count() == 0
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.get_by_role("combobox", name="Search your files").fill(CANARY)
    expect(page.locator("#grid .card, #empty h2").first).to_be_visible()


def test_tags_of_a_picture_are_text(page: Page, system: LocalSystem, tmp_path: Path) -> None:
    photo = tmp_path / f"tagged-{secrets.token_hex(3)}.jpg"
    tags = Image.Exif()
    tags[0x010F], tags[0x0110], tags[0x010E] = CANARY, SCRIPT, CANARY
    Image.new("RGB", (64, 48), (120, 90, 30)).save(photo, exif=tags)
    upload_and_finish(system, photo)
    page.reload()
    viewer = open_card(page, page.locator("#grid .card", has_text=photo.name))
    expect(viewer.locator(".details")).to_contain_text("64 \N{MULTIPLICATION SIGN} 48")
    assert page.locator("img[src=x], #viewer script").count() == 0
