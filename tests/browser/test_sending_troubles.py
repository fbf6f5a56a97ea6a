"""Files on their way in that are paused, cancelled, changed or refused at an awkward moment."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.driving import add, open_page, tray_row
from tests.browser.stub_library import StubLibrary
from tests.pipeline.local_system import wait_for

MIB = 1024 * 1024
LARGE = 9 * MIB


class Bucket:
    """Opens sessions and stores what is sent to them; ``held`` keeps back answers to the wish for a session.

    Bytes are read from the file itself only where they leave the browser, as they do when it no longer ``takes`` them.
    """

    def __init__(self, stub: StubLibrary) -> None:
        self.stub = stub
        self.asked: list[str] = []
        self.held: list[Route] | None = None
        self.stored = 0
        self.takes = True

    def attend(self, tab: Page) -> None:
        tab.route("**/api/v1/upload/sessions", self._open)
        tab.route("**/session/*", self._session)

    def answer(self, route: Route) -> None:
        """A session, as if nothing had happened."""
        opened = {"upload_id": "upl_1", "session_url": f"{self.stub.url}/session/1", "expires_at": None}
        route.fulfill(status=201, json={"status": "success", "data": opened})

    def _open(self, route: Route) -> None:
        self.asked.append("open")
        if self.held is None:
            self.answer(route)
        else:
            self.held.append(route)

    def _session(self, route: Route) -> None:
        request = route.request
        sent = request.headers.get("content-range", "")
        self.asked.append(f"{request.method} {sent}".strip())
        if request.method == "DELETE":
            route.fulfill(status=499)
        elif sent.startswith("bytes */"):
            headers = {"Range": f"bytes=0-{self.stored - 1}"} if self.stored else {}
            route.fulfill(status=308, headers=headers)
        elif not self.takes:
            route.continue_()
        else:
            _, rest = sent.removeprefix("bytes ").split("-")
            last, size = rest.split("/")
            self.stored = int(last) + 1
            done = self.stored == int(size)
            route.fulfill(status=200 if done else 308, headers={} if done else {"Range": f"bytes=0-{last}"})


@pytest.fixture
def stub() -> Iterator[StubLibrary]:
    with StubLibrary(files=3).running() as running:
        yield running


@pytest.fixture
def bucket(tab: Page, stub: StubLibrary) -> Bucket:
    tab.clock.install()
    made = Bucket(stub)
    made.attend(tab)
    open_page(tab, stub.url)
    return made


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(LARGE))
    return path


def until_asked(tab: Page, bucket: Bucket, what: str) -> None:
    """Requests are attended to only while the tab is asked something."""
    wait_for(lambda: tab.evaluate("1") and what in bucket.asked)


def test_paused_while_its_session_is_opened_stays_paused(tab: Page, bucket: Bucket, large: Path) -> None:
    bucket.held = []
    add(tab, large)
    until_asked(tab, bucket, "open")
    row = tray_row(tab, large.name)
    row.get_by_role("button", name="Pause").click()
    with tab.expect_response("**/upload/sessions") as answered:
        bucket.held.pop().fulfill(status=503, json={"error": {"code": "unavailable", "message": "Starting."}})
    answered.value.finished()
    tab.clock.run_for(5000)
    expect(row).to_have_attribute("data-state", "paused")
    assert bucket.asked == ["open"]
    bucket.held = None
    row.get_by_role("button", name="Resume").click()
    expect(row).to_have_attribute("data-state", "stored")


def test_paused_and_resumed_while_its_session_is_opened_opens_one(tab: Page, bucket: Bucket, large: Path) -> None:
    bucket.held = []
    add(tab, large)
    until_asked(tab, bucket, "open")
    row = tray_row(tab, large.name)
    row.get_by_role("button", name="Pause").click()
    row.get_by_role("button", name="Resume").click()
    bucket.answer(bucket.held[0])
    expect(row).to_have_attribute("data-state", "stored")
    assert bucket.asked.count("open") == 1


def test_cancelled_while_its_session_is_opened_gives_the_session_up(tab: Page, bucket: Bucket, large: Path) -> None:
    bucket.held = []
    add(tab, large)
    until_asked(tab, bucket, "open")
    tray_row(tab, large.name).get_by_role("button", name="Cancel").click()
    bucket.answer(bucket.held.pop())
    until_asked(tab, bucket, "DELETE")
    assert bucket.asked == ["open", "DELETE"]
    tab.reload()
    expect(tab.locator("#grid .card .open").first).to_be_visible()
    expect(tab.locator("#tray")).not_to_be_visible()
