"""The commands of the person on call: what they ask, batch after batch, and what they print."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.mmsearch.api import UPLOAD_ID, Api
from tests.unit.mmsearch.test_cli import mmsearch

LETTER = {
    "letter_id": "l-1", "subscription": "analyzer.media.processed.v1", "topic": "media.processed.v1",
    "upload_id": UPLOAD_ID, "user_id": "eve", "generation": 1, "run": 0, "code": "timeout", "reason": "[slow]",
    "attempts": 5, "status": "waiting", "deaths": 2, "redrives": 1, "first_died_at": "2026-11-21T07:00:00Z",
    "died_at": "2026-11-21T08:00:00.125Z", "settled_at": None,
}  # fmt: skip
GROUP = {
    "code": "network", "stage": "analyzer", "kind": None, "uploads": 3, "users": 1, "first": "2026-11-20T08:00:00Z",
    "latest": "2026-11-21T08:00:00Z", "example": UPLOAD_ID, "message": "The network is away.", "advice": "Try again.",
    "retryable": True,
}  # fmt: skip


def as_json(answer: Any) -> str:
    """What ``--json`` prints: every field, in the order and spelling of the API."""
    return json.dumps(answer, indent=2, ensure_ascii=False) + "\n"


def bodies(api: Api) -> list[Any]:
    return [json.loads(asked.start) for asked in api.asked if asked.method == "POST"]


def test_letters_are_listed_with_their_causes(api: Api, tmp_path: Path) -> None:
    cause = {
        "subscription": "analyzer.media.processed.v1", "code": "timeout", "letters": 7,
        "oldest": "2026-11-21T08:00:00+00:00", "reason": "[slow]",
    }  # fmt: skip
    api.will_answer("GET /api/v1/admin/dead-letters", [LETTER], {"total": 7, "causes": [cause]})
    shown = mmsearch("dlq", "list", "--older-than", "2h", "--code", "timeout", cwd=tmp_path, api=api).stdout
    assert "1 of 7" in shown
    assert "l-1" in shown
    assert "older_than_s=7200" in api.asked[0].path
    told = mmsearch("dlq", "list", "--json", cwd=tmp_path, api=api).stdout
    assert told == as_json({"letters": [LETTER], "total": 7, "causes": [cause]})


def test_a_letter_is_shown_whole(api: Api, tmp_path: Path) -> None:
    whole = {"letter": LETTER, "attributes": {"ce-id": "e-1"}, "data": "{}", "encoding": "text"}
    api.will_answer("GET /api/v1/admin/dead-letters/l-1", whole)
    assert mmsearch("dlq", "show", "l-1", cwd=tmp_path, api=api).stdout == as_json(whole)


def test_an_answer_that_is_not_what_was_agreed_is_named_and_no_traceback(api: Api, tmp_path: Path) -> None:
    api.will_answer("GET /api/v1/admin/failures", [{name: GROUP[name] for name in GROUP if name != "advice"}])
    result = mmsearch("failures", cwd=tmp_path, api=api)
    assert result.returncode == 1
    assert "The answer is not what this client expects (0.advice)" in result.stderr


def test_redrive_goes_to_the_end_of_the_list_also_past_letters_that_cannot_be_sent(api: Api, tmp_path: Path) -> None:
    path = "POST /api/v1/admin/dead-letters/redrive"
    api.will_answer(path, {"redriven": [], "skipped": {"a": "unreadable"}, "remaining": 3, "next": "a", "wait_s": 0})
    api.will_answer(path, {"redriven": [], "skipped": {"b": "superseded"}, "remaining": 2, "next": "b", "wait_s": 0})
    api.will_answer(path, {"redriven": ["c"], "skipped": {}, "remaining": 1, "next": None, "wait_s": 0})
    result = mmsearch("dlq", "redrive", "--code", "timeout", cwd=tmp_path, api=api)
    assert result.returncode == 0, result
    assert "a not sent: unreadable" in result.stdout
    assert "1 sent again, 2 not." in result.stdout
    assert bodies(api) == [{"code": "timeout", "ids": [], "after": after} for after in ("", "a", "b")]


def test_discard_asks_first(api: Api, tmp_path: Path) -> None:
    done = {"discarded": ["a"], "skipped": {}, "remaining": 0, "next": None}
    api.will_answer("POST /api/v1/admin/dead-letters/discard", done)
    assert mmsearch("dlq", "discard", "a", cwd=tmp_path, api=api).returncode == 1
    assert api.asked == []
    assert "1 discarded." in mmsearch("dlq", "discard", "a", "--yes", cwd=tmp_path, api=api).stdout
    told = mmsearch("dlq", "discard", "a", "--yes", "--json", cwd=tmp_path, api=api).stdout
    assert json.loads(told) == {"discarded": ["a"], "skipped": {}}


@pytest.mark.parametrize(
    ("command", "done"),
    [
        (("redrive",), {"redriven": [], "wait_s": 0}),
        (("redrive", "--json"), {"redriven": [], "wait_s": 0}),
        (("discard", "--yes"), {"discarded": []}),
    ],
)
def test_a_letter_named_in_vain_fails_the_command(
    api: Api, tmp_path: Path, command: tuple[str, ...], done: dict[str, Any]
) -> None:
    answer = {"skipped": {"nope": "not_waiting"}, "remaining": 0, "next": None} | done
    api.will_answer(f"POST /api/v1/admin/dead-letters/{command[0]}", answer)
    result = mmsearch("dlq", *command, "nope", cwd=tmp_path, api=api)
    assert result.returncode == 1
    assert "not_waiting" in result.stdout


def test_failures_are_everyones_for_operators_and_ones_own_for_others(api: Api, tmp_path: Path) -> None:
    api.will_refuse("GET /api/v1/admin/failures", 403, "forbidden", "Only operators may do this.")
    api.will_answer("GET /api/v1/failures", [GROUP])
    shown = mmsearch("failures", cwd=tmp_path, api=api).stdout
    assert "Try again." in shown
    assert mmsearch("failures", "--mine", "--json", cwd=tmp_path, api=api).stdout == as_json([GROUP])
    assert [asked.path for asked in api.asked] == [
        "/api/v1/admin/failures", "/api/v1/failures", "/api/v1/failures",
    ]  # fmt: skip


def test_reprocess_follows_its_batches(api: Api, tmp_path: Path) -> None:
    path = "POST /api/v1/admin/reprocess"
    api.will_answer(path, {"matched": 3, "started": ["a", "b"], "skipped": {}, "next": UPLOAD_ID, "wait_s": 0})
    api.will_answer(path, {"matched": 1, "started": [], "skipped": {"c": "not_ready"}, "next": None, "wait_s": 0})
    result = mmsearch("reprocess", "--kind", "image", "--since", "2026-11-21T08:00Z", cwd=tmp_path, api=api)
    assert "3 fit, 2 started, 1 not." in result.stdout, result
    first, second = bodies(api)
    assert (first["after"], second["after"], first["since"]) == ("", UPLOAD_ID, "2026-11-21T08:00:00+00:00")


def test_reconcile_walks_to_the_end(api: Api, tmp_path: Path) -> None:
    path = "POST /api/v1/admin/reconcile"
    finding = {
        "problem": "missing",
        "name": "someone/a.jpg",
        "upload_id": None,
        "generation": 1,
        "known_generation": None,
    }
    following = {"phase": "artifacts", "after": ""}
    api.will_answer(path, {"phase": "uploads", "examined": 4, "findings": [finding], "announced": 1, "next": following})
    api.will_answer(path, {"phase": "artifacts", "examined": 2, "findings": [], "announced": 0, "next": None})
    result = mmsearch("reconcile", "--fix", cwd=tmp_path, api=api)
    assert "6 names examined, 1 differ, 1 event published." in result.stdout, result
    assert bodies(api) == [{"fix": True, "cursor": {}}, {"fix": True, "cursor": following}]
    told = mmsearch("reconcile", "--json", cwd=tmp_path, api=api).stdout
    assert told == as_json({"examined": 2, "announced": 0, "findings": []})


def test_reconcile_hands_on_what_differs_as_the_api_says_it(api: Api, tmp_path: Path) -> None:
    finding = {"problem": "orphaned", "name": "a", "upload_id": "u", "generation": None, "known_generation": 7}
    answer = {"phase": "users", "examined": 1, "findings": [finding], "announced": 0, "next": None}
    api.will_answer("POST /api/v1/admin/reconcile", answer)
    told = mmsearch("reconcile", "--json", cwd=tmp_path, api=api).stdout
    assert told == as_json({"examined": 1, "announced": 0, "findings": [finding]})


def test_users_are_suspended(api: Api, tmp_path: Path) -> None:
    api.will_answer("POST /api/v1/admin/users/eve/suspend", {"user_id": "eve", "status": "suspended"})
    assert "eve is suspended." in mmsearch("users", "suspend", "eve", cwd=tmp_path, api=api).stdout
    told = mmsearch("users", "suspend", "eve", "--json", cwd=tmp_path, api=api).stdout
    assert told == as_json({"user_id": "eve", "status": "suspended"})


@pytest.mark.parametrize(
    "words",
    [
        *(("dlq", "list", "--older-than", "soon"), ("reprocess", "--since", "yesterday")),
        *(("failures", "--since", "99999999999d"), ("failures", "--since", "0001-01-01")),
    ],
)
def test_what_is_no_time_is_wrong_usage(api: Api, tmp_path: Path, words: tuple[str, ...]) -> None:
    result = mmsearch(*words, cwd=tmp_path, api=api)
    assert result.returncode == 2
    assert "is no " in result.stderr
