"""The page and what the server allows in a minute: it asks little, leaves room to look, waits in peace."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.driving import add, card, open_page, pass_time_until, search, stop_the_clock, tray_row
from tests.browser.stub_library import StubLibrary
from tests.pipeline.local_system import wait_for

LATER = "2026-11-21T10:00:00Z"
PUT_OFF = "Too many requests just now"


@pytest.fixture
def stub() -> Iterator[StubLibrary]:
    with StubLibrary(files=20).running() as running:
        yield running


def notes(directory: Path, count: int) -> list[Path]:
    """Some small files."""
    paths = [directory / f"note-{number:02}.txt" for number in range(count)]
    for path in paths:
        path.write_text(path.name)
    return paths


def stored(number: int, **headers: str) -> dict[str, Any]:
    """The answer to an upload that was taken in."""
    return {"status": 202, "headers": headers, "json": {"status": "success", "data": {"upload_id": f"upl_{number}"}}}


def asked_of(tab: Page, part: str) -> list[str]:
    """Fills with the requests whose address has a part."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if part in request.url:
            asked.append(request.url)

    tab.on("request", note)
    return asked


def put_off(route: Route) -> None:
    error = {"code": "rate_limited", "message": "At most 100 requests a minute."}
    route.fulfill(status=429, headers={"Retry-After": "30"}, json={"status": "error", "data": None, "error": error})


def test_of_a_file_that_was_told_of_nothing_is_asked(tab: Page, stub: StubLibrary, tmp_path: Path) -> None:
    tab.clock.install()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    tab.route("**/api/v1/upload", hold)
    open_page(tab, stub.url)
    single, together = asked_of(tab, "/upload/status/"), asked_of(tab, "sort=-updated_at&limit=100&offset=")
    [note] = notes(tmp_path, 1)
    add(tab, note)
    wait_for(lambda: tab.evaluate("1") and held)
    stub.events.append(stub.file(0, filename="told.jpg", updated_at=LATER))
    expect(card(tab, "told.jpg")).to_be_visible()
    held.pop().fulfill(**stored(0))
    expect(tray_row(tab, note.name)).to_contain_text("Ready to be found.")
    tab.clock.run_for(30_000)
    assert single + together == []


def store_in_turn(tab: Page) -> None:
    """Takes every file that is sent, as the library's next one."""
    numbers = count()
    tab.route("**/api/v1/upload", lambda route: route.fulfill(**stored(next(numbers))))


def test_of_files_that_nothing_is_told_of_is_asked_once_for_all(tab: Page, stub: StubLibrary, tmp_path: Path) -> None:
    tab.clock.install()
    store_in_turn(tab)
    open_page(tab, stub.url)
    single, together = asked_of(tab, "/upload/status/"), asked_of(tab, "sort=-updated_at&limit=100&offset=")
    stop_the_clock(tab)
    add(tab, *notes(tmp_path, 12))
    pass_time_until(tab, lambda: tab.locator("#tray-list [data-state=stored]").count() == 12, step_ms=50)
    pass_time_until(tab, lambda: tab.locator("#tray-list [data-state=ready]").count() == 12, step_ms=1000)
    assert (len(single), len(together)) == (0, 1)


def test_an_answer_that_events_have_overtaken_changes_nothing(tab: Page, stub: StubLibrary, tmp_path: Path) -> None:
    tab.clock.install()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    tab.route("**/api/v1/upload", lambda route: route.fulfill(**stored(0)))
    tab.route("**/api/v1/uploads?sort=-updated_at&limit=100&offset=0", hold)
    open_page(tab, stub.url)
    [note] = notes(tmp_path, 1)
    add(tab, note)
    row = tray_row(tab, note.name)
    expect(row).to_have_attribute("data-state", "stored")
    pass_time_until(tab, lambda: bool(held), step_ms=1000)
    stub.events.append(stub.file(0, updated_at=LATER))
    pass_time_until(tab, lambda: row.get_attribute("data-state") == "ready")
    with tab.expect_response("**/api/v1/uploads?sort=-updated_at&limit=100&offset=0") as answered:
        held.pop().fulfill(json={"data": [stub.file(0, status="processing")], "meta": {"total": 1}})
    answered.value.finished()
    tab.clock.run_for(300)
    expect(row).to_have_attribute("data-state", "ready")


def test_after_a_gap_in_the_events_is_asked_once_for_all_files(tab: Page, tmp_path: Path) -> None:
    stub = StubLibrary(files=20)
    store_in_turn(tab)
    with stub.running():
        open_page(tab, stub.url)
        add(tab, *notes(tmp_path, 12))
        expect(tab.locator("#tray-list [data-state=stored]")).to_have_count(12)
        stub.events += [stub.file(number, status="processing") for number in range(12)]
        expect(tab.locator("#tray-list [data-state=processing]")).to_have_count(12)
        single, together = asked_of(tab, "/upload/status/"), asked_of(tab, "sort=-updated_at&limit=100&offset=")
    with stub.running():
        expect(tab.locator("#tray-list [data-state=ready]")).to_have_count(12)
    assert single == []
    assert len(together) <= 2


