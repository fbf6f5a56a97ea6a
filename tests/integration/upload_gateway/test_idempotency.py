"""The same key and the same body give the same answer and one effect; anything else under the key is refused."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from objectstore.store import BeforeCommit, StoredObject, StoreUnavailableError
from objectstore.testing import MemoryObjectStore
from tests.integration.upload_gateway.conftest import BUCKET, JPEG, Gateway

KEY = {"Idempotency-Key": "a-key-of-mine"}
WISH = {"filename": "a.jpg", "size": 9, "metadata": {"b": 1, "a": 2}}


async def test_an_upload_repeated_is_answered_alike_and_stored_once(gateway: Gateway) -> None:
    first = await gateway.upload(headers=KEY, data={"metadata": '{"a": 1, "b": 2}'})
    again = await gateway.upload(headers=KEY, data={"metadata": '{"b":2,"a":1}'})
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["data"] == again.json()["data"]
    assert "idempotent-replay" not in first.headers
    assert again.headers["idempotent-replay"] == "true"
    assert len(gateway.objects.keys(BUCKET)) == 1
    assert (await gateway.get("/stats/me")).json()["data"]["quota"]["used"] == 1


OTHERS: tuple[dict[str, Any], ...] = (
    {"content": JPEG + b"!"},
    {"filename": "other.jpg"},
    {"data": {"metadata": '{"a": 1}'}},
    {"query": "?on_duplicate=allow"},
)


async def test_another_upload_under_the_same_key_is_refused(gateway: Gateway) -> None:
    assert (await gateway.upload(headers=KEY)).status_code == 202
    for other in OTHERS:
        refused = await gateway.upload(headers=KEY, **other)
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "idempotency_mismatch"), other
    assert len(gateway.objects.keys(BUCKET)) == 1


async def test_sessions_have_keys_of_their_own(gateway: Gateway) -> None:
    assert (await gateway.upload(headers=KEY)).status_code == 202
    first = await gateway.post("/upload/sessions", json=WISH, headers=KEY)
    again = await gateway.post("/upload/sessions", json=WISH | {"metadata": {"a": 2, "b": 1}}, headers=KEY)
    assert (first.status_code, first.json()["data"]) == (again.status_code, again.json()["data"]) != (202, None)
    assert again.headers["idempotent-replay"] == "true"
    other = await gateway.post("/upload/sessions", json=WISH | {"size": 10}, headers=KEY)
    assert other.json()["error"]["code"] == "idempotency_mismatch"
    assert (await gateway.get("/uploads")).json()["meta"]["total"] == 2


async def test_a_key_belongs_to_its_user(gateway: Gateway) -> None:
    first = await gateway.upload(headers=KEY)
    other = await gateway.upload(JPEG + b"!", user="another", headers=KEY)
    assert other.status_code == 202
    assert other.json()["data"]["upload_id"] != first.json()["data"]["upload_id"]
    async with gateway.database.transaction("another") as session:
        assert await session.scalar(text("SELECT count(*) FROM idempotency_keys")) == 1


class Slow(MemoryObjectStore):
    """Stores when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    async def put_stream(
        self, bucket: str, key: str, chunks: AsyncIterator[bytes], media_type: str, metadata: Any, before: BeforeCommit
    ) -> StoredObject:
        self.begun.set()
        await self.go_on.wait()
        return await super().put_stream(bucket, key, chunks, media_type, metadata, before)


async def test_a_second_request_while_the_first_is_at_work_is_told_so(gateway: Gateway) -> None:
    slow = Slow()
    gateway.app.state.resources = replace(gateway.resources, objects=slow)
    first = asyncio.create_task(gateway.upload(headers=KEY))
    await slow.begun.wait()
    second = await gateway.upload(headers=KEY)
    assert (second.status_code, second.json()["error"]["code"]) == (409, "in_progress")
    assert second.headers["retry-after"] == "1"
    slow.go_on.set()
    assert (await first).status_code == 202
    assert (await gateway.upload(headers=KEY)).headers["idempotent-replay"] == "true"
    assert len(slow.keys(BUCKET)) == 1


class Gone(MemoryObjectStore):
    """Storage that is away."""

    async def put(self, *_args: Any, **_kwargs: Any) -> StoredObject:
        raise StoreUnavailableError("gone")


async def test_a_request_that_failed_may_be_tried_again_under_its_key(gateway: Gateway) -> None:
    gateway.app.state.resources = replace(gateway.resources, objects=Gone())
    assert (await gateway.upload(headers=KEY)).status_code == 503
    gateway.app.state.resources = gateway.resources
    assert (await gateway.upload(b"MZ\x90\x00", headers=KEY)).status_code == 415
    again = await gateway.upload(headers=KEY)
    assert again.status_code == 202
    assert "idempotent-replay" not in again.headers


async def test_a_key_is_free_after_a_day_and_after_its_process_died(gateway: Gateway) -> None:
    async def age(by: timedelta) -> None:
        async with gateway.database.transaction("someone") as session:
            statement = "UPDATE idempotency_keys SET expires_at = expires_at - CAST(:by AS interval), "
            statement += "started_at = started_at - CAST(:by AS interval)"
            await session.execute(text(statement), {"by": by})

    await gateway.post("/upload/sessions", json=WISH, headers=KEY)
    await age(timedelta(hours=23))
    assert (await gateway.post("/upload/sessions", json=WISH, headers=KEY)).headers["idempotent-replay"]
    await age(timedelta(hours=2))
    other = await gateway.post("/upload/sessions", json=WISH | {"size": 10}, headers=KEY)
    assert other.status_code == 201
    async with gateway.database.transaction("someone") as session:
        await session.execute(text("UPDATE idempotency_keys SET answer = NULL, fingerprint = NULL"))
    assert (await gateway.post("/upload/sessions", json=WISH, headers=KEY)).status_code == 409
    await age(timedelta(minutes=16))
    assert (await gateway.post("/upload/sessions", json=WISH, headers=KEY)).status_code == 201


async def test_an_unusable_key_is_named(gateway: Gateway) -> None:
    for key in ("", "with blank", "x" * 256, "é"):
        headers = [(b"Idempotency-Key", key.encode("latin-1")), (b"X-API-Key", gateway.keys["someone"].encode())]
        answer = await gateway.client.post("/api/v1/upload/sessions", json=WISH, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_request")
