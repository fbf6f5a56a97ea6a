"""Many files at once, large ones piece by piece: what broke off goes on, what is there already is no failure."""

import hashlib
import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hosting.answers import ApiError
from hosting.places import Places
from mmsearch import patience, resumable
from mmsearch.client import Client
from mmsearch.errors import UnreachableError
from mmsearch.journal import Journal
from mmsearch.resumable import PIECE_BYTES
from mmsearch.sending import RESUMABLE_FROM, STREAMED_AT_ONCE, Outcome, Sender, files_in
from tests.unit.mmsearch.api import TRACE, UPLOAD_ID, Api
from tests.unit.mmsearch.bucket import Bucket, bucket_session
from tests.wire_server import Reply, Request, WireServer
from upload_gateway.resources import FILES_IN_ALL, FILES_OF_A_USER

MIB = 1024 * 1024
ROOT = Path(__file__).parents[3]
ACCEPTED = {"upload_id": UPLOAD_ID, "job_id": "job_1", "status": "queued", "estimated_time": 2.5}


class Seen:
    """A watcher that remembers."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.ended: list[str | None] = []
        self.threads: set[int] = set()

    def begin(self, path: Path, size: int) -> Callable[[int], None]:
        self.threads.add(threading.get_ident())
        return self.sent.append

    def end(self, path: Path, outcome: Outcome) -> None:
        self.ended.append(outcome.status)


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with bucket_session() as bucket:
        yield bucket


@pytest.fixture
def journal(api: Api, tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state", api.url)


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def sender(api: Api, journal: Journal, seen: Seen) -> Iterator[Sender]:
    with Client(api.url, "sk_key") as client:
        yield Sender(client, journal, seen)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (patience, resumable):
        monkeypatch.setattr(module, "_FIRST_PAUSE_S", 0.001)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(bytes(range(256)) * 4 * 1024 * 20 + b"end")  # 20 MiB and a bit
    return path


def session(bucket: Bucket | None, status: str = "pending") -> dict[str, object]:
    return {"upload_id": UPLOAD_ID, "job_id": "j", "session_url": bucket and bucket.url, "status": status}


def test_a_large_file_goes_straight_to_the_bucket(
    api: Api, bucket: Bucket, sender: Sender, seen: Seen, journal: Journal, film: Path
) -> None:
    api.will_answer("POST /api/v1/upload/sessions", session(bucket))
    assert sender.send(film) == Outcome(path=str(film), upload_id=UPLOAD_ID, status="queued")
    assert bytes(bucket.received) == film.read_bytes()
    announced = json.loads(api.asked[0].start)
    assert announced == {
        "filename": "film.mp4", "size": film.stat().st_size, "content_type": "video/mp4",
        "sha256": hashlib.sha256(film.read_bytes()).hexdigest(),
    }  # fmt: skip
    assert all("x-api-key" not in headers for headers in bucket.headers)
    assert seen.sent == sorted(seen.sent)
    assert seen.sent[-1] == film.stat().st_size
    assert journal.upload_id(film) is None


@pytest.mark.parametrize("troubles", [["cut"], ["lost"], [503, 503], ["cut", 500, "lost", "cut"]])
def test_a_broken_connection_goes_on_where_it_stopped(
    api: Api, bucket: Bucket, sender: Sender, film: Path, troubles: list[str | int]
) -> None:
    bucket.troubles = troubles
    api.will_answer("POST /api/v1/upload/sessions", session(bucket))
    assert sender.send(film).error is None
    assert bytes(bucket.received) == film.read_bytes()


def test_a_bucket_that_never_answers_is_given_up_and_the_next_run_goes_on(
    api: Api, bucket: Bucket, sender: Sender, journal: Journal, film: Path
) -> None:
    bucket.troubles = ["cut", *[503] * 20]
    api.will_answer("POST /api/v1/upload/sessions", session(bucket))
    with pytest.raises(UnreachableError, match="does not take film"):
        sender.send(film)
    assert journal.upload_id(film) == UPLOAD_ID
    had = len(bucket.received)
    assert had > 0

    bucket.troubles = []
    bucket.ranges.clear()
    api.will_answer(f"GET /api/v1/upload/sessions/{UPLOAD_ID}", session(bucket))
    assert sender.send(film).status == "queued"
    assert bucket.ranges[1].startswith(f"bytes {had}-")
    assert bytes(bucket.received) == film.read_bytes()


@pytest.mark.parametrize("gone", sorted(resumable.GONE))
def test_a_session_that_is_gone_is_opened_anew(
    api: Api, bucket: Bucket, sender: Sender, journal: Journal, film: Path, gone: int
) -> None:
    journal.remember(film, UPLOAD_ID)
    api.will_answer(f"GET /api/v1/upload/sessions/{UPLOAD_ID}", session(None))
    bucket.troubles = [gone]
    api.will_answer("POST /api/v1/upload/sessions", session(bucket))
    assert sender.send(film).status == "queued"
    assert [asked.method for asked in api.asked] == ["GET", "POST", "POST"]
    assert bytes(bucket.received) == film.read_bytes()


def test_the_page_takes_the_same_sessions_for_gone() -> None:
    page = (ROOT / "services/upload_gateway/web/sending/transfer.js").read_text()
    found = re.search(r"const GONE = (\[.*\]);", page)
    assert found is not None
    assert set(json.loads(found[1])) == resumable.GONE


def test_a_file_that_the_bucket_refuses_does_not_stop_the_others(
    api: Api, bucket: Bucket, sender: Sender, seen: Seen, journal: Journal, film: Path, tmp_path: Path
) -> None:
    small = tmp_path / "a.txt"
    small.write_text("a")
    api.will_answer("POST /api/v1/upload", ACCEPTED)
    api.will_answer("POST /api/v1/upload/sessions", session(bucket))
    bucket.troubles = [400]
    refused, sent = sender.send_all([film, small], parallel=1)
    assert refused.error is not None
    assert (refused.error.code, refused.upload_id) == ("refused_by_bucket", None)
    assert "HTTP 400" in refused.error.message
    assert "announces it anew" in (refused.error.advice or "")
    assert sent.status == "queued"
    assert seen.ended == [None, "queued"]
    assert journal.upload_id(film) is None


def test_a_bucket_that_keeps_no_session_does_not_stop_the_others(
    api: Api, bucket: Bucket, sender: Sender, film: Path, tmp_path: Path
) -> None:
    small = tmp_path / "a.txt"
    small.write_text("a")
    api.will_answer("POST /api/v1/upload", ACCEPTED)
    api.will_answer("POST /api/v1/upload/sessions", session(bucket))
    bucket.troubles = [404, 404]
    refused, sent = sender.send_all([film, small], parallel=1)
    assert refused.error is not None
    assert (refused.error.code, sent.status) == ("refused_by_bucket", "queued")


class Writing(Seen):
    """Somebody makes a.log longer or shorter when its beginning has been read."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def begin(self, path: Path, size: int) -> Callable[[int], None]:
        return lambda _: os.truncate(path, self.size) if path.name == "a.log" else None


