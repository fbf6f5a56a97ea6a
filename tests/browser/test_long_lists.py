"""Ten thousand files: only those in view exist in the page, and an answer that comes too late is not shown."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.driving import open_page, search
from tests.browser.stub_library import FILES, StubLibrary

MOST_CARDS = 80
_TYPED = """text => {
  const box = document.querySelector('#query');
  for (let end = 1; end <= text.length; end += 1) {
    box.value = text.slice(0, end);
    box.dispatchEvent(new InputEvent('input', { bubbles: true }));
  }
}"""


@pytest.fixture
def stub() -> Iterator[StubLibrary]:
    with StubLibrary().running() as running:
        yield running


def test_only_what_is_in_view_is_there(tab: Page, stub: StubLibrary) -> None:
    open_page(tab, stub.url)
    search(tab, "boats")
    expect(tab.locator("#summary")).to_have_text("10,000 files found")
    assert tab.locator("#grid .card").count() < MOST_CARDS
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("End")
    last = tab.locator("#grid .card").last
    expect(last).to_contain_text(f"file {FILES - 1:05}.jpg")
    expect(last).to_have_attribute("aria-posinset", str(FILES))
    assert tab.locator("#grid .card").count() < MOST_CARDS
    expect(last.locator(".open")).to_be_focused()
    names = tab.locator("#grid .card .title").all_inner_texts()
    assert names == sorted(names)
    assert len(stub.asked) < 12


def test_scrolling_through_fetches_what_one_stops_at(tab: Page, stub: StubLibrary) -> None:
    open_page(tab, stub.url)
    tab.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)")
    expect(tab.locator("#grid .card .title").first).to_be_visible()
    tab.wait_for_function(
        """half => {
            const first = document.querySelector("#grid .card .title");
            return first && Math.abs(Number(first.innerText.slice(5, 10)) - half) < 200;
        }""",
        arg=FILES // 2,
    )
    expect(tab.locator("#grid .card img.loaded").first).to_be_visible()


def test_an_answer_to_an_earlier_query_is_not_shown(tab: Page, stub: StubLibrary) -> None:
    stub.slow = {"boat": 1.5}
    open_page(tab, stub.url)
    search(tab, "boat")
    tab.wait_for_timeout(400)
    search(tab, "boats at dawn")
    expect(tab.locator("#grid mark").first).to_have_text("boats at dawn")
    tab.wait_for_timeout(1500)
    expect(tab.locator("#grid mark").first).to_have_text("boats at dawn")
    assert "boat" in stub.asked


def test_typing_asks_only_for_what_is_paused_at(tab: Page, stub: StubLibrary) -> None:
    open_page(tab, stub.url)
    # All in one go: between two keys sent from here a busy machine may pause by itself.
    tab.evaluate(_TYPED, "harbour")
    expect(tab.locator("#grid mark").first).to_have_text("harbour")
    assert [query for query in stub.asked if query in "harbour"] == ["harbour"]
