"""Files that cannot be read: grouped by cause with what helps, tried again one by one or all of a cause."""

import secrets
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.driving import PATIENCE_MS, add, barriers, open_page, tray_row
from tests.browser.stub_library import StubLibrary
from tests.pipeline.local_system import LocalSystem, wait_for


def test_failures_are_told_by_cause_and_tried_again(page: Page, system: LocalSystem, tmp_path: Path) -> None:
    broken = [tmp_path / f"broken-{number}-{secrets.token_hex(3)}.pdf" for number in range(2)]
    for path in broken:
        path.write_bytes(b"%PDF-1.7\n" + secrets.token_bytes(2000))
    add(page, *broken)
    panel = page.get_by_role("region", name="Files that need attention")
    for path in broken:
        expect(panel.get_by_role("listitem").filter(has_text=path.name)).to_contain_text("damaged")
        expect(tray_row(page, path.name)).to_contain_text("Export it again")
    expect(page.locator("#tray h2")).to_have_text(f"0 files added, {len(broken)} with trouble")
    expect(panel).to_contain_text("Damaged files")
    expect(panel).to_contain_text("Export it again and upload the new copy.")

    panel.get_by_role("button", name=f"Try again: {broken[0].name}").click()
    wait_for(lambda: _attempts(system, broken[0].name) > 1)
    expect(panel.get_by_role("listitem").filter(has_text=broken[0].name)).to_be_visible()
    panel.get_by_role("button", name="Try all again").click()
    for path in broken:
        wait_for(lambda path=path: _attempts(system, path.name) > 1)

    for path in broken:
        panel.get_by_role("button", name=f"Delete {path.name}").click(timeout=PATIENCE_MS)
        page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
        expect(panel.get_by_text(path.name)).to_have_count(0)


def test_what_is_offered_for_a_failed_file_keeps_nobody_out(tab: Page) -> None:
    stub = StubLibrary(files=8)
    error = {"code": "corrupt", "message": "Damaged.", "advice": "Export it again.", "retryable": True}
    stub.failed = [stub.file(n, status="failed", message="It is damaged.", error=error) for n in range(2)]
    with stub.running():
        open_page(tab, stub.url)
        expect(tab.locator("#failures .cause")).to_be_visible()
        assert barriers(tab) == []


def _attempts(system: LocalSystem, name: str) -> int:
    return next(upload["attempts"] for upload in system.uploads() if upload["filename"] == name)