def test_sending_leaves_requests_to_looking(tab: Page, stub: StubLibrary, tmp_path: Path) -> None:
    tab.clock.install()
    sent, left = 0, 10

    def store(route: Route) -> None:
        nonlocal sent, left
        sent, left = sent + 1, left - 1
        allowed = {"RateLimit-Limit": "10", "RateLimit-Remaining": f"{left}", "RateLimit-Reset": "20"}
        route.fulfill(**stored(sent - 1, **allowed))

    tab.route("**/api/v1/upload", store)
    open_page(tab, stub.url)
    stop_the_clock(tab)
    add(tab, *notes(tmp_path, 12))
    rest = tab.locator("#tray > p")
    pass_time_until(tab, lambda: "the rest follows by itself" in rest.inner_text(), step_ms=50)
    pass_time_until(tab, lambda: tab.locator("#tray-list [data-state=sending]").count() == 0, step_ms=50)
    before = sent
    assert 7 <= before <= 9
    tab.clock.run_for(17_000)
    assert tab.locator("#tray-list [data-state=sending]").count() == 0
    assert sent == before
    left = 11
    pass_time_until(tab, lambda: sent == 12, step_ms=1000)
    expect(rest).to_be_empty()


def test_a_search_that_is_put_off_takes_nothing_away(tab: Page, stub: StubLibrary) -> None:
    tab.clock.install()
    open_page(tab, stub.url)
    tab.route("**/api/v1/search", put_off)
    search(tab, "harbour")
    tab.clock.run_for(1000)
    expect(tab.locator("#summary")).to_contain_text(PUT_OFF)
    expect(card(tab, "file 00000.jpg")).to_be_visible()
    expect(tab.locator("#empty")).not_to_be_visible()
    tab.unroute("**/api/v1/search", put_off)
    tab.clock.run_for(30_000)
    expect(card(tab, "file 00000.jpg").locator(".moment")).to_be_visible()
    expect(tab.locator("#summary")).to_have_text("20 files found")


def test_what_is_known_stays_while_it_is_put_off_to_ask_anew(tab: Page, stub: StubLibrary) -> None:
    tab.clock.install()
    open_page(tab, stub.url)
    images = tab.locator("#filters .chip", has_text="Images").locator(".count")
    expect(images).to_have_text("5")
    asked = [asked_of(tab, part) for part in ("/uploads?sort=-created_at", "/stats/me", "status=failed")]
    for address in ("**/api/v1/uploads?*", "**/api/v1/stats/me"):
        tab.route(address, put_off)
    stub.events.append(stub.file(999, status="failed", updated_at=LATER))
    pass_time_until(tab, lambda: all(asked))
    tab.clock.run_for(2000)
    expect(images).to_have_text("5")
    expect(tab.locator("#summary")).to_have_text("20 files")
    tab.unroute_all()
    stub.files = 24
    counted = len(asked[1])
    pass_time_until(tab, lambda: len(asked[1]) > counted, step_ms=5000)
    expect(tab.locator("#summary")).to_have_text("24 files")


def test_an_empty_library_stays_one_while_it_is_put_off_to_ask_anew(tab: Page, stub: StubLibrary) -> None:
    tab.clock.install()
    stub.files = 0
    open_page(tab, stub.url)
    welcome = tab.get_by_role("heading", name="Drop files or folders anywhere")
    expect(welcome).to_be_visible()
    asked = asked_of(tab, "sort=-created_at")
    tab.route("**/api/v1/uploads?*", put_off)
    with tab.expect_response("**/api/v1/uploads?*sort=-created_at*"):
        stub.events.append(stub.file(0, updated_at=LATER))
        pass_time_until(tab, lambda: bool(asked))
    expect(welcome).to_be_visible()


def test_the_trash_that_is_put_off_comes_by_itself(tab: Page, stub: StubLibrary) -> None:
    tab.clock.install()
    tab.route("**/api/v1/uploads?status=deleted*", put_off)
    tab.goto(f"{stub.url}/#/trash")
    expect(tab.get_by_role("heading", name=PUT_OFF)).to_be_visible()
    asked = asked_of(tab, "status=deleted")
    tab.clock.run_for(20_000)
    assert asked == []
    tab.unroute_all()
    tab.clock.run_for(11_000)
    expect(tab.get_by_role("heading", name="Nothing in the trash")).to_be_visible()


def test_who_has_no_stream_waits_as_long_as_the_server_asks_for(tab: Page, stub: StubLibrary) -> None:
    tab.clock.install()
    tab.route("**/api/v1/events", lambda route: route.fulfill(status=404))
    open_page(tab, stub.url)
    asked = asked_of(tab, "limit=50&sort=-updated_at")
    tab.route("**/api/v1/uploads?limit=50&sort=-updated_at", put_off)
    stop_the_clock(tab)
    pass_time_until(tab, lambda: bool(asked), step_ms=5000)
    wait_for(lambda: tab.evaluate("1"))
    count = len(asked)
    for _ in range(8):
        tab.clock.run_for(3_000)
        tab.wait_for_timeout(100)
    assert len(asked) == count
