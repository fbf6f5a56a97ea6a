"""Live status over WebSockets, directly and through the router."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from sqlalchemy import text
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from localcloud.router import Backend, Route, Router
from tests.integration.locks import cut_off_who_waits, until_one_waits, until_waiting
from tests.integration.upload_gateway.conftest import Gateway
from tests.integration.upload_gateway.events import dropped, walk
from tests.integration.upload_gateway.live_streams import PATIENCE_S, LiveGateway, Stream, served_live, serving


@pytest.fixture
async def live(gateway: Gateway) -> AsyncIterator[LiveGateway]:
    async with served_live(gateway, streams_per_user=2) as running:
        yield running


@pytest.fixture(params=["direct", "router"])
async def port(request: pytest.FixtureRequest, live: LiveGateway) -> AsyncIterator[int]:
    """The gateway's own port, and the router's in front of it."""
    if request.param == "direct":
        yield live.port
        return
    router = Router((Route("", Backend("gateway", live.port)),))
    async with serving(router, ws=router.websockets, http="httptools") as port:
        yield port


def opened(port: int, query: str = "", **options: Any) -> connect:
    return connect(f"ws://127.0.0.1:{port}/api/v1/ws{query}", proxy=None, open_timeout=PATIENCE_S, **options)


async def heard(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        return json.loads(await socket.recv())


async def until(socket: ClientConnection, upload_id: str, status: str) -> dict[str, Any]:
    while True:
        message = await heard(socket)
        data = message["data"]
        if message["event"] == "upload" and (data["upload_id"], data["status"]) == (upload_id, status):
            return message


async def test_the_same_messages_as_over_server_sent_events(live: LiveGateway, port: int) -> None:
    upload, later = dropped("someone/a.jpg"), dropped("someone/b.jpg")
    async with opened(port, additional_headers=live.gateway.headers()) as socket:
        assert (await heard(socket))["event"] == "hello"
        await live.gateway.hear(*walk(upload))
        last = await until(socket, upload.upload_id, "completed")
        assert [last["data"]] == (await live.gateway.get("/uploads")).json()["data"]
    await live.gateway.hear(*walk(later))
    async with opened(port, f"?last_event_id={last['id']}", additional_headers=live.gateway.headers()) as socket:
        assert (await heard(socket))["data"]["resumed"] is True
        await until(socket, later.upload_id, "completed")


async def test_server_sent_events_come_through_the_router(live: LiveGateway, port: int) -> None:
    upload = dropped("someone/a.jpg")
    async with httpx2.AsyncClient(timeout=PATIENCE_S, trust_env=False) as client:
        url = f"http://127.0.0.1:{port}/api/v1/events"
        async with client.stream("GET", url, headers=live.gateway.headers()) as response:
            stream = Stream(response)
            assert (await stream.next()).event == "hello"
            await live.gateway.hear(*walk(upload))
            await stream.until(upload.upload_id, "completed")


async def test_a_credential_may_come_as_subprotocol_or_ticket(live: LiveGateway, port: int) -> None:
    token = (await live.gateway.post("/auth/local")).json()["data"]["token"]
    for offered, chosen in (
        ([f"bearer.{token}"], f"bearer.{token}"),
        (["mmsearch.v1", f"bearer.{token}"], "mmsearch.v1"),
        (["mmsearch.v1", f"bearer.{live.gateway.keys['someone']}"], "mmsearch.v1"),
    ):
        async with opened(port, subprotocols=offered) as socket:
            assert socket.subprotocol == chosen
            assert (await heard(socket))["event"] == "hello"
    ticket = (await live.gateway.post("/events/ticket")).json()["data"]["ticket"]
    async with opened(port, f"?ticket={ticket}") as socket:
        assert (await heard(socket))["event"] == "hello"


async def test_refusals_are_answers_in_the_envelope(live: LiveGateway, port: int) -> None:
    assert await refused(port) == (401, "unauthenticated")
    assert await refused(port, subprotocols=["bearer.nonsense"]) == (401, "unauthenticated")
    headers = live.gateway.headers()
    async with opened(port, additional_headers=headers) as one, opened(port, additional_headers=headers) as other:
        await heard(one)
        await heard(other)
        assert await refused(port, additional_headers=headers) == (429, "too_many_streams")


async def refused(port: int, **options: Any) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as refusal:
        async with opened(port, **options):
            pass
    body = refusal.value.response.body
    assert body is not None
    return refusal.value.response.status_code, json.loads(body)["error"]["code"]


async def test_suspension_closes_the_socket(live: LiveGateway, port: int) -> None:
    async with opened(port, additional_headers=live.gateway.headers()) as socket:
        await heard(socket)
        async with live.gateway.database.transaction() as session:
            await session.execute(text("UPDATE users SET status = 'suspended'"))
        with pytest.raises(ConnectionClosed) as closed:
            await until(socket, "no such upload", "ever")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008


async def test_an_outage_when_the_stream_ends_says_come_back_later(live: LiveGateway, port: int) -> None:
    """The stream asks twice whether its key is good: whether to go on, and how to end. Here only the second fails."""
    database, lock = live.gateway.database, text("LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE")
    async with opened(port, additional_headers=live.gateway.headers()) as socket:
        await heard(socket)
        async with database.transaction() as second:
            async with database.transaction() as first:
                await first.execute(lock)
                await first.execute(text("DELETE FROM api_keys"))
                live.gateway.resources.authenticator.forget_user("someone")
                await live.gateway.hear(walk(dropped("someone/a.jpg"))[0])
                await until_one_waits(database)
                next_in_line = asyncio.create_task(second.execute(lock))
                await until_waiting(database, 2)
            await next_in_line
            await cut_off_who_waits(database)
        with pytest.raises(ConnectionClosed) as closed:
            await until(socket, "no such upload", "ever")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1013


async def test_what_a_client_sends_changes_nothing(live: LiveGateway, port: int) -> None:
    upload = dropped("someone/a.jpg")
    async with opened(port, additional_headers=live.gateway.headers()) as socket:
        await heard(socket)
        for _ in range(5):
            await socket.send("x" * 10_000)
        await live.gateway.hear(*walk(upload))
        await until(socket, upload.upload_id, "completed")


async def test_a_missing_backend_refuses_the_handshake() -> None:
    router = Router((Route("", Backend("gateway", 1)),))
    async with serving(router, ws=router.websockets, http="httptools") as port:
        with pytest.raises(InvalidStatus) as refusal:
            async with opened(port):
                pass
        assert refusal.value.response.status_code == 503


async def test_a_slot_is_free_again_when_a_client_is_gone(live: LiveGateway, port: int) -> None:
    for _ in range(5):
        async with opened(port, additional_headers=live.gateway.headers()) as socket:
            await heard(socket)
        await live.until_free(2)
