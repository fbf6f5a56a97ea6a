"""``python -m tests.bench.page``: what the first view costs, when it can be used, and whether 10,000 results scroll.

Prints, never asserts. Files and searches come from a stub on this machine, so that only the page itself is measured.
"""

import os
import statistics
import sys

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import CHROMIUM
from tests.browser.driving import FLAGS
from tests.browser.stub_library import FILES, StubLibrary

VISITS = 7
LONG_MS = 50
_SCROLL = """async ([steps, most]) => {
  const frames = [];
  let last = performance.now();
  const end = Math.min(document.documentElement.scrollHeight - innerHeight, most);
  for (let step = 1; step <= steps; step += 1) {
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    frames.push(now - last);
    last = now;
    scrollTo(0, end * step / steps);
  }
  return frames;
}"""
_USABLE = """() => performance.getEntriesByName('usable')[0]?.startTime ?? null"""
_MARK = """new MutationObserver((_, observer) => {
  if (document.querySelector('#grid .card .open') && document.querySelector('#query')) {
    performance.mark('usable');
    observer.disconnect();
  }
}).observe(document, { childList: true, subtree: true });"""


def main() -> None:
    """About half a minute."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    _say(f"{os.cpu_count()} cores, load {load}")
    if CHROMIUM is None:
        _say("no Chromium on this machine (apt-get install chromium)")
        return
    with StubLibrary().running() as stub, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        _first_view(browser, stub)
        _scrolling(browser, stub)
        browser.close()


def _first_view(browser: Browser, stub: StubLibrary) -> None:
    visits = [_visit(browser, stub) for _ in range(VISITS)]
    bytes_sent, requests, _ = visits[0]
    usable = [visit[2] for visit in visits]
    _say(f"first view: {bytes_sent / 1024:.0f} KiB in {requests} requests, thumbnails left out (goal 150 KiB)")
    _say(f"usable after: median {statistics.median(usable):.0f} ms, most {max(usable):.0f} ms (goal 1000 ms)")


def _visit(browser: Browser, stub: StubLibrary) -> tuple[float, int, float]:
    """Bytes, requests and milliseconds of one visit with nothing kept from before."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.add_init_script(_MARK)
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    pictures: set[str] = set()
    sizes: dict[str, float] = {}
    session.on("Network.requestWillBeSent", lambda e: pictures.add(e["requestId"]) if e["type"] == "Image" else None)
    session.on("Network.loadingFinished", lambda e: sizes.__setitem__(e["requestId"], e["encodedDataLength"]))
    page.goto(stub.url)
    page.wait_for_function(_USABLE)
    page.wait_for_timeout(300)
    usable = float(page.evaluate(_USABLE))
    context.close()
    own = [size for request, size in sizes.items() if request not in pictures]
    return sum(own), len(own), usable


def _scrolling(browser: Browser, stub: StubLibrary) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{stub.url}/#/?q=boats")
    page.locator("#grid .card .open").first.wait_for()
    for name, steps, most in (
        ("as by a wheel, 80 px a frame", 500, 40_000),
        ("from top to bottom in 300 frames", 300, 10**9),
    ):
        frames = _frames(page, steps, most)
        long = [frame for frame in frames if frame > LONG_MS]
        cards = page.locator("#grid .card").count()
        _say(
            f"{FILES:,} results {name}: {len(long)} of {len(frames)} frames over {LONG_MS} ms, "
            f"median {statistics.median(frames):.1f} ms, worst {max(frames):.0f} ms, {cards} cards in the page"
        )


def _frames(page: Page, steps: int, most: int) -> list[float]:
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(500)
    return page.evaluate(_SCROLL, [steps, most])


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
