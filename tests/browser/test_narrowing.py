"""Looking for something and finding the way back: clearing, orders, days and counts of what was narrowed."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.driving import open_page, search
from tests.browser.stub_library import StubLibrary

BOX = "Search your files"


@pytest.fixture
def stub() -> Iterator[StubLibrary]:
    with StubLibrary(files=40).running() as running:
        yield running


def _nothing_for(stub: StubLibrary, tab: Page, query: str) -> None:
    """Searches for something that is not there."""
    stub.nothing.add(query)
    search(tab, query)
    expect(tab.get_by_role("heading", name="No good match")).to_be_visible()


def test_a_search_can_be_cleared_without_keys(tab: Page, stub: StubLibrary) -> None:
    open_page(tab, stub.url)
    clear = tab.get_by_role("button", name="Clear search")
    expect(clear).not_to_be_visible()
    search(tab, "harbour")
    expect(tab.locator("#grid.found")).to_be_visible()
    clear.click()
    expect(tab.get_by_role("combobox", name=BOX)).to_be_focused()
    expect(tab.locator("#grid:not(.found) .card .open").first).to_be_visible()
    _nothing_for(stub, tab, "gibberish")
    tab.get_by_role("button", name="Show all files").click()
    expect(tab.get_by_role("combobox", name=BOX)).to_have_value("")
    expect(tab.locator("#grid .card .open").first).to_be_focused()


def test_who_finds_nothing_by_words_alone_is_told_that_meaning_was_not_compared(tab: Page, stub: StubLibrary) -> None:
    open_page(tab, stub.url)
    stub.degraded = True
    _nothing_for(stub, tab, "walrus")
    expect(tab.get_by_text("Only words were compared")).to_be_visible()


def test_an_order_stays_with_what_it_was_chosen_for(tab: Page, stub: StubLibrary) -> None:
    open_page(tab, stub.url)
    order = tab.get_by_role("combobox", name="Order")
    order.select_option("Largest first")
    search(tab, "harbour")
    expect(tab.locator("#grid.found")).to_be_visible()
    expect(order).to_have_value("")
    assert "sort" not in stub.wishes[-1]
    order.select_option("Newest first")
    search(tab, "harbour at dawn")
    expect(tab.locator("#grid mark").first).to_have_text("harbour at dawn")
    expect(order).to_have_value("-date")
    search(tab, "")
    expect(tab.locator("#grid.found")).to_have_count(0)
    expect(order.locator("option:checked")).to_have_text("Newest first")
    open_page(tab, f"{stub.url}/?again#/?q=harbour&sort=sideways")
    expect(order.locator("option:checked")).to_have_text("Best match")


def test_days_are_those_of_the_person(browser: Browser, stub: StubLibrary) -> None:
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, locale="en-GB", timezone_id="Pacific/Auckland"
    )
    tab = context.new_page()
    tab.clock.set_fixed_time("2026-11-22T11:23:00Z")
    open_page(tab, stub.url)
    search(tab, "harbour")
    tab.get_by_role("button", name="Filters", exact=True).click()
    expect(tab.get_by_label("From")).to_have_attribute("max", "2026-11-23")
    tab.get_by_role("button", name="Today").click()
    expect(tab.get_by_label("From")).to_have_value("2026-11-23")
    tab.get_by_label("To", exact=True).fill("2026-11-23")
    expect(tab.get_by_role("button", name="Remove filter 23 Nov")).to_be_visible()
    with tab.expect_response("**/api/v1/search"):
        tab.get_by_role("button", name="Under 1 MB").click()
    assert stub.wishes[-1]["date_from"] == "2026-11-22T11:00:00.000Z"
    assert stub.wishes[-1]["date_to"] == "2026-11-23T10:59:59.999Z"
    context.close()


def test_dates_and_sizes_without_files_are_called_so(tab: Page) -> None:
    with StubLibrary(files=0).running() as stub:
        open_page(tab, f"{stub.url}/#/?from=2026-01-01")
        expect(tab.get_by_role("heading", name="No files within these dates or sizes")).to_be_visible()


def test_counts_of_other_kinds_are_not_made_up(tab: Page, stub: StubLibrary) -> None:
    stub.narrows = True
    open_page(tab, stub.url)
    kinds = tab.locator(".kinds")
    kinds.get_by_role("button", name="Documents").click()
    search(tab, "harbour")
    expect(tab.locator("#grid.found")).to_be_visible()
    expect(kinds.locator(".count")).to_have_text(["", "", "", "", "10"])
    tab.get_by_role("button", name="Filters", exact=True).click()
    expect(tab.get_by_role("group", name="Month")).to_have_count(0)
    kinds.get_by_role("button", name="All").click()
    expect(kinds.locator(".count")).to_have_text(["", "10", "10", "10", "10"])
    kinds.get_by_role("button", name="Documents").click()
    expect(kinds.locator(".count")).to_have_text(["", "10", "10", "10", "10"])


def test_every_search_is_answered_aloud(tab: Page, stub: StubLibrary) -> None:
    open_page(tab, stub.url)
    spoken = tab.locator("#spoken")
    for query in ("rain", "wind"):
        search(tab, query)
        expect(spoken).to_have_text(f"40 files found for {query}")


def test_a_slow_search_does_not_pass_for_an_answer(tab: Page, stub: StubLibrary) -> None:
    stub.slow["harbour"] = 3
    tab.clock.install()
    open_page(tab, stub.url)
    expect(tab.locator("#summary")).to_have_text("40 files")
    with tab.expect_request("**/api/v1/search"):
        search(tab, "harbour")
    expect(tab.locator("#summary")).to_have_text("Searching…")
    expect(tab.locator("#spoken")).to_have_text("Searching…")
    expect(tab.locator("#grid")).to_have_attribute("aria-busy", "true")
    tab.clock.fast_forward(20_000)
    expect(tab.locator("#summary")).to_have_text("This takes longer than usual")
    expect(tab.locator("#summary")).to_have_text("40 files found")
    expect(tab.locator("#grid")).not_to_have_attribute("aria-busy", "true")


def test_a_day_that_is_none_hides_nothing(tab: Page, stub: StubLibrary) -> None:
    open_page(tab, f"{stub.url}/#/?from=notadate&to=2026-99-01")
    expect(tab.locator("#summary")).to_have_text("40 files")


def test_what_an_address_cannot_mean_is_left_out_of_it(tab: Page, stub: StubLibrary) -> None:
    open_page(tab, f"{stub.url}/#/?q=harbour&type=zzz&size=9-x&from=2026-99-99")
    expect(tab.locator("#grid mark").first).to_be_visible()
    assert not {"file_types", "min_size_mb", "max_size_mb", "date_from"} & stub.wishes[-1].keys()


def test_the_first_link_leads_to_the_files_that_were_found(tab: Page, stub: StubLibrary) -> None:
    open_page(tab, f"{stub.url}/#/?q=harbour")
    expect(tab.locator("#grid mark").first).to_be_visible()
    tab.get_by_role("link", name="Skip to files").press("Enter")
    expect(tab.locator("#grid .card .open").first).to_be_focused()
    assert tab.url.endswith("#/?q=harbour")
    tab.get_by_role("button", name="Menu").click()
    tab.get_by_role("menuitem", name="Usage and settings").click()
    tab.get_by_role("link", name="Skip to files").press("Enter")
    expect(tab.locator("#content")).to_be_focused()
