"""The command line as a person or a program calls it: text, JSON, exit codes."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mmsearch import cli_output, cli_uploading
from mmsearch.sending import Outcome, Refusal
from tests.unit.mmsearch.api import TRACE, UPLOAD_ID, Api

ACCEPTED = {"upload_id": UPLOAD_ID, "job_id": "job_1", "status": "queued", "estimated_time": 2}
STATUS = {
    "upload_id": UPLOAD_ID, "status": "failed", "stage": "analyzer", "progress": 40, "message": "It broke.",
    "filename": "[red]a.txt", "trace_id": TRACE,
    "error": {"code": "timeout", "message": "Took too long.", "advice": "Try again.", "retryable": True},
}  # fmt: skip
FOUND = {
    "upload_id": UPLOAD_ID, "filename": "talk.mp3", "file_type": "audio", "similarity_score": 0.8,
    "created_at": "2026-11-21T10:00:00Z", "summary": "A talk.",
    "moments": [
        {"text": "A talk.", "score": 0.6, "source": "summary"},
        {"text": "about\nsailing", "score": 0.5, "page": None, "start_s": 75.2, "end_s": 80, "source": "speech"},
    ],
}  # fmt: skip


def mmsearch(*words: object, cwd: Path, api: Api | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("MMSEARCH_")}
    env |= {"MMSEARCH_URL": api.url, "MMSEARCH_API_KEY": "sk_key"} if api else {}
    env |= variables
    arguments = [sys.executable, "-m", "mmsearch.cli", *map(str, words)]
    return subprocess.run(arguments, cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_a_system_in_the_working_directory_is_found_by_itself(api: Api, tmp_path: Path) -> None:
    api.will_answer("GET /api/v1/uploads", [])
    for directory in (tmp_path / ".mmsearch", tmp_path / "other dir"):
        directory.mkdir()
        (directory / "env").write_text(
            f"export MMSEARCH_URL={api.url}\nexport MMSEARCH_API_KEY='sk_{directory.name}'\n"
        )
    assert mmsearch("list", cwd=tmp_path).returncode == 0
    assert mmsearch("list", "--data-dir", "other dir", cwd=tmp_path).returncode == 0
    assert [asked.headers["X-API-Key"] for asked in api.asked] == ["sk_.mmsearch", "sk_other dir"]


def test_no_system_is_a_sentence_and_exit_code_2(tmp_path: Path) -> None:
    result = mmsearch("search", "x", cwd=tmp_path)
    assert result.returncode == 2
    assert "No running system was found in .mmsearch" in result.stderr
    assert "Traceback" not in result.stderr


def test_nobody_answering_is_exit_code_3(tmp_path: Path) -> None:
    result = mmsearch("list", cwd=tmp_path, api=Api(url="http://127.0.0.1:1"))
    assert result.returncode == 3
    assert "does not answer" in result.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("MMSEARCH_URL", "127.0.0.1:80", "must begin with http"), ("MMSEARCH_API_KEY", "sk_ü", "no key has")],
)
def test_settings_that_cannot_be_are_told(tmp_path: Path, name: str, value: str, said: str) -> None:
    result = mmsearch("list", cwd=tmp_path, api=Api(url="http://127.0.0.1:1"), **{name: value})
    assert result.returncode == 2
    assert said in result.stderr


def test_a_key_that_is_not_known_is_told_with_what_to_do(api: Api, tmp_path: Path) -> None:
    api.will_refuse("GET /api/v1/uploads", 401, "unauthenticated", "Send a valid API key or bearer token.")
    result = mmsearch("list", cwd=tmp_path, api=api)
    assert result.returncode == 1
    assert "MMSEARCH_API_KEY" in result.stderr


def test_fields_that_are_wrong_are_named(api: Api, tmp_path: Path) -> None:
    details = {"fields": [{"field": "query", "problem": "too short"}]}
    api.will_refuse("POST /api/v1/search", 422, "invalid_request", "Some fields are malformed.", details=details)
    assert "\n  query: too short" in mmsearch("search", "", cwd=tmp_path, api=api).stderr


def test_an_address_may_end_in_the_root_of_the_api(api: Api, tmp_path: Path) -> None:
    api.will_answer("GET /api/v1/uploads", [])
    assert mmsearch("list", cwd=tmp_path, api=api, MMSEARCH_URL=f"{api.url}/api/v1/").returncode == 0


def test_status_of_an_upload(api: Api, tmp_path: Path) -> None:
    api.will_answer(f"GET /api/v1/upload/status/{UPLOAD_ID}", STATUS)
    shown = mmsearch("status", UPLOAD_ID, cwd=tmp_path, api=api).stdout
    assert TRACE in shown
    assert "timeout: Took too long." in shown
    assert "Try again." in shown
    assert "[red]a.txt" in shown
    told = json.loads(mmsearch("status", UPLOAD_ID, "--json", cwd=tmp_path, api=api).stdout)
    assert (told["trace_id"], told["error"]["code"]) == (TRACE, "timeout")


def test_a_text_is_printed_below_its_places_and_a_transcript_behind_its_times(api: Api, tmp_path: Path) -> None:
    written = [
        {"text": "It was [late]", "page": 1},
        {"text": " and cold.", "page": 1, "continues": True},
        {"text": "Morning", "page": 2},
        {"text": "Prices\nCoffee 3", "section": "Prices"},
    ]
    said = [{"text": "Hello", "start_s": 4.0, "end_s": 5.0}, {"text": "again", "start_s": 65.2, "end_s": 70.0}]
    for parts in (written, said, []):
        api.answers.clear()
        api.will_answer(f"GET /api/v1/file/{UPLOAD_ID}/text", {"parts": parts, "next": None})
        printed = mmsearch("text", UPLOAD_ID, cwd=tmp_path, api=api)
        assert (
            printed.stdout
            == {
                4: "[page 1]\nIt was [late] and cold.\n\n[page 2]\nMorning\n\nPrices\nCoffee 3\n\n",
                2: "0:04: Hello\n1:05: again\n",
                0: "",
            }[len(parts)]
        )
        told = json.loads(mmsearch("text", UPLOAD_ID, "--json", cwd=tmp_path, api=api).stdout)
        assert [part["text"] for part in told] == [part["text"] for part in parts]
    assert "Nothing is written or said in it" in printed.stderr


def test_of_a_file_that_is_not_read_its_state_is_told_instead_of_its_text(api: Api, tmp_path: Path) -> None:
    api.will_refuse(f"GET /api/v1/file/{UPLOAD_ID}/text", 404, "not_found", "There is no such file.")
    api.will_answer(f"GET /api/v1/upload/status/{UPLOAD_ID}", STATUS)
    printed = mmsearch("text", UPLOAD_ID, cwd=tmp_path, api=api)
    assert (printed.returncode, printed.stdout, printed.stderr) == (1, "", "Took too long.\n")


def test_a_page_beyond_the_last_and_a_day_that_is_none_are_told_so(api: Api, tmp_path: Path) -> None:
    api.will_answer("POST /api/v1/search", {"results": [], "search_id": "s", "processing_time_ms": 1.5, "total": 1})
    shown = mmsearch("search", "boat", "--offset", 1, cwd=tmp_path, api=api).stdout
    assert shown.startswith("There are no more.\n0 of 1 found")
    refused = mmsearch("search", "boat", "--from", "yesterday", cwd=tmp_path, api=api)
    assert refused.returncode == 2
    assert "yesterday is no day such as 2026-11-21" in " ".join(refused.stderr.replace("│", " ").split())


def test_status_says_what_was_left_out(api: Api, tmp_path: Path) -> None:
    left_out = [{"step": "page 3", "reason": "Drawing the page took too long."}]
    completed = {**STATUS, "status": "completed", "error": None, "result": {"title": "T", "degradations": left_out}}
    api.will_answer(f"GET /api/v1/upload/status/{UPLOAD_ID}", completed)
    shown = mmsearch("status", UPLOAD_ID, cwd=tmp_path, api=api).stdout
    assert "page 3: Drawing the page took too long." in shown
    told = json.loads(mmsearch("status", UPLOAD_ID, "--json", cwd=tmp_path, api=api).stdout)
    assert told["result"]["degradations"] == left_out


STATS = {
    "total_uploads": 12, "uploads_by_status": {"completed": 11, "failed": 1}, "total_storage_bytes": 2048,
    "quota": {"limit": 1000, "used": 3, "resets_at": "2026-11-22T00:00:00Z"},
}  # fmt: skip


def test_status_of_a_system_elsewhere(api: Api, tmp_path: Path) -> None:
    ready = {"status": "ok", "service": "upload-gateway", "checks": {}, "down": [], "notices": []}
    api.will_say("GET /health/ready", 200, ready)
    api.will_say("GET /version", 200, {"service": "upload-gateway", "version": "1.2.0", "revision": "abc123"})
    api.will_answer("GET /api/v1/stats/me", STATS)
    result = mmsearch("status", cwd=tmp_path, api=api)
    assert result.returncode == 0
    for words in (api.url, "ready", "1.2.0 (abc123)", "12, 2.0 KB (11 completed, 1 failed)", "3 of 1000 uploads"):
        assert words in result.stdout, words
    told = json.loads(mmsearch("status", "--json", cwd=tmp_path, api=api).stdout)
    assert (told["readiness"]["status"], told["stats"]["total_uploads"]) == ("ok", 12)


def test_status_of_a_system_elsewhere_that_is_not_well(api: Api, tmp_path: Path) -> None:
    api.will_say("GET /health/ready", 503, {"status": "unavailable", "down": ["database"], "notices": ["no speech"]})
    api.will_say("GET /version", 200, {"service": "upload-gateway", "version": "1.2.0", "revision": "abc123"})
    result = mmsearch("status", cwd=tmp_path, api=api)
    assert result.returncode == 1
    assert "not ready for want of: database" in result.stdout
    assert "no speech" in result.stdout
    elsewhere = mmsearch("status", cwd=tmp_path, api=Api(url="http://127.0.0.1:1"))
    assert elsewhere.returncode == 3


def test_a_refusal_is_its_message_its_code_and_its_trace(api: Api, tmp_path: Path) -> None:
    api.will_refuse(f"GET /api/v1/upload/status/{UPLOAD_ID}", 404, "not_found", "There is no such upload.")
    result = mmsearch("status", UPLOAD_ID, cwd=tmp_path, api=api)
    assert result.returncode == 1
    assert f"There is no such upload. (not_found, trace {TRACE})" in result.stderr


def test_uploads_folders_and_goes_on_after_a_refusal(api: Api, tmp_path: Path) -> None:
    (tmp_path / "in/deep").mkdir(parents=True)
    for name in ("in/a.txt", "in/deep/b.txt", "c.txt"):
        (tmp_path / name).write_text(name)
    api.will_refuse("POST /api/v1/upload", 415, "unsupported_format", "We cannot read this.")
    api.will_answer("POST /api/v1/upload", ACCEPTED)
    result = mmsearch("upload", "--json", "--parallel", 1, "in", "c.txt", cwd=tmp_path, api=api)
    assert result.returncode == 1
    outcomes = json.loads(result.stdout)
    assert [(o["path"], o["error"] and o["error"]["code"]) for o in outcomes] == [
        ("in/a.txt", "unsupported_format"),
        ("in/deep/b.txt", None),
        ("c.txt", None),
    ]


def test_what_became_of_many_files_is_summed_up(api: Api, tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_text(name)
    api.will_refuse("POST /api/v1/upload", 415, "unsupported_format", "We cannot read this.")
    api.will_answer("POST /api/v1/upload", ACCEPTED)
    api.will_answer(f"GET /api/v1/upload/status/{UPLOAD_ID}", STATUS)
    result = mmsearch("upload", "--wait", "--parallel", 1, "a", "b", "c", cwd=tmp_path, api=api)
    assert result.stdout == "3 files: 2 failed, 1 refused.\n"
    assert f"b: Took too long. Try again. (timeout, {UPLOAD_ID})" in result.stderr
    (tmp_path / "empty").mkdir()
    assert mmsearch("upload", "empty", cwd=tmp_path, api=api).stdout == "There is no file in it.\n"


def test_a_name_that_is_no_utf8_is_sent_and_printed_like_any_other(api: Api, tmp_path: Path) -> None:
    for name in (b"a.txt", b"caf\xe9.txt", b"d.txt"):
        (tmp_path / os.fsdecode(name)).write_text("x")
    api.will_refuse("POST /api/v1/upload", 415, "unsupported_format", "We cannot read this.")
    strict = {"PYTHONIOENCODING": "utf-8:strict"}
    result = mmsearch("upload", "--parallel", 1, ".", cwd=tmp_path, api=api, **strict)
    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == ["a.txt", "caf\\xe9.txt", "d.txt"]
    assert result.stdout == "3 files: 3 refused.\n"
    told = mmsearch("upload", "--json", "--parallel", 1, ".", cwd=tmp_path, api=api, **strict).stdout
    assert [outcome["path"] for outcome in json.loads(told)] == ["a.txt", "caf\\xe9.txt", "d.txt"]


def test_what_is_still_read_after_five_minutes_has_not_failed() -> None:
    outcome = Outcome(path="a", upload_id="upl_a", error=Refusal(code="unfinished", message="upl_a is processing"))
    assert cli_uploading.summary([outcome, outcome]) == "2 files: 2 still being read."


def test_files_that_reached_nobody_are_told_and_exit_code_3(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    result = mmsearch("upload", "--json", "a.txt", cwd=tmp_path, api=Api(url="http://127.0.0.1:1"))
    assert result.returncode == 3
    assert json.loads(result.stdout)[0]["error"]["code"] == "unreachable"
    assert "The same command again" in result.stderr


def test_upload_can_wait_until_findable(api: Api, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    api.will_answer("POST /api/v1/upload", ACCEPTED)
    api.will_answer(f"GET /api/v1/upload/status/{UPLOAD_ID}", {**STATUS, "status": "completed", "error": None})
    result = mmsearch("upload", "--wait", "a.txt", cwd=tmp_path, api=api)
    assert result.returncode == 0, result
    assert [line.split()[1] for line in result.stdout.splitlines()] == ["completed"]


def test_a_file_that_cannot_be_waited_for_does_not_stop_the_others(api: Api, tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_text(name)
        api.will_answer("POST /api/v1/upload", {**ACCEPTED, "upload_id": f"upl_{name}"})
    api.will_refuse("GET /api/v1/upload/status/upl_a", 404, "not_found", "There is no such upload.")
    api.will_answer("GET /api/v1/upload/status/upl_b", {**STATUS, "status": "completed", "error": None})
    result = mmsearch("upload", "--wait", "--json", "--parallel", 1, "a", "b", cwd=tmp_path, api=api)
    assert result.returncode == 1
    outcomes = json.loads(result.stdout)
    assert [(o["status"], o["error"] and o["error"]["code"]) for o in outcomes] == [
        ("queued", "not_found"),
        ("completed", None),
    ]


def test_many_are_removed_at_the_pace_the_server_allows(api: Api, tmp_path: Path) -> None:
    api.will_refuse("DELETE /api/v1/upload/a", 429, "rate_limited", "Slower.", Retry_After="1")
    api.will_answer("DELETE /api/v1/upload/a", {})
    api.will_answer("DELETE /api/v1/upload/b", {})
    removed = mmsearch("rm", "a", "b", cwd=tmp_path, api=api)
    assert (removed.returncode, removed.stdout) == (0, "Deleted a.\nDeleted b.\n")


def test_a_long_pause_is_said(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "env").write_text(f"export MMSEARCH_URL={api.url}\nexport MMSEARCH_API_KEY=sk_key\n")
    api.will_refuse("GET /api/v1/uploads", 503, "unavailable", "In a moment.", Retry_After="20")
    api.will_answer("GET /api/v1/uploads", [])
    monkeypatch.setattr("time.sleep", lambda _: None)
    with cli_output.connected(tmp_path) as client:
        client.uploads()
    assert capsys.readouterr().err == "The server is busy or away for the moment: waiting 20 s.\n"


def test_watch_ends_when_what_is_watched_has_ended(api: Api, tmp_path: Path) -> None:
    changed = {"upload_id": UPLOAD_ID, "filename": "a", "created_at": "2026-11-21T10:00:00Z", "error": STATUS["error"]}
    api.will_answer(f"GET /api/v1/upload/status/{UPLOAD_ID}", {**STATUS, "status": "processing", "error": None})
    events = [("hello", {}), ("upload", {**changed, "status": "failed", "progress": 40})]
    stream = "".join(f"event: {name}\nid: 1\ndata: {json.dumps(data)}\n\n" for name, data in events)
    api.answers["GET /api/v1/events"] = [(200, stream.encode())]
    result = mmsearch("watch", UPLOAD_ID, "--json", cwd=tmp_path, api=api)
    assert [json.loads(line)["status"] for line in result.stdout.splitlines()] == ["processing", "failed"]
    assert result.returncode == 1
    assert "Took too long." in mmsearch("watch", UPLOAD_ID, cwd=tmp_path, api=api).stdout


def test_rm_restore_and_retry_go_on_after_a_refusal(api: Api, tmp_path: Path) -> None:
    run = {"upload_id": UPLOAD_ID, "run": 1, "from_stage": "analyzer"}
    api.will_answer("DELETE /api/v1/upload/a", {})
    api.will_refuse("DELETE /api/v1/upload/b", 404, "not_found", "There is no such upload.")
    api.will_answer("POST /api/v1/upload/a/restore", run)
    api.will_answer("POST /api/v1/upload/a/retry", run)
    removed = mmsearch("rm", "b", "a", cwd=tmp_path, api=api)
    assert (removed.returncode, removed.stdout) == (1, "Deleted a.\n")
    assert "b: There is no such upload. (not_found)" in removed.stderr
    assert mmsearch("restore", "a", cwd=tmp_path, api=api).stdout == "Restored a.\n"
    told = json.loads(mmsearch("retry", "a", "--json", cwd=tmp_path, api=api).stdout)
    assert told == [{"upload_id": "a", "error": None}]


def test_a_purge_asks_first(api: Api, tmp_path: Path) -> None:
    api.will_answer("DELETE /api/v1/upload/a", {})
    assert mmsearch("rm", "--purge", "a", cwd=tmp_path, api=api).returncode == 1
    assert api.asked == []
    assert mmsearch("rm", "--purge", "--yes", "a", cwd=tmp_path, api=api).returncode == 0
    assert api.asked[0].path == "/api/v1/upload/a?purge=true"


def test_everything_of_one_cause_is_retried(api: Api, tmp_path: Path) -> None:
    listed = {"filename": "a", "status": "failed", "created_at": "2026-11-21T10:00:00Z"}
    causes = {"a": "timeout", "b": "corrupt"}
    page = [{**listed, "upload_id": i, "error": {"code": code, "message": "…"}} for i, code in causes.items()]
    api.will_answer("GET /api/v1/uploads", page, {"total": 2})
    api.will_answer("POST /api/v1/upload/a/retry", {"upload_id": "a", "run": 1, "from_stage": "analyzer"})
    assert mmsearch("retry", "--failed", "--code", "timeout", cwd=tmp_path, api=api).stdout == "Started a.\n"
    assert mmsearch("retry", cwd=tmp_path, api=api).returncode == 2


def test_open_prints_the_address_at_the_moment(api: Api, tmp_path: Path) -> None:
    signed = {"url": "http://127.0.0.1:1/film.mp4?X=1", "media_type": "video/mp4", "expires_at": "2026-11-21T10:00:00Z"}
    api.will_answer("GET /api/v1/file/a/download", signed)
    shown = mmsearch("open", "a", "--second", "75.5", "--url", cwd=tmp_path, api=api)
    assert shown.stdout == "http://127.0.0.1:1/film.mp4?X=1#t=75.5\n"


def test_download_keeps_what_is_there(api: Api, tmp_path: Path) -> None:
    api.answers["GET /the-bytes"] = [(200, b"the original")]
    signed = {"url": f"{api.url}/the-bytes", "media_type": "text/plain", "expires_at": "2026-11-21T10:00:00Z"}
    api.will_answer("GET /api/v1/file/a/download", signed)
    api.will_answer("GET /api/v1/upload/status/a", {**STATUS, "filename": "../../evil.txt"})
    assert mmsearch("download", "a", cwd=tmp_path, api=api).stdout == "evil.txt\n"
    assert (tmp_path / "evil.txt").read_bytes() == b"the original"
    (tmp_path / "in").mkdir()
    assert mmsearch("download", "a", "-o", "in", cwd=tmp_path, api=api).stdout == "in/evil.txt\n"
    assert "is there already" in mmsearch("download", "a", cwd=tmp_path, api=api).stderr
    assert {p.name for p in tmp_path.iterdir()} == {"evil.txt", "in"}


def test_a_download_replaces_nothing_but_files(api: Api, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    result = mmsearch("download", "a", "-o", "pipe", cwd=tmp_path, api=api)
    assert (result.returncode, api.asked) == (1, [])
    assert "Not a regular file" in result.stderr
    assert (tmp_path / "pipe").is_fifo()


def test_keys_are_made_listed_and_revoked(api: Api, tmp_path: Path) -> None:
    api.will_answer("POST /api/v1/users/me/api-keys", {"key_id": "key_1", "name": "laptop", "key": "sk_new"})
    listed = [{"key_id": "key_1", "name": "[b]", "created_at": "2026-11-21T10:00:00Z", "last_used_at": None}]
    api.will_answer("GET /api/v1/users/me/api-keys", listed)
    api.will_answer("DELETE /api/v1/users/me/api-keys/key_1", None)
    assert mmsearch("key", "create", "laptop", cwd=tmp_path, api=api).stdout == "sk_new\n"
    assert "[b]" in mmsearch("key", "list", cwd=tmp_path, api=api).stdout
    assert mmsearch("key", "revoke", "key_1", cwd=tmp_path, api=api).stdout == "Revoked key_1.\n"
    told = mmsearch("key", "revoke", "key_1", "--json", cwd=tmp_path, api=api).stdout
    assert json.loads(told) == {"key_id": "key_1", "revoked": True}


@pytest.mark.parametrize("size", ["inf", "nan", "1e400", "-1"])
def test_a_size_that_is_none_is_wrong_usage(size: str, tmp_path: Path) -> None:
    assert mmsearch("search", "x", f"--min-mb={size}", cwd=tmp_path).returncode == 2


def test_search_shows_files_and_the_moment(api: Api, tmp_path: Path) -> None:
    answer = {"results": [FOUND], "search_id": "s", "processing_time_ms": 3.2, "processing": 2}
    api.will_answer("POST /api/v1/search", answer)
    shown = mmsearch("search", "sailing", cwd=tmp_path, api=api).stdout
    assert "talk.mp3" in shown
    assert "1:15: about sailing" in shown
    assert "A talk." not in shown
    assert "2 still being processed" in shown
    assert "by words only" not in shown
    assert (
        json.loads(mmsearch("search", "x", "--json", cwd=tmp_path, api=api).stdout)["results"][0]["file_type"]
        == "audio"
    )


def test_a_search_that_went_by_words_alone_says_so_with_and_without_results(api: Api, tmp_path: Path) -> None:
    for results in ([FOUND], []):
        answer = {"results": results, "search_id": "s", "processing_time_ms": 3.2, "degraded": True}
        api.will_answer("POST /api/v1/search", answer)
        assert "by words only" in mmsearch("search", "sailing", cwd=tmp_path, api=api).stdout


def test_a_search_says_what_a_word_was_taken_for(api: Api, tmp_path: Path) -> None:
    answer = {"results": [FOUND], "search_id": "s", "processing_time_ms": 3.2, "corrections": {"sialing": "sailing"}}
    api.will_answer("POST /api/v1/search", answer)
    shown = mmsearch("search", "sialing", cwd=tmp_path, api=api).stdout
    assert "“sialing” taken for “sailing”" in " ".join(shown.split())


def test_search_hands_every_filter_and_the_order_on(api: Api, tmp_path: Path) -> None:
    api.will_answer("POST /api/v1/search", {"results": [], "search_id": "s", "processing_time_ms": 1})
    filters = ["--type", "audio", "--type", "video", "--language", "de", "--from", "2026-01-31", "--no-text"]
    filters += ["--to", "2026-02-01T08:00Z", "--min-mb", "0.5", "--max-mb", "20", "--status", "complete", "--flagged"]
    assert mmsearch("search", "x", "--sort", "-size", *filters, cwd=tmp_path, api=api).returncode == 0
    asked = json.loads(api.asked[0].start)
    assert datetime.fromisoformat(asked["date_to"]) == datetime(2026, 2, 1, 8, tzinfo=UTC)
    assert asked == {
        "query": "x",
        "limit": 10,
        "offset": 0,
        "mode": "hybrid",
        "sort": "-size",
        "file_types": ["audio", "video"],
        "languages": ["de"],
        "date_from": "2026-01-31",
        "date_to": asked["date_to"],
        "min_size_mb": 0.5,
        "max_size_mb": 20.0,
        "has_text": False,
        "status": "complete",
        "include_flagged": True,
    }
    assert mmsearch("search", "x", "--from", "yesterday", cwd=tmp_path, api=api).returncode == 2


def test_search_says_that_nothing_fits(api: Api, tmp_path: Path) -> None:
    api.will_answer("POST /api/v1/search", {"results": [], "search_id": "s", "processing_time_ms": 1})
    assert "No good match." in mmsearch("search", "x", cwd=tmp_path, api=api).stdout


@pytest.mark.parametrize(
    "words",
    [("upload", "missing.txt"), ("up", "--port", "99999"), ("search",), ("nonsense",), ("list", "--type", "odd")],
)
def test_wrong_usage_is_exit_code_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert mmsearch(*words, cwd=tmp_path).returncode == 2


def test_status_and_down_reach_the_local_system(tmp_path: Path) -> None:
    assert mmsearch("status", cwd=tmp_path).returncode == 3
    stopped = mmsearch("down", cwd=tmp_path)
    assert stopped.stdout == f"Nothing is running in {tmp_path / '.mmsearch'}.\n"