@pytest.mark.parametrize("size", [100_000, RESUMABLE_FROM + 1])
def test_a_file_that_becomes_shorter_while_it_is_sent_costs_only_itself(
    api: Api, bucket: Bucket, journal: Journal, tmp_path: Path, size: int
) -> None:
    log, other = tmp_path / "a.log", tmp_path / "b.txt"
    log.write_bytes(b"x" * size)
    other.write_text("b")
    api.will_answer("POST /api/v1/upload", ACCEPTED)
    api.will_answer("POST /api/v1/upload/sessions", session(bucket))
    with Client(api.url, "sk_key") as client:
        shorter, sent = Sender(client, journal, Writing(50)).send_all([log, other], parallel=1)
    assert shorter.error is not None
    assert (shorter.error.code, shorter.error.message) == ("unreadable", "The file became shorter while it was sent.")
    assert sent.status == "queued"


def test_of_a_file_that_grows_while_it_is_sent_what_was_there_is_sent(
    api: Api, journal: Journal, tmp_path: Path
) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b"x" * 100_000)
    api.will_answer("POST /api/v1/upload", ACCEPTED)
    with Client(api.url, "sk_key") as client:
        assert Sender(client, journal, Writing(200_000)).send(log).status == "queued"
    assert 100_000 < api.asked[0].size < 101_000


