"""What the viewer makes of originals: films of any shape, links that are over, what the browser cannot show."""

from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser.driving import open_card, open_page, search
from tests.browser.stub_library import StubLibrary

WINDOWS = ((1280, 900), (360, 740), (740, 360), (1280, 500), (640, 450))
READY = "() => document.querySelector('#stage :is(video, audio)')?.readyState >= 1"


@pytest.fixture
def stub() -> Iterator[StubLibrary]:
    with StubLibrary(files=40).running() as running:
        yield running


def _film(path: Path, width: int, height: int) -> Path:
    with av.open(path, "w") as written:
        stream = written.add_stream("h264", rate=10)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for shade in range(20):
            frame = av.VideoFrame.from_image(Image.new("RGB", (width, height), (90, 40 + 8 * shade, 120)))
            written.mux(stream.encode(frame))
        written.mux(stream.encode())
    return path


def _opened(tab: Page, stub: StubLibrary, number: int) -> Locator:
    open_page(tab, stub.url)
    search(tab, "harbour")
    expect(tab.locator("#grid mark").first).to_be_visible()
    return open_card(tab, tab.locator("#grid .card", has_text=f"file {number:05}").first)


@pytest.mark.parametrize("size", [(540, 960), (960, 540)])
def test_a_film_of_any_shape_lies_inside_the_stage(
    tab: Page, stub: StubLibrary, tmp_path: Path, size: tuple[int, int]
) -> None:
    stub.originals["upl_1"] = _film(tmp_path / "film.mp4", *size)
    viewer = _opened(tab, stub, 1)
    tab.wait_for_function(READY)
    for width, height in WINDOWS:
        tab.set_viewport_size({"width": width, "height": height})
        stage, film = (viewer.locator(name).bounding_box() for name in ("#stage", "#stage video"))
        assert stage
        assert film
        assert film["y"] >= stage["y"]
        assert film["y"] + film["height"] <= stage["y"] + stage["height"] <= height
        assert film["x"] + film["width"] <= stage["x"] + stage["width"] <= width
