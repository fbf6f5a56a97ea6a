"""``mmsearch reembed compare``: what it says of a model that covers everything, a part, or nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.mmsearch.api import Api
from tests.unit.mmsearch.test_cli import mmsearch

COMPARISON = "GET /api/v1/search/models/comparison"
MODEL = {
    "model_id": "new", "dimensions": 384, "configured": "next", "answering": False, "users": 2, "dropped": False,
    "files": 0, "passages": 0, "expected": 3, "missing_files": 3, "missing_passages": 9, "missing_tokens": 90,
    "missing_cost_usd": 0.1,
}  # fmt: skip
QUERY = {"query": "rye", "overlap": 0.5, "first_changed": True, "before": ["a.txt"], "after": ["b.txt"]}


def comparison(missing: int, *queries: dict[str, Any]) -> dict[str, Any]:
    return {
        "model_id": "old", "other_model_id": "new", "expected": 203, "missing_files": missing,
        "overlap": 0.5 if queries else 1.0, "unanswered": 0, "first_changed": len(queries), "queries": list(queries),
    }  # fmt: skip


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return tmp_path


def test_a_whole_index_is_compared_without_a_warning(api: Api, here: Path) -> None:
    api.will_answer(COMPARISON, comparison(0, QUERY))
    shown = mmsearch("reembed", "compare", "--model", "new", cwd=here, api=api)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "new covers 203 of 203 files." in shown.stdout
    assert "overlap@20 50%; of 1 queries 1 had their first three changed." in shown.stdout


@pytest.mark.parametrize("how", [(), ("--json",)])
def test_a_part_is_compared_with_a_warning(api: Api, here: Path, how: tuple[str, ...]) -> None:
    api.will_answer(COMPARISON, comparison(153, QUERY))
    shown = mmsearch("reembed", "compare", "--model", "new", *how, cwd=here, api=api)
    assert shown.returncode == 0
    assert "Warning: 153 of your 203 files have no vectors of new yet and are left out" in shown.stderr
    if how:
        assert json.loads(shown.stdout) == comparison(153, QUERY)
    else:
        assert "new covers 50 of 203 files." in shown.stdout


NEITHER = {"query": "zebrafish " * 100, "overlap": 1.0, "first_changed": False, "before": [], "after": []}


def test_what_neither_answers_says_nothing_of_the_other_model(api: Api, here: Path) -> None:
    api.will_answer(COMPARISON, comparison(0, QUERY, NEITHER) | {"unanswered": 1, "first_changed": 1})
    shown = mmsearch("reembed", "compare", "--model", "new", cwd=here, api=api).stdout
    assert "of 2 queries 1 had their first three changed, for 1 neither finds anything." in shown
    assert "100%" not in shown
    assert max(map(len, shown.splitlines())) < 160, "a long query does not make the table wider than a window"


def test_where_neither_answers_anything_there_is_no_figure(api: Api, here: Path) -> None:
    api.will_answer(COMPARISON, comparison(0, NEITHER) | {"unanswered": 1, "first_changed": 0})
    shown = mmsearch("reembed", "compare", "--model", "new", cwd=here, api=api).stdout
    assert "Neither model finds anything" in shown
    assert "100%" not in shown


def test_nothing_is_refused(api: Api, here: Path) -> None:
    api.will_refuse(COMPARISON, 409, "model_covers_nothing", "new has no vectors of your files yet.")
    shown = mmsearch("reembed", "compare", "--model", "new", cwd=here, api=api)
    assert (shown.returncode, shown.stdout) == (1, "")
    assert "model_covers_nothing" in shown.stderr


def test_without_queries_there_is_no_figure(api: Api, here: Path) -> None:
    api.will_answer(COMPARISON, comparison(0))
    shown = mmsearch("reembed", "compare", "--model", "new", cwd=here, api=api).stdout
    assert "nothing yet that could be compared" in shown
    assert "overlap@20 100" not in shown


def test_the_state_of_the_models_is_handed_on_as_the_api_says_it(api: Api, here: Path) -> None:
    api.will_answer("GET /api/v1/search/models", [MODEL])
    told = mmsearch("reembed", "status", "--json", cwd=here, api=api).stdout
    assert told == json.dumps([MODEL], indent=2) + "\n"
    shown = mmsearch("reembed", "status", cwd=here, api=api).stdout
    assert shown.splitlines()[1].split() == ["new", "next", "+2", "users", "0", "0/3", "3", "90", "0.1000"]


def test_switching_and_dropping_say_what_they_did(api: Api, here: Path) -> None:
    switched = {"model_id": "new", "previous_model_id": "old", "missing_files": 1}
    api.will_answer("POST /api/v1/search/models/switch", switched)
    shown = mmsearch("reembed", "switch", "--model", "new", "--force", cwd=here, api=api).stdout
    assert shown.splitlines() == [
        "new answers now; before: old.", "1 files have no vectors of it yet and are found by their words alone.",
    ]  # fmt: skip
    api.will_answer("POST /api/v1/search/models/drop", {"removed_files": 2, "remaining": 1, "wait_s": 0})
    api.will_answer("POST /api/v1/search/models/drop", {"removed_files": 1, "remaining": 0, "wait_s": 0})
    shown = mmsearch("reembed", "drop", "--model", "old", "--yes", cwd=here, api=api).stdout
    assert shown == "The index of old is gone: 3 files.\n"
    told = mmsearch("reembed", "switch", "--model", "new", "--json", cwd=here, api=api).stdout
    assert json.loads(told) == switched
    told = mmsearch("reembed", "drop", "--model", "old", "--yes", "--json", cwd=here, api=api).stdout
    assert json.loads(told) == {"model_id": "old", "removed_files": 1}


def test_filling_waits_for_a_service_that_starts_again(api: Api, here: Path) -> None:
    models, handed = "GET /api/v1/search/models", "POST /api/v1/admin/reembed"
    for missing in (3, 2):
        api.will_answer(models, [{**MODEL, "missing_files": missing}])
    api.will_refuse(models, 503, "unavailable", "The search service is starting.", Retry_After="1")
    api.will_answer(models, [{**MODEL, "missing_files": 0, "missing_cost_usd": 0.0}])
    api.will_answer("POST /api/v1/search/models/admit", {"model_id": "new", "round": 1})
    api.will_answer(handed, {"announced": 0, "matched": 3, "next": None, "wait_s": 0})
    api.will_refuse(handed, 503, "unavailable", "The gateway is starting.", Retry_After="1")
    api.will_answer(handed, {"announced": 3, "matched": None, "next": None, "wait_s": 0})
    shown = mmsearch("reembed", "start", "--model", "new", "--yes", cwd=here, api=api)
    assert (shown.returncode, shown.stderr.count("Error")) == (0, 0), shown.stderr
    assert "new covers all 3 files" in shown.stdout


def test_what_is_refused_is_not_asked_again(api: Api, here: Path) -> None:
    api.will_refuse("GET /api/v1/search/models", 403, "forbidden", "Operators only.")
    assert mmsearch("reembed", "status", "--all", cwd=here, api=api).returncode == 1
    assert len(api.asked) == 1
