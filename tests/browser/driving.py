"""What a person does on the page, as functions of a tab."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Dialog, Locator, Page, expect

from tests.pipeline.local_system import LocalSystem, wait_for

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 150_000
_RULES = {"label-content-name-mismatch": {"enabled": True}}
"""Besides the usual ones: a button is called what it shows, for those who press it by saying so."""


def watched(tab: Page) -> list[str]:
    """Fills with every script error, dialog and breach of the content policy."""
    complaints: list[str] = []

    def console(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "TrustedHTML" in message.text:
            complaints.append(message.text)

    def dialog(shown: Dialog) -> None:
        if shown.type != "beforeunload":
            complaints.append(f"dialog: {shown.message}")
        shown.accept()

    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", console)
    tab.on("dialog", dialog)
    return complaints


def barriers(tab: Page) -> list[str]:
    """What keeps somebody out who cannot see or point; frames of other origins are the browser's own PDF reader."""
    answer = Axe().run(tab, options={"resultTypes": ["violations"], "iframes": False, "rules": _RULES})
    return [
        f"{violation['id']} {[node['html'][:140] for node in violation['nodes'][:3]]}"
        for violation in answer.response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]


def open_page(tab: Page, url: str) -> None:
    """Goes there and waits until it can be used."""
    tab.goto(url)
    tab.locator("#grid .card .open, #empty h2").first.wait_for()


def add(tab: Page, *paths: Path) -> None:
    """Chooses files as the button does."""
    tab.locator("#pick").set_input_files([str(path) for path in paths])


def search(tab: Page, query: str) -> None:
    """Types a query."""
    tab.get_by_role("combobox", name="Search your files").fill(query)


def card(tab: Page, filename: str) -> Locator:
    """The card of a file."""
    return tab.locator("#grid .card", has_text=filename).first


def find(tab: Page, query: str, filename: str) -> Locator:
    """Types a query and waits for a file's card with a moment."""
    search(tab, query)
    found = card(tab, filename)
    expect(found.locator(".moment")).to_be_visible()
    return found


def open_card(tab: Page, found: Locator) -> Locator:
    """Opens a file; answers the viewer."""
    found.locator(".open").click()
    viewer = tab.locator("#viewer")
    expect(viewer).to_be_visible()
    return viewer


def tray_row(tab: Page, filename: str) -> Locator:
    """The row of an upload in the tray."""
    return tab.locator("#tray-list li", has_text=filename)


def upload_and_finish(system: LocalSystem, path: Path) -> str:
    """Adds a file without the page and waits until nothing more happens to it; answers its id."""
    upload_id = system.upload(path).json()["data"]["upload_id"]
    system.until_final(upload_id)
    return upload_id


def padded_picture(path: Path, picture: Path, size: int) -> Path:
    """A small photo made large by bytes behind its end, quick to process; the same name gives the same bytes."""
    content = picture.read_bytes()
    seed = hashlib.sha256(path.name.encode()).digest()
    path.write_bytes(content + seed * ((size - len(content)) // len(seed)))
    return path


def stop_the_clock(tab: Page) -> None:
    """From now on time passes in the page only when a test says so; its clock must be installed."""
    tab.clock.pause_at(datetime.fromtimestamp(tab.evaluate("Date.now() / 1000 + 5"), UTC))


def pass_time_until(tab: Page, probe: Callable[[], bool], step_ms: int = 100) -> None:
    """What has to come over the wire takes real time, which the page's clock does not see."""

    def look() -> bool:
        tab.clock.run_for(step_ms)
        return probe()

    wait_for(look)
