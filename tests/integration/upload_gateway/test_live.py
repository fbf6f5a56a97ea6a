"""Live status over server-sent events: what arrives, resuming without a gap, tickets, limits, and how streams end."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from identity.api_keys import hash_api_key
from tests.integration.locks import cut_off_who_waits
from tests.integration.upload_gateway.conftest import Gateway
from tests.integration.upload_gateway.events import dropped, walk
from tests.integration.upload_gateway.live_streams import LiveGateway, served_live


@pytest.fixture
async def live(gateway: Gateway) -> AsyncIterator[LiveGateway]:
    async with served_live(gateway, streams_per_user=3) as running:
        yield running


async def test_a_stream_begins_with_hello_and_shows_every_change_as_the_list_does(live: LiveGateway) -> None:
    upload = dropped("someone/a.jpg")
    async with live.stream() as stream:
        hello = await stream.next()
        assert (hello.event, hello.data) == ("hello", {"id": hello.id, "resumed": False})
        for event in walk(upload):
            await live.gateway.hear(event)
        message = await stream.until(upload.upload_id, "completed")
        listed = (await live.gateway.get("/uploads")).json()["data"]
        assert [message.data] == listed
        await live.gateway.delete(f"/upload/{upload.upload_id}")
        assert (await stream.until(upload.upload_id, "deleted")).data["deleted_at"]


async def test_others_changes_are_not_shown(live: LiveGateway) -> None:
    mine, theirs = dropped("someone/a.jpg"), dropped("another/a.jpg")
    async with live.stream() as stream:
        await stream.next()
        await live.gateway.hear(*walk(theirs))
        await live.gateway.hear(walk(mine)[0])
        assert (await stream.next()).data["upload_id"] == mine.upload_id


async def test_what_changed_while_away_comes_first_and_only_once(live: LiveGateway) -> None:
    seen, missed = dropped("someone/a.jpg"), dropped("someone/b.jpg")
    async with live.stream() as stream:
        await stream.next()
        await live.gateway.hear(*walk(seen))
        last = await stream.until(seen.upload_id, "completed")
    await live.gateway.hear(*walk(missed))
    for headers, query in (({"Last_Event_ID": last.id}, ""), ({}, f"?last_event_id={last.id}")):
        async with live.stream(query=query, **headers) as stream:
            hello = await stream.next()
            assert (hello.id, hello.data["resumed"]) == (last.id, True)
            assert (await stream.next()).data["upload_id"] == missed.upload_id
            await live.gateway.delete(f"/upload/{seen.upload_id}")
            assert (await stream.next()).data["upload_id"] == seen.upload_id


async def test_a_transaction_that_ends_late_is_not_overtaken(live: LiveGateway) -> None:
    """Its id is lower than one already sent; a client that resumes from there must still get it."""
    early, late = dropped("someone/a.jpg"), dropped("someone/b.jpg")
    await live.gateway.hear(walk(early)[0], walk(late)[0])
    change = text("UPDATE uploads SET progress = progress WHERE upload_id = :id")
    async with live.stream() as stream:
        await stream.next()
        async with live.gateway.database.transaction("someone") as slow:
            await slow.execute(change, {"id": late.upload_id})
            async with live.gateway.database.transaction("someone") as quick:
                await quick.execute(change, {"id": early.upload_id})
            while (message := await stream.next()).data["upload_id"] != early.upload_id:
                pass
    async with live.stream(Last_Event_ID=message.id) as stream:
        await stream.next()
        found = {(await stream.next()).data["upload_id"] for _ in range(2)}
        assert found == {early.upload_id, late.upload_id}


async def test_many_changes_come_in_pages_and_none_is_lost(live: LiveGateway) -> None:
    async with live.gateway.database.transaction("someone") as session:
        start = await session.scalar(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text"))
    uploads = [dropped(f"someone/{number}.jpg") for number in range(120)]
    await live.gateway.hear(*(walk(upload)[0] for upload in uploads))
    async with live.stream(Last_Event_ID=str(start)) as stream:
        await stream.next()
        messages = [await stream.next() for _ in uploads]
        assert {m.data["upload_id"] for m in messages} == {u.upload_id for u in uploads}
        assert messages[0].id == start
        assert int(messages[-1].id) > int(start)


async def test_an_upload_whose_row_is_gone_is_shown_as_deleted(live: LiveGateway) -> None:
    upload = dropped("someone/a.jpg")
    async with live.stream() as stream:
        hello = await stream.next()
        await live.gateway.hear(walk(upload)[0])
        await stream.until(upload.upload_id, "processing")
        async with live.gateway.database.transaction("someone") as session:
            await session.execute(text("DELETE FROM uploads"))
        await stream.until(upload.upload_id, "deleted")
    async with live.stream(Last_Event_ID=hello.id) as stream:
        await stream.until(upload.upload_id, "deleted")


async def test_what_another_cluster_wrote_is_no_news(live: LiveGateway) -> None:
    """A restored database brings the numbers of transactions that this cluster has not come to yet."""
    restored, gone, fresh = (dropped(f"someone/{name}.jpg") for name in ("restored", "gone", "fresh"))
    await live.gateway.hear(*walk(restored), walk(gone)[0])
    async with live.gateway.database.transaction("someone") as session:
        await session.execute(text("DELETE FROM uploads WHERE upload_id = :id"), {"id": gone.upload_id})
        await session.execute(text("ALTER TABLE uploads DISABLE TRIGGER note_change"))
        await session.execute(text("UPDATE uploads SET changed = changed + 1000000"))
        await session.execute(text("UPDATE removed_uploads SET changed = changed + 1000000"))
        await session.execute(text("ALTER TABLE uploads ENABLE TRIGGER note_change"))
    async with live.stream() as stream:
        await stream.next()
        for event in walk(fresh):
            await live.gateway.hear(event)
        while (message := await stream.next()).data["status"] != "completed":
            assert message.data["upload_id"] == fresh.upload_id
        assert message.data["upload_id"] == fresh.upload_id
        await live.gateway.delete(f"/upload/{restored.upload_id}")
        assert (await stream.until(restored.upload_id, "deleted")).data["deleted_at"]


@pytest.mark.parametrize("position", ["999999999999999999", "-1", "nonsense", "1;DROP"])
async def test_a_position_that_is_not_ours_begins_at_now(live: LiveGateway, position: str) -> None:
    async with live.stream(Last_Event_ID=position) as stream:
        assert (await stream.next()).data["resumed"] is False


async def test_without_a_valid_credential_there_is_no_stream(live: LiveGateway) -> None:
    for headers, query in (({}, ""), ({"X-API-Key": "sk_x"}, ""), ({}, "?ticket=tkt_made_up")):
        answer = await live.client.get(f"/api/v1/events{query}", headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthenticated")


async def test_a_ticket_opens_one_stream(live: LiveGateway) -> None:
    answer = await live.gateway.post("/events/ticket")
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    ticket = answer.json()["data"]["ticket"]
    async with live.stream(None, f"?ticket={ticket}") as stream:
        assert (await stream.next()).event == "hello"
    assert (await live.client.get(f"/api/v1/events?ticket={ticket}")).status_code == 401


async def test_an_old_ticket_opens_nothing_and_is_forgotten(live: LiveGateway) -> None:
    ticket = (await live.gateway.post("/events/ticket")).json()["data"]["ticket"]
    async with live.gateway.database.transaction() as session:
        await session.execute(text("UPDATE stream_tickets SET expires_at = now() - interval '1 second'"))
    assert (await live.client.get(f"/api/v1/events?ticket={ticket}")).status_code == 401
    await live.gateway.post("/events/ticket")
    async with live.gateway.database.transaction() as session:
        assert await session.scalar(text("SELECT count(*) FROM stream_tickets")) == 1
        assert ticket not in str((await session.execute(text("SELECT * FROM stream_tickets"))).all())


async def test_streams_are_counted_per_user(live: LiveGateway) -> None:
    async with live.stream(), live.stream(), live.stream(), live.stream("another"):
        full = await live.client.get("/api/v1/events", headers=live.gateway.headers())
        assert (full.status_code, full.json()["error"]["code"]) == (429, "too_many_streams")
        assert full.headers["retry-after"]
    await live.until_free(3)


@pytest.mark.parametrize("by_ticket", [False, True])
@pytest.mark.parametrize("act", ["UPDATE users SET status = 'suspended'", "DELETE FROM api_keys"])
async def test_a_stream_ends_with_its_credential(live: LiveGateway, act: str, by_ticket: bool) -> None:
    ticket = (await live.gateway.post("/events/ticket")).json()["data"]["ticket"]
    async with live.stream(*((None, f"?ticket={ticket}") if by_ticket else ("someone",))) as stream:
        await stream.next()
        async with live.gateway.database.transaction() as session:
            await session.execute(text(act))
        with pytest.raises(EOFError):
            await stream.end()


async def test_a_ticket_of_a_revoked_key_opens_nothing(live: LiveGateway) -> None:
    ticket = (await live.gateway.post("/events/ticket")).json()["data"]["ticket"]
    sha256 = hash_api_key(live.gateway.keys["someone"])
    async with live.gateway.database.transaction() as session:
        await session.execute(text("DELETE FROM api_keys WHERE sha256 = :sha256"), {"sha256": sha256})
    async with asyncio.timeout(10):
        while await live.gateway.resources.authenticator.still_admits("someone", sha256):
            await asyncio.sleep(0.01)
    assert (await live.client.get(f"/api/v1/events?ticket={ticket}")).status_code == 403


async def test_a_lost_connection_to_the_database_is_made_anew_and_nothing_is_missed(live: LiveGateway) -> None:
    upload = dropped("someone/a.jpg")
    async with live.stream() as stream:
        await stream.next()
        async with live.gateway.database.transaction() as session:
            lost = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'live_changes'"
            assert (await session.execute(text(lost))).all() == [(True,)]
        await live.gateway.hear(*walk(upload))
        await stream.until(upload.upload_id, "completed")


async def test_an_outage_in_the_midst_of_a_reading_loses_no_removal(live: LiveGateway) -> None:
    upload, database = dropped("someone/a.jpg"), live.gateway.database
    async with live.stream() as stream:
        hello = await stream.next()
    await live.gateway.hear(walk(upload)[0])
    async with database.transaction("someone") as session:
        await session.execute(text("DELETE FROM uploads"))
    async with database.transaction() as holding:
        await holding.execute(text("LOCK TABLE removed_uploads IN ACCESS EXCLUSIVE MODE"))
        async with live.stream(Last_Event_ID=hello.id) as stream:
            assert (await stream.next()).data["resumed"] is True
            await cut_off_who_waits(database)
            await holding.commit()
            assert (await stream.next()).data["status"] == "deleted"


async def test_no_database_connection_is_held_by_waiting_streams(live: LiveGateway) -> None:
    async with live.stream() as one, live.stream() as other:
        await one.next()
        await other.next()
        async with asyncio.timeout(10):
            while live.gateway.database.engine.pool.checkedout():  # type: ignore[attr-defined]
                await asyncio.sleep(0.01)
