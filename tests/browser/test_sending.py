"""Ways in: a folder dropped, a large file paused, cut off, taken up again after a reload, one that is here already."""

import re
from pathlib import Path

from playwright.sync_api import CDPSession, Page, expect

from localcloud.samples import Sample
from tests.browser.driving import add, card, open_page, padded_picture, tray_row
from tests.pipeline.local_system import LocalSystem

MIB = 1024 * 1024
LARGE = 20 * MIB
SLOW = 5 * MIB
"""Bytes a second: a large file takes four seconds."""


def network(page: Page) -> CDPSession:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    return session


def set_network(session: CDPSession, upload: int = -1, *, offline: bool = False) -> None:
    conditions = {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": upload}
    session.send("Network.emulateNetworkConditions", conditions)


def until_percent(page: Page, name: str, least: int) -> int:
    """Waits until so much is sent; answers how much it was."""
    return page.evaluate(
        """([name, least]) => new Promise((resolve) => {
          const look = () => {
            const row = [...document.querySelectorAll('#tray-list li')].find((one) => one.textContent.includes(name));
            const part = Number(/(\\d+) %/.exec(row?.textContent ?? '')?.[1] ?? 0);
            if (part >= least) resolve(part); else setTimeout(look, 20);
          };
          look();
        })""",
        [name, least],
    )


def offsets(page: Page) -> list[int]:
    """Fills with where each piece that is sent to the bucket begins."""
    begins: list[int] = []

    def note(request: object) -> None:
        sent = re.match(r"bytes (\d+)-", getattr(request, "headers", {}).get("content-range", ""))
        if sent:
            begins.append(int(sent[1]))

    page.on("request", note)
    return begins


def test_a_folder_is_dropped_with_everything_inside(page: Page, tmp_path: Path) -> None:
    inner = tmp_path / "Holiday" / "day one"
    inner.mkdir(parents=True)
    names = [f"note-{number}-{tmp_path.name}.txt" for number in range(3)]
    (tmp_path / "Holiday" / names[0]).write_text("The first evening by the lake.")
    (inner / names[1]).write_text("A walk through the gorge.")
    (inner / names[2]).write_text("Plum cake in the village.")
    (inner / ".DS_Store").write_bytes(b"litter")
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(tmp_path / "Holiday")], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 640, "y": 500, "data": data})
    expect(page.get_by_text("Drop to add")).to_be_visible()
    assert page.locator("#drop").evaluate("drop => drop.matches(':popover-open')")  # above the viewer too
    session.send("Input.dispatchDragEvent", {"type": "drop", "x": 640, "y": 500, "data": data})
    for name in names:
        expect(tray_row(page, name)).to_contain_text("Ready to be found.")
        expect(card(page, name)).to_be_visible()
    expect(page.locator("#tray-list li")).to_have_count(3)


def test_a_large_file_is_paused_and_goes_on(page: Page, samples: list[Sample], tmp_path: Path) -> None:
    picture = next(sample.path for sample in samples if sample.path.suffix == ".png")
    large = padded_picture(tmp_path / f"paused-{tmp_path.name}.png", picture, LARGE)
    begins = offsets(page)
    session = network(page)
    set_network(session, SLOW)
    add(page, large)
    until_percent(page, large.name, 45)
    page.get_by_role("button", name=f"Pause {large.name}").click()
    row = tray_row(page, large.name)
    expect(row).to_contain_text("Paused")
    words = row.locator(".words").inner_text()
    page.wait_for_timeout(400)
    assert row.locator(".words").inner_text() == words
    set_network(session)
    page.get_by_role("button", name=f"Resume {large.name}").click()
    expect(row).to_contain_text(re.compile("Reading|Understanding|Stored|Ready"))
    assert begins.count(0) == 1, begins


def test_a_cut_connection_and_a_reload_cost_only_the_piece_on_its_way(
    page: Page, system: LocalSystem, samples: list[Sample], tmp_path: Path
) -> None:
    picture = next(sample.path for sample in samples if sample.path.suffix == ".png")
    large = padded_picture(tmp_path / f"cut-{tmp_path.name}.png", picture, LARGE)
    begins = offsets(page)
    session = network(page)
    set_network(session, SLOW)
    add(page, large)
    until_percent(page, large.name, 45)
    set_network(session, offline=True)
    expect(tray_row(page, large.name)).to_contain_text("goes on by itself")
    set_network(session, SLOW)
    expect(tray_row(page, large.name)).to_contain_text("Sending")
    open_page(page, f"{system.url}/?again")
    expect(tray_row(page, large.name)).to_contain_text("Interrupted")
    add(page, large)
    expect(tray_row(page, large.name)).to_contain_text(re.compile("Reading|Understanding|Stored|Ready"))
    assert begins.count(0) == 1, begins


def test_what_is_here_already_is_said_and_opened(page: Page, library: dict[str, Sample]) -> None:
    add(page, library[".md"].path)
    row = tray_row(page, library[".md"].path.name)
    expect(row).to_contain_text("Already here")
    row.get_by_role("button", name="Open").click()
    expect(page.locator("#viewer")).to_contain_text(library[".md"].path.name)


def test_a_kind_that_is_not_read_is_refused_with_the_reason(page: Page, tmp_path: Path) -> None:
    (tmp_path / "mystery.xyz").write_bytes(bytes(range(256)) * 4)
    add(page, tmp_path / "mystery.xyz")
    expect(tray_row(page, "mystery.xyz")).to_contain_text("not supported")
    expect(page.locator("#tray h2")).to_have_text("0 files added, 1 with trouble")


def test_what_is_said_aloud_is_little_and_names_what_failed(page: Page, tmp_path: Path) -> None:
    page.evaluate(
        """() => {
          window.heard = [];
          const listen = () => heard.push(document.querySelector('#spoken').textContent);
          new MutationObserver(listen).observe(document.querySelector('#spoken'), { childList: true });
        }"""
    )
    notes = [tmp_path / f"aloud-{number}-{tmp_path.name}.txt" for number in range(4)]
    for note in notes:
        note.write_text(f"Read aloud, {note.name}.")
    odd = tmp_path / "aloud.xyz"
    odd.write_bytes(bytes(range(256)) * 4)
    add(page, *notes, odd)
    for note in notes:
        expect(tray_row(page, note.name)).to_contain_text("Ready to be found.")
    page.wait_for_function("() => heard.at(-1).includes('4 files added')")
    heard = page.evaluate("heard")
    assert any("aloud.xyz" in one and "not supported" in one for one in heard)
    assert heard[0] == "Sending 5 files"
    assert len([one for one in heard if one.startswith(("Sending", "Reading"))]) < 4, heard
