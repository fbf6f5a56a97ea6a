"""A browser for the session, a fresh tab for each test, and a library of every kind added through the page itself."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from localcloud.samples import Sample
from tests.browser.driving import FLAGS, PATIENCE_MS, add, open_page, tray_row, watched
from tests.pipeline.local_system import LocalSystem

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
LIBRARY = (".mp4", ".jpg", ".mp3", ".pdf", ".md")
"""One file of every kind, and one that is opened as text."""

LIMIT_S = 400
"""The first test waits for five files to be read, one after the other, on a machine that may be busy."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.timeout(LIMIT_S))


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    """A system of its own: what other tests have added would be duplicates here."""
    running = LocalSystem(tmp_path_factory.mktemp("browser") / "data")
    running.start()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for each module: its event loop must not be running any more when other tests want theirs."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    yield opened
    opened.close()


@pytest.fixture
def tab(context: BrowserContext) -> Iterator[Page]:
    """A tab; whatever the browser complains about fails the test."""
    opened = context.new_page()
    complaints = watched(opened)
    yield opened
    assert complaints == []


@pytest.fixture
def page(tab: Page, system: LocalSystem) -> Page:
    """The page of the running system, ready for use."""
    open_page(tab, system.url)
    return tab


@pytest.fixture(scope="session")
def shelf() -> dict[str, Sample]:
    """What :func:`library` has added; once is enough for all modules."""
    return {}


@pytest.fixture(scope="module")
def library(
    browser: Browser, system: LocalSystem, samples: list[Sample], shelf: dict[str, Sample]
) -> dict[str, Sample]:
    """Files of every kind by suffix, added by hand and followed in the tray until each can be found."""
    if not shelf:
        shelf.update(_added_by_hand(browser, system, samples))
    return shelf


def _added_by_hand(browser: Browser, system: LocalSystem, samples: list[Sample]) -> dict[str, Sample]:
    chosen = {sample.path.suffix: sample for sample in samples if sample.path.suffix in LIBRARY}
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    complaints = watched(tab)
    open_page(tab, system.url)
    add(tab, *(sample.path for sample in chosen.values()))
    for sample in chosen.values():
        tray_row(tab, sample.path.name).get_by_text("Ready to be found.").wait_for(timeout=PATIENCE_MS)
    assert complaints == []
    context.close()
    return chosen
