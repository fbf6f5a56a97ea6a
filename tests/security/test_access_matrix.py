"""Every operation of the OpenAPI documents, asked by nobody, by another user and by a suspended one, for what exists
and for what does not: another's id answers exactly like a missing one, and nothing of another ever shows.
"""

import asyncio
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from contracts.identifiers import new_upload_id
from database.engine import Database
from identity.api_keys import hash_api_key
from tests.contracts.openapi import documents
from tests.pipeline.local_system import LocalSystem, data_of, wait_for
from upload_gateway.announcing import announce_user
from upload_gateway.store import users

OPEN = {("get", "/api/v1/auth/config"), ("post", "/api/v1/auth/local")}
CANARY = "zebrafinch"
METHODS = ("get", "put", "post", "delete")
ENDLESS = "/api/v1/events"

OPERATIONS = sorted(
    (method, path)
    for document in documents().values()
    for path, methods in document["paths"].items()
    for method in methods
    if method in METHODS
)
WITH_ID = [(method, path) for method, path in OPERATIONS if "{" in path]
WITH_BODY = sorted(
    (method, path)
    for document in documents().values()
    for path, methods in document["paths"].items()
    for method, operation in methods.items()
    if "requestBody" in operation
)
LISTS = [(method, path) for method, path in OPERATIONS if "{" not in path and method == "get"]


@dataclass(frozen=True)
class Stage:
    """A system with an owner who has things, a stranger with nothing and a suspended one."""

    url: str
    owner: str
    stranger: str
    suspended: str
    ids: dict[str, str]

    def ask(self, key: str | None, method: str, path: str) -> httpx2.Response:
        headers = {"X-API-Key": key} if key else {}
        body = BODIES.get((method, path.partition("?")[0]))
        with httpx2.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False) as http:
            if path != ENDLESS:
                return http.request(method, path, json=body)
            with http.stream(method, path) as answer:  # a good answer never ends
                if not answer.is_success:
                    answer.read()
                return answer


BODIES: dict[tuple[str, str], Any] = {
    ("post", "/api/v1/search"): {"query": CANARY},
    ("post", "/api/v1/users/me/api-keys"): {"name": "mine"},
    ("put", "/api/v1/users/me"): {"display_name": None},
    ("put", "/api/v1/users/me/preferences"): {},
}


