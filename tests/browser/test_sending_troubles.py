"""Files on their way in that are paused, cancelled, changed or refused at an awkward moment."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.driving import add, open_page, pass_time_until, stop_the_clock, tray_row
from tests.browser.stub_library import StubLibrary
from tests.pipeline.local_system import wait_for

MIB = 1024 * 1024
LARGE = 9 * MIB


class Bucket:
    """Opens sessions and stores what is sent to them; ``held`` keeps back answers to the wish for a session.

    Bytes are read from the file itself only where they leave the browser, as they do when it no longer ``takes`` them.
    """

    def __init__(self, stub: StubLibrary) -> None:
        self.stub = stub
        self.asked: list[str] = []
        self.held: list[Route] | None = None
        self.stored = 0
        self.takes = True

    def attend(self, tab: Page) -> None:
        tab.route("**/api/v1/upload/sessions", self._open)
        tab.route("**/session/*", self._session)

    def answer(self, route: Route) -> None:
        """A session, as if nothing had happened."""
        opened = {"upload_id": "upl_1", "session_url": f"{self.stub.url}/session/1", "expires_at": None}
        route.fulfill(status=201, json={"status": "success", "data": opened})

    def _open(self, route: Route) -> None:
        self.asked.append("open")
        if self.held is None:
            self.answer(route)
        else:
            self.held.append(route)

    def _session(self, route: Route) -> None:
        request = route.request
        sent = request.headers.get("content-range", "")
        self.asked.append(f"{request.method} {sent}".strip())
        if request.method == "DELETE":
            route.fulfill(status=499)
        elif sent.startswith("bytes */"):
            headers = {"Range": f"bytes=0-{self.stored - 1}"} if self.stored else {}
            route.fulfill(status=308, headers=headers)
        elif not self.takes:
            route.continue_()
        else:
            _, rest = sent.removeprefix("bytes ").split("-")
            last, size = rest.split("/")
            self.stored = int(last) + 1
            done = self.stored == int(size)
            route.fulfill(status=200 if done else 308, headers={} if done else {"Range": f"bytes=0-{last}"})


@pytest.fixture
def stub() -> Iterator[StubLibrary]:
    with StubLibrary(files=3).running() as running:
        yield running


@pytest.fixture
def bucket(tab: Page, stub: StubLibrary) -> Bucket:
    tab.clock.install()
    made = Bucket(stub)
    made.attend(tab)
    open_page(tab, stub.url)
    return made


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(LARGE))
    return path


def until_asked(tab: Page, bucket: Bucket, what: str) -> None:
    """Requests are attended to only while the tab is asked something."""
    wait_for(lambda: tab.evaluate("1") and what in bucket.asked)


def test_paused_while_its_session_is_opened_stays_paused(tab: Page, bucket: Bucket, large: Path) -> None:
    bucket.held = []
    add(tab, large)
    until_asked(tab, bucket, "open")
    row = tray_row(tab, large.name)
    row.get_by_role("button", name="Pause").click()
    with tab.expect_response("**/upload/sessions") as answered:
        bucket.held.pop().fulfill(status=503, json={"error": {"code": "unavailable", "message": "Starting."}})
    answered.value.finished()
    tab.clock.run_for(5000)
    expect(row).to_have_attribute("data-state", "paused")
    assert bucket.asked == ["open"]
    bucket.held = None
    row.get_by_role("button", name="Resume").click()
    expect(row).to_have_attribute("data-state", "stored")


def test_paused_and_resumed_while_its_session_is_opened_opens_one(tab: Page, bucket: Bucket, large: Path) -> None:
    bucket.held = []
    add(tab, large)
    until_asked(tab, bucket, "open")
    row = tray_row(tab, large.name)
    row.get_by_role("button", name="Pause").click()
    row.get_by_role("button", name="Resume").click()
    bucket.answer(bucket.held[0])
    expect(row).to_have_attribute("data-state", "stored")
    assert bucket.asked.count("open") == 1


def test_cancelled_while_its_session_is_opened_gives_the_session_up(tab: Page, bucket: Bucket, large: Path) -> None:
    bucket.held = []
    add(tab, large)
    until_asked(tab, bucket, "open")
    tray_row(tab, large.name).get_by_role("button", name="Cancel").click()
    bucket.answer(bucket.held.pop())
    until_asked(tab, bucket, "DELETE")
    assert bucket.asked == ["open", "DELETE"]
    tab.reload()
    expect(tab.locator("#grid .card .open").first).to_be_visible()
    expect(tab.locator("#tray")).not_to_be_visible()


@pytest.mark.parametrize("size", [1000, LARGE])
@pytest.mark.parametrize("what", ["changed", "gone"])
def test_a_file_that_is_not_any_more_what_was_picked_is_refused(
    tab: Page, bucket: Bucket, tmp_path: Path, size: int, what: str
) -> None:
    path = tmp_path / "picked.bin"
    path.write_bytes(bytes(size))
    tab.route("**/api/v1/upload", lambda route: route.fulfill(status=503), times=1)
    bucket.held = []
    bucket.takes = False
    add(tab, path)
    row = tray_row(tab, path.name)
    if size == LARGE:
        until_asked(tab, bucket, "open")
    else:
        expect(row).to_have_attribute("data-state", "offline")
    if what == "changed":
        path.write_bytes(b"1" * (size + 1))
        os.utime(path, (0, 0))
    else:
        path.unlink()
    if size == LARGE:
        bucket.answer(bucket.held.pop())
    expect(row).to_have_attribute("data-state", "refused")
    expect(row).to_contain_text("changed, moved or deleted")
    expect(row.get_by_role("button", name="Send picked.bin again")).to_have_count(0)


def test_trouble_of_the_server_is_not_called_a_lost_connection_and_has_an_end(
    tab: Page, bucket: Bucket, tmp_path: Path
) -> None:
    sent: list[str] = []

    def fail(route: Route) -> None:
        sent.append(route.request.url)
        route.fulfill(status=500, json={"error": {"code": "internal", "message": "Something went wrong."}})

    tab.route("**/api/v1/upload", fail)
    path = tmp_path / "note.txt"
    path.write_text("A note.")
    add(tab, path)
    row = tray_row(tab, path.name)
    expect(row).to_contain_text("The server has trouble")
    for tries in range(2, 9):
        pass_time_until(tab, lambda tries=tries: len(sent) >= tries, step_ms=31_000)
    expect(row).to_have_attribute("data-state", "refused")
    assert len(sent) == 8
    expect(row).to_contain_text("Something went wrong.")
    expect(row.get_by_role("button", name="Send note.txt again")).to_be_visible()


@pytest.mark.parametrize(("status", "code"), [(429, "too_many_uploads"), (503, "busy"), (408, "body_too_slow")])
def test_a_file_there_is_no_place_for_yet_is_sent_again_by_itself(
    tab: Page, bucket: Bucket, tmp_path: Path, status: int, code: str
) -> None:
    path = tmp_path / "note.txt"
    path.write_text("A note.")
    refusal = {"error": {"code": code, "message": "Not now."}}
    tab.route("**/api/v1/upload", lambda route: route.fulfill(status=202, json={"data": {"upload_id": "upl_1"}}))
    wait = {"Retry-After": "5"}
    tab.route("**/api/v1/upload", lambda route: route.fulfill(status=status, headers=wait, json=refusal), times=1)
    add(tab, path)
    row = tray_row(tab, path.name)
    expect(row).to_have_attribute("data-state", "offline")
    pass_time_until(tab, lambda: row.get_attribute("data-state") == "stored", step_ms=6_000)


def test_when_the_day_is_used_up_all_that_wait_are_told_and_none_is_sent(
    tab: Page, bucket: Bucket, tmp_path: Path
) -> None:
    notes = [tmp_path / f"note-{number:02}.txt" for number in range(30)]
    for note in notes:
        note.write_text(note.name)
    sent: list[str] = []

    def refuse_from_the_fourth(route: Route) -> None:
        sent.append(route.request.url)
        if len(sent) <= 3:
            answer = {"status": "success", "data": {"upload_id": f"upl_{len(sent)}"}}
            route.fulfill(status=202, json=answer)
        else:
            error = {"code": "daily_quota", "message": "You have added 3 files today."}
            route.fulfill(status=429, headers={"Retry-After": "40000"}, json={"status": "error", "error": error})

    tab.route("**/api/v1/upload", refuse_from_the_fourth)
    add(tab, *notes)
    refused = tab.locator("#tray-list [data-state=refused]")
    expect(refused).to_have_count(27)
    assert len(sent) <= 6
    for row in (refused.first, refused.last):
        expect(row).to_contain_text("You have added 3 files today.")
    states = tab.locator("#tray-list > li").evaluate_all("rows => rows.map((row) => row.dataset.state)")
    assert states[:27] == ["refused"] * 27
    expect(tab.locator("#spoken")).to_contain_text("files: You have added 3 files today.")
    tab.unroute("**/api/v1/upload", refuse_from_the_fourth)
    taken = {"status": "success", "data": {"upload_id": "upl_9"}}
    tab.route("**/api/v1/upload", lambda route: route.fulfill(status=202, json=taken))
    tab.get_by_role("button", name="Send note-29.txt again").click()
    expect(refused).to_have_count(26)


def test_rows_with_a_reason_come_first_and_the_focus_stays(tab: Page, bucket: Bucket, tmp_path: Path) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    tab.route("**/api/v1/upload", hold)
    notes = [tmp_path / f"{name}.txt" for name in ("first", "second", "third")]
    for note in notes:
        note.write_text(note.name)
    add(tab, *notes)
    wait_for(lambda: tab.evaluate("1") and len(held) == 3)
    pause = tab.get_by_role("button", name="Pause first.txt")
    pause.focus()
    [third] = [route for route in held if b"third.txt" in (route.request.post_data_buffer or b"")]
    error = {"code": "unsupported_format", "message": "This format is not supported."}
    third.fulfill(status=415, json={"status": "error", "error": error})
    expect(tab.locator("#tray-list .name")).to_have_text(["third.txt", "first.txt", "second.txt"])
    expect(pause).to_be_focused()


def busy(route: Route) -> None:
    route.fulfill(status=429, headers={"Retry-After": "20"}, json={"error": {"code": "rate_limited"}})


def starting(route: Route) -> None:
    route.fulfill(status=503)


def cut(route: Route) -> None:
    route.abort("connectionrefused")


@pytest.mark.parametrize(
    ("asked", "trouble", "size"),
    [("users/me", busy, 1000), ("users/me", starting, LARGE), ("auth/config", cut, LARGE), ("auth/local", busy, 1000)],
)
def test_a_credential_that_ends_while_the_server_is_busy_is_renewed_later(
    tab: Page, bucket: Bucket, tmp_path: Path, asked: str, trouble: Callable[[Route], None], size: int
) -> None:
    path = tmp_path / "picked.bin"
    path.write_bytes(bytes(size))
    stored = {"status": "success", "data": {"upload_id": "upl_1", "job_id": "job_1"}}
    tab.route("**/api/v1/upload", lambda route: route.fulfill(status=202, json=stored))
    tab.route(re.compile(r"/api/v1/upload(/sessions)?$"), lambda route: route.fulfill(status=401), times=1)
    tab.route(f"**/api/v1/{asked}", trouble, times=1)
    add(tab, path)
    row = tray_row(tab, path.name)
    expect(row).to_have_attribute("data-state", "offline")
    pass_time_until(tab, lambda: row.get_attribute("data-state") in ("stored", "ready"), step_ms=21_000)


def test_what_has_come_further_is_tried_again_soon(tab: Page, bucket: Bucket, tmp_path: Path) -> None:
    path = tmp_path / "long.bin"
    path.write_bytes(bytes(40 * MIB))
    cut = 0

    def after_every_piece(route: Route) -> None:
        nonlocal cut
        begins = route.request.headers.get("content-range", "").removeprefix("bytes ").split("-")[0]
        if begins == str(bucket.stored) and cut < bucket.stored // (8 * MIB):
            cut += 1
            route.fulfill(status=503)
        else:
            route.fallback()

    tab.route("**/session/*", after_every_piece)
    stop_the_clock(tab)
    began = tab.evaluate("Date.now()")
    add(tab, path)
    pass_time_until(tab, lambda: tab.locator("#tray-list [data-state=stored]").count() == 1)
    assert cut == 4
    assert tab.evaluate("Date.now()") - began < 12_000


_DROP = """() => {
  const refused = (whenRefused) => whenRefused(new DOMException("It could not be found.", "NotFoundError"));
  const file = (name) => ({ name, isFile: true, file: (whenRead) => whenRead(new File(["x"], name)) });
  const broken = (name) => ({ name, isFile: true, file: (_, whenRefused) => refused(whenRefused) });
  const folder = (name, ...parts) => {
    const answers = parts.map((part) => part ? [part] : null);
    const readEntries = (whenRead, whenRefused) => {
      const some = answers.length ? answers.shift() : [];
      if (some) whenRead(some); else refused(whenRefused);
    };
    return { name, isFile: false, createReader: () => ({ readEntries }) };
  };
  const holiday = folder("holiday", file("a.txt"), broken("b.txt"), folder("c", file("c.txt"), null), file("d.txt"));
  DataTransferItem.prototype.webkitGetAsEntry = () => holiday;
  const carried = new DataTransfer();
  carried.items.add(new File(["x"], "holiday"));
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
}"""


def test_what_cannot_be_read_of_a_dropped_folder_costs_only_itself(tab: Page, bucket: Bucket) -> None:
    tab.evaluate(_DROP)
    expect(tab.locator(".toast span").first).to_have_text("2 files or folders could not be read and were not added.")
    expect(tab.locator("#tray-list .name")).to_have_text(["a.txt", "c.txt", "d.txt"])


def test_what_one_tab_is_sending_is_not_interrupted_in_another(
    tab: Page, bucket: Bucket, stub: StubLibrary, large: Path
) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    tab.route("**/session/*", hold)
    add(tab, large)
    wait_for(lambda: tab.evaluate("1") and held)
    other = tab.context.new_page()
    bucket.attend(other)
    open_page(other, stub.url)
    other.wait_for_function("navigator.locks.query().then(({ held }) => held.length > 0)")
    expect(other.locator("#tray")).not_to_be_visible()
    add(other, large)
    expect(tray_row(other, large.name)).to_contain_text("It is being sent already")
    other.get_by_role("button", name=f"Dismiss {large.name}").click()
    expect(other.locator("#tray")).not_to_be_visible()
    tab.close()
    other.reload()
    expect(tray_row(other, large.name)).to_contain_text("Interrupted")
    other.route("**/api/v1/users/me", lambda route: route.fulfill(json={"data": {"user_id": "somebody-else"}}))
    other.reload()
    expect(other.locator("#grid .card .open").first).to_be_visible()
    expect(other.locator("#tray")).not_to_be_visible()
    other.unroute("**/api/v1/users/me")
    other.reload()
    other.get_by_role("button", name=f"Give up {large.name}").click()
    wait_for(lambda: other.evaluate("1") and "DELETE" in bucket.asked)
    expect(other.locator("#tray")).not_to_be_visible()


def test_many_small_files_count_as_files_while_they_are_sent_and_read(
    tab: Page, stub: StubLibrary, tmp_path: Path
) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    tab.route("**/api/v1/upload", hold)
    open_page(tab, stub.url)
    notes = [tmp_path / f"note-{number:02}.txt" for number in range(12)]
    for note in notes:
        note.write_text(note.name)
    add(tab, *notes)
    for number in range(12):
        wait_for(lambda: tab.evaluate("1") and held)
        held.pop(0).fulfill(status=202, json={"status": "success", "data": {"upload_id": f"upl_{number}"}})
        if number == 5:
            expect(tab.locator("#tray-title")).to_have_text("Sending 6 files, 50 %")
    expect(tab.locator("#tray-title")).to_have_text("Reading 12 files")
    together = tab.get_by_role("progressbar", name="All uploads")
    expect(together).to_have_js_property("value", 0)
    stub.events += [stub.file(number) for number in range(3)]
    expect(tab.locator("#tray-title")).to_have_text("Reading 9 files")
    expect(together).to_have_js_property("value", 0.25)
