"""The list of files while the server refuses, while files change, and while other tabs delete and bring back."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

from tests.browser.driving import card, open_page, pass_time_until, stop_the_clock
from tests.browser.stub_library import StubLibrary
from tests.pipeline.local_system import wait_for

LATER = "2026-11-21T10:00:00Z"
LATER_STILL = "2026-11-21T11:00:00Z"
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


def select(tab: Page, *numbers: int) -> None:
    for number in numbers:
        found = card(tab, f"file {number:05}.jpg")
        found.hover()
        found.locator(".tick input").check()


@pytest.mark.parametrize(
    ("refused_ones", "words"),
    [
        ({"upl_1": "a", "upl_2": "b"}, "Deleted 2 files. 2 files could not be deleted."),
        (
            {f"upl_{n}": "It is still arriving." for n in (1, 2, 3)},
            "Deleted “file 00000.jpg”. 3 files could not be deleted. It is still arriving.",
        ),
        ({f"upl_{n}": "Gone." for n in range(4)}, "4 files could not be deleted. Gone."),
    ],
)
def test_what_was_deleted_and_what_was_not_is_said_together(
    tab: Page, stub: StubLibrary, refused_ones: dict[str, str], words: str
) -> None:
    wishes: list[dict[str, Any]] = []

    def batch(route: Route) -> None:
        wish = route.request.post_data_json
        wishes.append(wish)
        items = [
            {"upload_id": one, "error": error_for(one) if wish["action"] == "delete" else None}
            for one in wish["upload_ids"]
        ]
        route.fulfill(json={"status": "success", "data": {"items": items}})

    def error_for(upload_id: str) -> dict[str, str] | None:
        return {"code": "conflict", "message": refused_ones[upload_id]} if upload_id in refused_ones else None

    tab.route("**/api/v1/uploads/batch", batch)
    open_page(tab, stub.url)
    select(tab, 0, 1, 2, 3)
    tab.locator("#selection").get_by_role("button", name="Delete").click()
    tab.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(tab.locator(".toast span").first).to_have_text(words)
    expect(tab.get_by_role("button", name="Undo")).to_have_count(int(len(refused_ones) < 4))
    assert wishes[0]["upload_ids"] == [f"upl_{n}" for n in range(4)]


@pytest.mark.parametrize("wish", ["from=2026-11-01", "to=2026-11-30", "size=0-1", "type=image&from=2026-11-01"])
def test_a_file_that_changes_is_shown_as_it_is_whatever_filters_are_set(
    tab: Page, stub: StubLibrary, wish: str
) -> None:
    open_page(tab, f"{stub.url}/#/?{wish}")
    asked = lists_asked(tab)
    stub.events.append(stub.file(0, filename="renamed.jpg", updated_at=LATER))
    expect(card(tab, "renamed.jpg")).to_be_visible()
    assert asked == []
    stub.files = 21
    stub.events.append(stub.file(20, updated_at=LATER))
    expect(card(tab, "file 00020.jpg")).to_be_visible()


def test_a_new_file_of_another_kind_asks_for_nothing(tab: Page, stub: StubLibrary) -> None:
    tab.clock.install()
    open_page(tab, f"{stub.url}/#/?type=image&size=0-1")
    stop_the_clock(tab)
    asked = lists_asked(tab)
    stub.events.append(stub.file(21, updated_at=LATER))
    stub.events.append(stub.file(0, filename="renamed.jpg", updated_at=LATER))
    expect(card(tab, "renamed.jpg")).to_be_visible()
    tab.clock.run_for(10_000)
    assert asked == []


def delete_the_first(tab: Page) -> None:
    tab.route("**/api/v1/upload/upl_0", lambda route: route.fulfill(json={"status": "success", "data": {}}))
    found = card(tab, "file 00000.jpg")
    found.hover()
    found.get_by_role("button", name="Delete").click()
    tab.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(tab.locator(".toast")).to_contain_text("Deleted")


def without_the_first(route: Route) -> None:
    body = route.fetch().json()
    body["data"] = body["data"][1:]
    route.fulfill(json=body)


@pytest.mark.parametrize("told_of", ["return", "nothing"])
def test_a_file_deleted_here_and_brought_back_elsewhere_is_shown_again(
    tab: Page, stub: StubLibrary, told_of: str
) -> None:
    open_page(tab, stub.url)
    tab.route(is_list, without_the_first)
    with tab.expect_response(lambda response: is_list(response.url)):
        delete_the_first(tab)
    expect(card(tab, "file 00001.jpg")).to_be_visible()
    expect(card(tab, "file 00000.jpg")).to_have_count(0)
    tab.unroute(is_list, without_the_first)
    if told_of == "return":
        stub.events.append(stub.file(0, status="deleted", updated_at=LATER))
        stub.events.append(stub.file(0, status="processing", updated_at=LATER_STILL))
    else:
        stub.events.append(stub.file(999, updated_at=LATER))
    expect(card(tab, "file 00000.jpg")).to_be_visible()


def test_an_answer_older_than_the_deletion_brings_nothing_back(tab: Page, stub: StubLibrary) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    open_page(tab, stub.url)
    tab.route(is_list, hold)
    stub.events.append(stub.file(999, updated_at=LATER))
    wait_for(lambda: tab.evaluate("1") and held)
    delete_the_first(tab)
    with tab.expect_response(lambda response: is_list(response.url)) as answered:
        held.pop().continue_()
    answered.value.finished()
    wait_for(lambda: tab.evaluate("1") and held)
    expect(card(tab, "file 00000.jpg")).to_have_count(0)


def test_an_answer_that_events_have_overtaken_shows_nothing_older(tab: Page, stub: StubLibrary) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    open_page(tab, stub.url)
    stub.changed["upl_0"] = {"filename": "waiting.jpg", "status": "processing", "updated_at": LATER}
    tab.route(is_list, hold)
    stub.events.append(stub.file(999, updated_at=LATER))
    wait_for(lambda: tab.evaluate("1") and held)
    as_it_was = held[0].fetch()
    stub.events.append(stub.file(0, filename="ready.jpg", status="completed", updated_at=LATER_STILL))
    expect(card(tab, "ready.jpg")).to_be_visible()
    with tab.expect_response(lambda response: is_list(response.url)) as answered:
        held.pop(0).fulfill(response=as_it_was)
    answered.value.finished()
    expect(tab.locator("#grid .card", has_text="waiting.jpg")).to_have_count(0)
    expect(card(tab, "ready.jpg")).to_be_visible()


def test_a_file_that_moves_to_the_next_page_is_told_of_wherever_it_is(tab: Page, stub: StubLibrary) -> None:
    held: list[Route] = []

    def one_file_came(route: Route) -> None:
        if "offset=0" in route.request.url:
            held.append(route)
            return
        body = route.fetch().json()
        route.fulfill(json={**body, "data": [stub.file(49), *body["data"]], "meta": {"total": 61}})

    stub.files = 60
    open_page(tab, stub.url)
    tab.locator("#grid").evaluate("grid => grid.scrollIntoView({ block: 'end' })")
    expect(card(tab, "file 00059.jpg")).to_be_visible()
    tab.route(is_list, one_file_came)
    with tab.expect_response(lambda response: "offset=50" in response.url):
        stub.events.append(stub.file(999, updated_at=LATER))
    expect(tab.locator("#grid .card", has_text="file 00049.jpg")).to_have_count(2)
    stub.events.append(stub.file(49, filename="moved.jpg", updated_at=LATER))
    expect(tab.locator("#grid .card", has_text="moved.jpg")).to_have_count(2)


def search_by_picture(tab: Page, stub: StubLibrary, answer: Answer) -> Locator:
    tab.route("**/api/v1/search/image?*", answer)
    open_page(tab, stub.url)
    picture = tab.locator("#by-image")
    expect(picture).to_have_attribute("accept", "image/jpeg,image/png,image/webp,image/gif,image/bmp")
    picture.set_input_files({"name": "harbour.png", "mimeType": "image/png", "buffer": b"a picture"})
    return tab.locator("#empty")


@pytest.mark.parametrize(("status", "helps"), [(413, False), (415, False), (422, False), (500, True)])
def test_only_what_may_go_better_is_offered_again(tab: Page, stub: StubLibrary, status: int, helps: bool) -> None:
    empty = search_by_picture(tab, stub, refused(status))
    expect(empty).to_contain_text("Not just now.")
    expect(empty.get_by_role("button", name="Try again")).to_have_count(int(helps))


def test_a_picture_that_finds_nothing_says_what_it_could_find(tab: Page, stub: StubLibrary) -> None:
    def nothing(route: Route) -> None:
        route.fulfill(json={"status": "success", "data": {"results": [], "total": 0, "facets": {}}, "meta": {}})

    empty = search_by_picture(tab, stub, nothing)
    expect(empty).to_contain_text("A picture finds itself and its copies among your pictures and films")
    expect(empty).not_to_contain_text("Try other words")


def test_the_hint_in_the_search_box_is_never_cut_off(tab: Page, stub: StubLibrary) -> None:
    open_page(tab, stub.url)
    for width in (1280, 1000, 900, 640, 360, 320):
        tab.set_viewport_size({"width": width, "height": 740})
        room, needed = tab.locator("#query").evaluate(
            """(box) => {
              const [look, pen] = [getComputedStyle(box), document.createElement("canvas").getContext("2d")];
              pen.font = look.font;
              const padding = parseFloat(look.paddingLeft) + parseFloat(look.paddingRight);
              return [box.clientWidth - padding, pen.measureText(box.placeholder).width];
            }"""
        )
        assert needed <= room, width
