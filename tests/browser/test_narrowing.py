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