@pytest.fixture(scope="module")
def stage(system: LocalSystem, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    keys = {name: "sk_" + secrets.token_urlsafe(32) for name in ("stranger", "suspended")}
    asyncio.run(_make_users(system, keys))
    note = tmp_path_factory.mktemp("access") / f"{CANARY}.txt"
    note.write_text(f"The {CANARY} sings before dawn. {secrets.token_hex(8)}")
    upload_id = data_of(system.upload(note))["upload_id"]
    system.until_final(upload_id)
    with system.http() as http:
        key_id = data_of(http.get("/api/v1/users/me/api-keys"))[0]["key_id"]
        search_id = data_of(http.post("/api/v1/search", json={"query": CANARY}))["search_id"]
    ids = {
        "upload_id": upload_id,
        "job_id": upload_id.replace("upl_", "job_"),
        "key_id": key_id,
        "search_id": search_id,
        "user_id": system.variables["MMSEARCH_USER_ID"],
        "letter_id": "0" * 32,
    }
    made = Stage(system.url, system.variables["MMSEARCH_API_KEY"], keys["stranger"], keys["suspended"], ids)
    for method, path in (("get", "/api/v1/stats/me"), ("get", "/api/v1/search/history")):
        wait_for(lambda m=method, p=path: made.ask(made.stranger, m, p).status_code == 200)
        wait_for(lambda m=method, p=path: made.ask(made.suspended, m, p).status_code == 403)
    yield made
    # Nothing that was tried has touched what is the owner's.
    assert system.status(upload_id)["status"] == "completed"
    assert [found["filename"] for found in system.search(CANARY)] == [note.name]
    with system.http() as http:
        assert key_id in {key["key_id"] for key in data_of(http.get("/api/v1/users/me/api-keys"))}
        assert any(search["search_id"] == search_id for search in data_of(http.get("/api/v1/search/history")))


async def _make_users(system: LocalSystem, keys: dict[str, str]) -> None:
    url = system.variables["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://", 1)
    database = Database(url, "upload_gateway")
    try:
        for name, key in keys.items():
            user_id = f"access-{name}-{secrets.token_hex(4)}"
            async with database.transaction(user_id) as session:
                await users.add_user(session, user_id, tier="pro", operator=False)
                await users.add_key(session, f"key_{secrets.token_hex(10)}", user_id, hash_api_key(key), name)
                if name == "suspended":
                    suspend = text("UPDATE users SET status = 'suspended' WHERE user_id = :user_id")
                    await session.execute(suspend, {"user_id": user_id})
                await announce_user(session, user_id)
    finally:
        await database.close()


def missing_ids() -> dict[str, str]:
    """Well formed, of nothing."""
    upload_id = new_upload_id("access-nobody", secrets.token_hex(4))
    return {
        "upload_id": upload_id,
        "job_id": upload_id.replace("upl_", "job_"),
        "key_id": "key_" + secrets.token_hex(10),
        "search_id": "0199a0de-0000-7000-8000-000000000000",
        "user_id": "nobody-" + secrets.token_hex(4),
        "letter_id": "f" * 32,
    }


def essence(response: httpx2.Response, ids: dict[str, str]) -> tuple[int, Any]:
    """Status and body without what differs from request to request; ids are told apart only by their kind."""
    body = response.text
    for kind, value in ids.items():
        body = body.replace(value, f"<{kind}>")
    told = json.loads(body) if body else {}
    return response.status_code, {name: told.get(name) for name in ("status", "data", "error", "meta")}


@pytest.mark.parametrize(("method", "path"), WITH_ID, ids=lambda value: value)
def test_anothers_id_answers_exactly_like_a_missing_one(stage: Stage, method: str, path: str) -> None:
    existing, missing = stage.ids, missing_ids()
    query = "?from_stage=analyzer" if path.startswith("/api/v1/process/") else ""
    for key, status in ((stage.stranger, {403, 404}), (stage.suspended, {403}), (None, {401})):
        of_another = essence(stage.ask(key, method, path.format(**existing) + query), existing)
        of_nobody = essence(stage.ask(key, method, path.format(**missing) + query), missing)
        assert of_another == of_nobody
        assert of_another[0] in status, of_another


@pytest.mark.parametrize(("method", "path"), sorted(set(OPERATIONS) - set(WITH_ID) - OPEN), ids=lambda value: value)
def test_nobody_and_the_suspended_are_let_into_nothing(stage: Stage, method: str, path: str) -> None:
    assert stage.ask(None, method, path).status_code == 401
    assert stage.ask(stage.suspended, method, path).status_code == 403


@pytest.mark.parametrize(("method", "path"), [op for op in LISTS if op[1] != ENDLESS], ids=lambda value: value)
def test_nothing_of_another_shows_in_a_list(stage: Stage, method: str, path: str) -> None:
    told = stage.ask(stage.stranger, method, path).text
    assert CANARY not in told
    assert not any(stage.ids[kind] in told for kind in ("upload_id", "key_id", "search_id", "user_id"))


def test_nothing_of_another_is_found_changed_or_rated(stage: Stage) -> None:
    def asked(path: str, body: Any) -> httpx2.Response:
        with httpx2.Client(base_url=stage.url, headers={"X-API-Key": stage.stranger}, trust_env=False) as http:
            return http.post(path, json=body)

    found = data_of(asked("/api/v1/search", {"query": CANARY}))
    assert (found["results"], found["total"]) == ([], 0)
    for action in ("delete", "retry", "restore"):
        answers = []
        for ids in (stage.ids, missing_ids()):
            batch = asked("/api/v1/uploads/batch", {"action": action, "upload_ids": [ids["upload_id"]]})
            answers.append(essence(batch, ids))
        assert answers[0] == answers[1]
    answers = []
    for ids in (stage.ids, missing_ids()):
        wish = {"search_id": ids["search_id"], "upload_id": ids["upload_id"], "rating": 1}
        answers.append(essence(asked("/api/v1/feedback", wish), ids))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404


@pytest.mark.parametrize("path", sorted(path for method, path in OPERATIONS if method == "get"))
def test_asking_about_by_head_answers_as_get_does(stage: Stage, path: str) -> None:
    path = path.format(**stage.ids)
    for key in (stage.owner, stage.stranger, None):
        head = stage.ask(key, "head", path)
        if path == ENDLESS:
            assert head.status_code == 405
            continue
        got = stage.ask(key, "get", path)
        assert (head.status_code, head.content) == (got.status_code, b"")
        assert head.headers.get("content-type") == got.headers.get("content-type")


@pytest.mark.parametrize(("method", "path"), WITH_BODY, ids=lambda value: value)
def test_what_nobody_sends_is_not_read(stage: Stage, method: str, path: str) -> None:
    for body in (b"{", b" " * 20_000_000):
        headers = {"Content-Type": "application/json"}
        answer = httpx2.request(method, stage.url + path, content=body, headers=headers, trust_env=False)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthenticated")


def test_the_matrix_covers_every_operation() -> None:
    assert len(OPERATIONS) > 40