def test_what_had_arrived_before_the_last_run_was_killed_is_not_sent_again(
    api: Api, sender: Sender, journal: Journal, film: Path
) -> None:
    journal.remember(film, UPLOAD_ID)
    api.will_answer(f"GET /api/v1/upload/sessions/{UPLOAD_ID}", session(None, "processing"))
    assert sender.send(film).upload_id == UPLOAD_ID
    assert journal.upload_id(film) is None


def test_a_changed_file_is_another_one(journal: Journal, film: Path) -> None:
    journal.remember(film, UPLOAD_ID)
    film.write_bytes(b"shorter")
    assert journal.upload_id(film) is None


def test_small_files_go_several_at_once_and_in_order(api: Api, sender: Sender, seen: Seen, tmp_path: Path) -> None:
    paths = [tmp_path / f"{n}.txt" for n in range(12)]
    for path in paths:
        path.write_text(path.name)
    api.will_answer("POST /api/v1/upload", ACCEPTED)
    outcomes = sender.send_all([*paths, tmp_path / "missing.txt"], parallel=4)
    assert [outcome.path for outcome in outcomes[:12]] == [str(path) for path in paths]
    assert outcomes[12].error is not None
    assert outcomes[12].error.code == "unreadable"
    assert len(seen.threads) > 1


def test_calling_it_off_stops_in_the_middle_and_the_next_run_goes_on(
    api: Api, bucket: Bucket, journal: Journal, film: Path, tmp_path: Path
) -> None:
    api.will_answer("POST /api/v1/upload/sessions", session(bucket))
    under_way, watched = threading.Event(), threading.Event()

    class Stopping(Seen):
        """Ctrl-C reaches the thread that waits for the files while one of them is half sent."""

        def begin(self, path: Path, size: int) -> Callable[[int], None]:
            return self.half

        def half(self, sent: int) -> None:
            if sent > PIECE_BYTES:
                under_way.set()
                watched.wait(10)

        def end(self, path: Path, outcome: Outcome) -> None:
            if path.name == "a.txt":
                under_way.wait(10)
                threading.Timer(0.2, watched.set).start()
                raise KeyboardInterrupt

    small = tmp_path / "a.txt"
    small.write_text("a")
    api.will_answer("POST /api/v1/upload", ACCEPTED)
    with Client(api.url, "sk_key") as client, pytest.raises(KeyboardInterrupt):
        Sender(client, journal, Stopping()).send_all([small, film], parallel=2)
    assert journal.upload_id(film) == UPLOAD_ID
    had = len(bucket.received)
    assert PIECE_BYTES <= had < film.stat().st_size
    api.will_answer(f"GET /api/v1/upload/sessions/{UPLOAD_ID}", session(bucket))
    with Client(api.url, "sk_key") as client:
        assert Sender(client, journal, Seen()).send(film).status == "queued"
    assert bytes(bucket.received) == film.read_bytes()


def test_once_nobody_answers_the_rest_is_not_tried(journal: Journal, seen: Seen, tmp_path: Path) -> None:
    paths = [tmp_path / f"{n}.txt" for n in range(3)]
    for path in paths:
        path.write_text(path.name)
    with Client("http://127.0.0.1:1", "sk_key") as client:
        outcomes = Sender(client, journal, seen).send_all(paths, parallel=1)
    messages = [outcome.error.message for outcome in outcomes if outcome.error]
    assert ["refused" in messages[0], *messages[1:]] == [True, *["Not sent: the server does not answer."] * 2]
    assert len(seen.ended) == 3


def test_a_slow_connection_shows_progress_within_a_piece(
    api: Api, bucket: Bucket, sender: Sender, seen: Seen, film: Path
) -> None:
    api.will_answer("POST /api/v1/upload/sessions", session(bucket))
    sender.send(film)
    assert len(seen.sent) > film.stat().st_size // PIECE_BYTES * 10


