"""The list of files while the server refuses, while files change, and while other tabs delete and bring back."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, Request, Route

from tests.browser.driving import open_page
from tests.browser.stub_library import StubLibrary
from tests.pipeline.local_system import wait_for

LATER = "2026-11-21T10:00:00Z"
Answer = Callable[[Route], None]


@pytest.fixture
def stub() -> Iterator[StubLibrary]:
    with StubLibrary(files=20).running() as running:
        yield running


def is_list(url: str) -> bool:
    """Whether the files themselves are asked for."""
    return "/api/v1/uploads?" in url and "status=" not in url


def lists_asked(tab: Page) -> list[str]:
    """Fills with every request for the files."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if is_list(request.url):
            asked.append(request.url)

    tab.on("request", note)
    return asked


def refused(status: int, **headers: str) -> Answer:
    def answer(route: Route) -> None:
        error = {"code": "refused", "message": "Not just now."}
        route.fulfill(status=status, headers=headers, json={"status": "error", "data": None, "error": error})

    return answer


def cut(route: Route) -> None:
    route.abort("connectionreset")


def stop_the_clock(tab: Page) -> None:
    tab.clock.pause_at(datetime.fromtimestamp(tab.evaluate("Date.now() / 1000 + 5"), UTC))


def pass_time_until(tab: Page, probe: Callable[[], bool], step_ms: int = 100) -> None:
    """What has to come over the wire takes real time, which the page's clock does not see."""

    def look() -> bool:
        tab.clock.run_for(step_ms)
        return probe()

    wait_for(look)


@pytest.mark.parametrize(
    ("answer", "pause_s"), [(refused(429, **{"Retry-After": "30"}), 30), (refused(500), 2), (cut, 2)]
)
def test_a_refused_list_is_asked_for_again_only_after_a_pause(
    tab: Page, stub: StubLibrary, answer: Answer, pause_s: int
) -> None:
    tab.clock.install()
    open_page(tab, stub.url)
    stop_the_clock(tab)
    asked = lists_asked(tab)
    tab.route(is_list, answer)
    stub.events.append(stub.file(999, status="processing", updated_at=LATER))
    pass_time_until(tab, lambda: len(asked) > 0)
    tab.clock.run_for((pause_s - 1) * 1000)
    assert len(asked) == 1
    tab.unroute(is_list, answer)
    stub.files = 15
    pass_time_until(tab, lambda: tab.locator("#grid .card").count() == 15)
    assert len(asked) == 2


def test_while_many_files_come_the_list_is_asked_for_every_few_seconds(tab: Page, stub: StubLibrary) -> None:
    tab.clock.install()
    open_page(tab, stub.url)
    stop_the_clock(tab)
    asked = lists_asked(tab)
    for number in range(15):
        stub.files += 1
        stub.events.append(stub.file(900 + number, status="processing", updated_at=LATER))
        wait_for(lambda: stub.told == len(stub.events))
        tab.clock.run_for(1000)
    pass_time_until(tab, lambda: tab.locator(f"#grid [aria-setsize='{stub.files}']").count() > 0)
    assert 2 <= len(asked) <= 8