def test_a_duplicate_is_no_failure(api: Api, sender: Sender, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    api.will_refuse("POST /api/v1/upload", 409, "duplicate", "You have this file already.")
    outcome = sender.send(tmp_path / "a.txt")
    assert (outcome.status, outcome.error) == ("duplicate", None)


def test_when_asked_too_often_it_waits_as_long_as_it_is_told(api: Api, sender: Sender, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    api.will_refuse("POST /api/v1/upload", 429, "rate_limited", "Slower.", Retry_After="0")
    api.will_refuse("POST /api/v1/upload", 503, "unavailable", "In a moment.", Retry_After="0")
    api.will_answer("POST /api/v1/upload", ACCEPTED)
    assert sender.send(tmp_path / "a.txt").status == "queued"


def test_a_file_the_gateway_has_no_place_for_is_sent_again_whole(api: Api, sender: Sender, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"a" * 100_000)
    api.will_refuse("POST /api/v1/upload", 429, "too_many_uploads", "Wait.", Retry_After="0")
    api.will_refuse("POST /api/v1/upload", 503, "busy", "Wait.", Retry_After="0")
    api.will_refuse("POST /api/v1/upload", 408, "body_too_slow", "Nothing came.", Retry_After="0")
    api.will_answer("POST /api/v1/upload", ACCEPTED)
    assert sender.send(tmp_path / "a.txt").status == "queued"
    assert len(api.asked) == 4
    assert len({asked.size for asked in api.asked}) == 1
    assert all(asked.size > 100_000 for asked in api.asked)


def test_many_at_once_are_never_more_than_the_gateway_takes_of_one_user(
    journal: Journal, seen: Seen, tmp_path: Path
) -> None:
    paths = [tmp_path / f"{number}.txt" for number in range(40)]
    for path in paths:
        path.write_text(path.name)
    gateway, refused = Places("files", per_user=FILES_OF_A_USER, in_all=FILES_IN_ALL), list[str]()
    full = threading.Barrier(STREAMED_AT_ONCE)

    def answer(request: Request) -> Reply:
        try:
            with gateway.one_for("someone"):
                full.wait()  # as many as may are there at once, five times
                while request.read(65536):
                    pass
        except ApiError as error:
            refused.append(error.code)
        body = {"status": "success", "data": ACCEPTED, "error": None, "meta": {}, "trace_id": TRACE}
        return Reply(200, json.dumps(body).encode(), {})

    with WireServer(answer) as server, Client(server.url, "sk_key") as client:
        outcomes = Sender(client, journal, seen).send_all(paths, parallel=32)
    assert [outcome.status for outcome in outcomes] == ["queued"] * 40
    assert refused == []


def test_a_spent_day_is_told_at_once(api: Api, sender: Sender, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    api.will_refuse("POST /api/v1/upload", 429, "daily_quota", "Tomorrow.", Retry_After="40000")
    error = sender.send(tmp_path / "a.txt").error
    assert error is not None
    assert (error.code, len(api.asked)) == ("daily_quota", 1)


def test_what_is_no_file_is_refused_before_it_is_opened(api: Api, sender: Sender, tmp_path: Path) -> None:
    """Whoever opens a pipe waits for somebody to write into it."""
    os.mkfifo(tmp_path / "pipe")
    waiting = threading.Thread(target=lambda: (tmp_path / "pipe").open("wb").close(), daemon=True)
    waiting.start()  # so that this test fails without the check, and does not hang
    outcome = sender.send(tmp_path / "pipe")
    assert outcome.error is not None
    assert (outcome.error.code, api.asked) == ("unreadable", [])
    assert "Not a regular file" in outcome.error.message
    (tmp_path / "pipe").open("rb").close()
    waiting.join()


def test_folders_are_walked_and_what_is_hidden_is_left_out(tmp_path: Path) -> None:
    for name in ("a.txt", "deep/b.txt", ".hidden", ".git/config", "deep/Thumbs.db", "__MACOSX/c.txt"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    named = tmp_path / "in" / ".hidden"
    assert list(files_in([tmp_path / "in", named])) == [tmp_path / "in/a.txt", tmp_path / "in/deep/b.txt", named]


def test_pieces_are_what_the_bucket_wants() -> None:
    assert resumable.PIECE_BYTES % (256 * 1024) == 0
    assert RESUMABLE_FROM <= 32 * MIB
