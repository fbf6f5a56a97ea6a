"""Dead letters: kept whole, sent again to exactly where they died, at most once each, by operators alone."""

import json
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from contracts.artifacts import Service, StoredEvent
from contracts.envelope import Envelope
from contracts.events import DeadLetterV1, MediaFailedV1, MediaProcessedV1, UploadDeletedV1
from contracts.topology import DEAD_LETTER_SOURCE, subscription
from eventing import codec
from eventing.codec import DEAD_LETTER_CODE, DEAD_LETTER_COUNT, DEAD_LETTER_REASON, ONLY_FOR, REDRIVE
from tests.integration.upload_gateway.conftest import Gateway
from tests.integration.upload_gateway.events import NOW, dropped, walk
from upload_gateway.metrics import watching

ANALYZER = subscription(Service.ANALYZER, MediaProcessedV1).name


def message(name: str = "someone/a.jpg", generation: int = 5) -> StoredEvent:
    processed = walk(dropped(name, generation))[1]
    return codec.encode(
        processed, event_id=f"processed {name}", source=Service.MEDIA_PROCESSOR, time=NOW, trace={"traceparent": "t"}
    )


def died(
    original: StoredEvent, on: str = ANALYZER, code: str = "timeout", data: bytes | None = None, **more: str
) -> Envelope[DeadLetterV1]:
    attributes = {
        **original.attributes,
        **more,
        DEAD_LETTER_SOURCE: on,
        DEAD_LETTER_COUNT: "5",
        DEAD_LETTER_CODE: code,
        DEAD_LETTER_REASON: "Too slow.",
        "CloudPubSubDeadLetterSourceTopicPublishTime": "x",
    }
    return codec.decode(DeadLetterV1, original.data.encode() if data is None else data, attributes)


async def hear(gateway: Gateway, *letters: Envelope[DeadLetterV1]) -> None:
    for letter in letters:
        await gateway.hear(letter.data, event_id=letter.id)


async def waiting(gateway: Gateway, query: str = "") -> list[dict[str, Any]]:
    return (await gateway.get(f"/admin/dead-letters{query}")).json()["data"]


async def redrive(gateway: Gateway, **wish: Any) -> dict[str, Any]:
    answer = await gateway.post("/admin/dead-letters/redrive", json=wish)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/admin/dead-letters"),
        ("get", "/admin/dead-letters/x"),
        ("post", "/admin/dead-letters/redrive"),
        ("post", "/admin/dead-letters/discard"),
        ("get", "/admin/failures"),
        ("get", "/admin/rejected"),
        ("post", "/admin/reprocess"),
        ("post", "/admin/reconcile"),
        ("post", "/admin/users/someone/suspend"),
    ],
)
async def test_only_operators_come_in(gateway: Gateway, method: str, path: str) -> None:
    more = {"json": {}} if method == "post" else {}
    refused = await getattr(gateway, method)(path, user="another", **more)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forbidden")


async def test_a_letter_is_kept_whole_and_shown(gateway: Gateway) -> None:
    original = message()
    await hear(gateway, died(original))
    [row] = await waiting(gateway)
    assert (row["subscription"], row["code"], row["reason"], row["attempts"]) == (ANALYZER, "timeout", "Too slow.", 5)
    shown = (await gateway.get(f"/admin/dead-letters/{row['letter_id']}")).json()["data"]
    assert (shown["attributes"], shown["data"], shown["encoding"]) == (original.attributes, original.data, "text")
    assert (await gateway.get("/admin/dead-letters/nothing")).status_code == 404


async def test_letters_are_found_by_subscription_cause_and_age(gateway: Gateway) -> None:
    await hear(gateway, died(message()), died(message("someone/b.jpg"), code="network"))
    await hear(gateway, died(message(), on="search.media.processed.v1"))
    async with gateway.database.transaction() as session:
        await session.execute(text("UPDATE dead_letters SET died_at = now() - interval '2 h' WHERE code = 'network'"))
    assert [row["code"] for row in await waiting(gateway, "?code=network")] == ["network"]
    assert len(await waiting(gateway, "?subscription=search.media.processed.v1")) == 1
    assert [row["code"] for row in await waiting(gateway, "?older_than_s=3600")] == ["network"]
    meta = (await gateway.get("/admin/dead-letters?limit=1")).json()["meta"]
    assert (meta["total"], meta["has_more"], len(meta["causes"])) == (3, True, 3)


async def test_a_cause_is_shown_with_its_latest_reason(gateway: Gateway) -> None:
    reasons = {"someone/a.jpg": "Z came first.", "someone/b.jpg": "A came later."}
    for name, reason in reasons.items():
        letter = died(message(name)).data.model_copy(update={"reason": reason})
        await gateway.hear(letter)
    [cause] = (await gateway.get("/admin/dead-letters")).json()["meta"]["causes"]
    assert (cause["letters"], cause["reason"]) == (2, "A came later.")


async def test_when_letters_of_an_unknown_subscription_are_gone_the_gauge_says_so(gateway: Gateway) -> None:
    async def shown() -> float | None:
        await watching(gateway.database).run()
        return REGISTRY.get_sample_value("dead_letters_waiting", {"subscription": "unknown"})

    assert await shown() == 0
    await hear(gateway, died(message(), on="nobody.knows.v1"), died(message(), on="nobody.knew.v1"))
    assert await shown() == 2
    await gateway.post("/admin/dead-letters/discard", json={})
    assert await shown() == 0


async def test_it_is_sent_again_byte_for_byte_to_the_one_that_gave_up(gateway: Gateway) -> None:
    original = message()
    await hear(gateway, died(original))
    [row] = await waiting(gateway)
    done = await redrive(gateway, ids=[row["letter_id"]])
    assert (done["redriven"], done["remaining"]) == ([row["letter_id"]], 0)
    [sent] = await gateway.outgoing()
    assert (sent.topic, sent.data) == (original.topic, original.data)
    assert sent.attributes == {**original.attributes, ONLY_FOR: ANALYZER, REDRIVE: "1"}
    assert gateway.wakes


async def test_a_second_redrive_does_nothing_unless_it_died_again(gateway: Gateway) -> None:
    original = message()
    await hear(gateway, died(original))
    [row] = await waiting(gateway)
    await redrive(gateway, ids=[row["letter_id"]])
    assert (await redrive(gateway, ids=[row["letter_id"]]))["redriven"] == []
    await hear(gateway, died(original))
    assert await waiting(gateway) == [], "a late copy of the first death"
    again = {ONLY_FOR: ANALYZER, REDRIVE: "1"}
    await hear(gateway, died(original, **again), died(original, **again))
    [row] = await waiting(gateway)
    assert (row["deaths"], row["redrives"]) == (2, 1)
    assert (await redrive(gateway, ids=[row["letter_id"]]))["redriven"] == [row["letter_id"]]
    assert [sent.attributes[REDRIVE] for sent in await gateway.outgoing()] == ["1", "2"]


async def test_each_death_has_an_id_of_its_own_and_its_copies_have_the_same(gateway: Gateway) -> None:
    first, copy = died(message()), died(message(), code="network")
    again = died(message(), **{ONLY_FOR: ANALYZER, REDRIVE: "1"})
    assert first.id == copy.id != again.id
    assert first.data.letter_id == again.data.letter_id
    assert gateway.wakes == []


async def test_all_of_one_cause_at_the_pace_allowed(gateway: Gateway) -> None:
    await hear(gateway, *(died(message(f"someone/{n}.jpg")) for n in range(5)))
    await hear(gateway, died(message("someone/other.jpg"), code="network"))
    object.__setattr__(gateway.resources.repair, "redrives_per_minute", 4)
    first = await redrive(gateway, code="timeout", limit=3)
    assert (len(first["redriven"]), first["remaining"], first["wait_s"]) == (3, 2, 0)
    second = await redrive(gateway, code="timeout", limit=3)
    assert (len(second["redriven"]), second["remaining"]) == (1, 1)
    third = await redrive(gateway, code="timeout", limit=3)
    assert (third["redriven"], third["remaining"], third["wait_s"] > 0) == ([], 1, True)


async def test_what_cannot_be_sent_says_why(gateway: Gateway) -> None:
    await hear(gateway, died(message(), data=b"\xff\x00 not text"), died(message(), on="nobody.knows.v1"))
    done = await redrive(gateway)
    assert sorted(done["skipped"].values()) == ["no_subscription", "unreadable"]
    assert (done["redriven"], done["remaining"]) == ([], 2)
    [unreadable] = [row for row in await waiting(gateway) if row["subscription"] == ANALYZER]
    shown = (await gateway.get(f"/admin/dead-letters/{unreadable['letter_id']}")).json()["data"]
    assert shown["encoding"] == "base64"


async def test_ids_under_which_no_letter_waits_are_named(gateway: Gateway) -> None:
    await hear(gateway, *(died(message(f"someone/{n}.jpg")) for n in range(3)))
    first, second, third = sorted(row["letter_id"] for row in await waiting(gateway))
    assert (await redrive(gateway, ids=[first, "nope"]))["skipped"] == {"nope": "not_waiting"}
    done = await redrive(gateway, ids=[first, second, third], limit=1)
    assert (done["redriven"], done["skipped"]) == ([second], {first: "not_waiting"})
    rest = await redrive(gateway, ids=[first, second, third], after=done["next"])
    assert (rest["redriven"], rest["skipped"]) == ([third], {})
    answer = await gateway.post("/admin/dead-letters/discard", json={"ids": [third, "nope"]})
    assert answer.json()["data"]["skipped"] == {third: "not_waiting", "nope": "not_waiting"}


async def test_letters_that_cannot_be_sent_do_not_hide_the_others(gateway: Gateway) -> None:
    good, superseded = [message(f"someone/{n}.jpg") for n in range(4)], dropped("someone/deleted.jpg")
    await gateway.hear(*walk(superseded))
    await hear(gateway, died(message(superseded.object_name)))
    await gateway.delete(f"/upload/{superseded.upload_id}")
    await hear(gateway, *(died(message(f"someone/bad {n}.jpg"), data=b"\xff") for n in range(4)), *map(died, good))
    batches = [await redrive(gateway, limit=1)]
    while batches[-1]["next"] is not None:
        batches.append(await redrive(gateway, limit=1, after=batches[-1]["next"]))
    looked_at = [letter for batch in batches for letter in [*batch["redriven"], *batch["skipped"]]]
    assert len(looked_at) == len(set(looked_at)) == 9
    assert sorted(sent.data for sent in await gateway.outgoing() if ONLY_FOR in sent.attributes) == sorted(
        letter.data for letter in good
    )
    assert [batch["remaining"] for batch in batches][-1] == 4


async def test_a_letter_that_dies_again_meanwhile_is_not_sent_twice_in_one_walk(gateway: Gateway) -> None:
    originals = [message(f"someone/{n}.jpg") for n in range(2)]
    await hear(gateway, *map(died, originals))
    first = await redrive(gateway, limit=1)
    again = next(original for original in originals if died(original).data.letter_id == first["redriven"][0])
    await hear(gateway, died(again, **{ONLY_FOR: ANALYZER, REDRIVE: "1"}))
    second = await redrive(gateway, after=first["next"])
    assert (first["redriven"] != second["redriven"], second["next"], second["remaining"]) == (True, None, 1)


async def test_when_the_minute_is_used_up_the_walk_stays_where_it_is(gateway: Gateway) -> None:
    await hear(gateway, *(died(message(f"someone/{n}.jpg")) for n in range(3)))
    object.__setattr__(gateway.resources.repair, "redrives_per_minute", 1)
    first = await redrive(gateway)
    second = await redrive(gateway, after=first["next"])
    assert (second["redriven"], second["next"], second["wait_s"] > 0) == ([], first["next"], True)


async def test_the_letter_of_a_deleted_upload_is_let_go_but_not_that_of_its_deletion(gateway: Gateway) -> None:
    upload = dropped("someone/a.jpg")
    await gateway.hear(*walk(upload))
    await hear(gateway, died(message()))
    await gateway.delete(f"/upload/{upload.upload_id}")
    deletion = codec.encode(
        UploadDeletedV1(upload=upload), event_id="gone", source=Service.UPLOAD_GATEWAY, time=NOW, trace={}
    )
    await hear(gateway, died(deletion, on="search.upload.deleted.v1"))
    done = await redrive(gateway)
    assert (list(done["skipped"].values()), len(done["redriven"]), done["remaining"]) == (["superseded"], 1, 0)
    [discarded] = await waiting(gateway, "?status=discarded")
    assert discarded["subscription"] == ANALYZER


@pytest.mark.parametrize("query", ["", "?purge=true"])
async def test_what_dies_of_its_upload_being_deleted_waits_for_nobody(gateway: Gateway, query: str) -> None:
    upload = dropped("someone/a.jpg")
    await gateway.hear(*walk(upload)[:2])
    await gateway.delete(f"/upload/{upload.upload_id}{query}")
    deletion = codec.encode(
        UploadDeletedV1(upload=upload, purge=True), event_id="gone", source=Service.UPLOAD_GATEWAY, time=NOW, trace={}
    )
    await hear(gateway, died(message(), code="internal"), died(deletion, on="search.upload.deleted.v1"))
    assert [row["subscription"] for row in await waiting(gateway)] == ["search.upload.deleted.v1"]
    [discarded] = await waiting(gateway, "?status=discarded")
    assert (discarded["subscription"], discarded["settled_at"] is not None) == (ANALYZER, True)


async def test_what_dies_of_a_version_that_counts_no_more_waits_for_nobody(gateway: Gateway) -> None:
    await gateway.hear(*walk(dropped("someone/a.jpg", generation=6)))
    await hear(gateway, died(message(generation=5)), died(message("someone/b.jpg", generation=5)))
    assert [row["upload_id"] for row in await waiting(gateway)] == [dropped("someone/b.jpg").upload_id]


async def test_a_dead_letter_is_news_for_search_unless_it_is_of_such_news(gateway: Gateway) -> None:
    upload = dropped("someone/a.jpg")
    await gateway.hear(*walk(upload)[:2])
    [failed] = await gateway.hear(died(message()).data)
    assert isinstance(failed, MediaFailedV1)
    assert (failed.upload, failed.stage, failed.code) == (upload, "analyzer", "timeout")
    news = codec.encode(failed, event_id="failed", source=Service.ANALYZER, time=NOW, trace={})
    assert await gateway.hear(died(news, on="search.media.failed.v1").data) == []


async def test_discarded_is_for_good_and_counted(gateway: Gateway) -> None:
    await hear(gateway, died(message()), died(message("someone/b.jpg")))
    answer = await gateway.post("/admin/dead-letters/discard", json={"limit": 1})
    assert (len(answer.json()["data"]["discarded"]), answer.json()["data"]["remaining"]) == (1, 1)
    assert len((await redrive(gateway))["redriven"]) == 1
    async with gateway.database.transaction() as session:
        journal = (await session.execute(text("SELECT actor, action FROM repairs ORDER BY id"))).all()
    assert [tuple(row) for row in journal] == [("someone", "discard"), ("someone", "redrive")]


async def test_attributes_postgres_cannot_hold_do_not_lose_the_letter(gateway: Gateway) -> None:
    await hear(gateway, died(message(), odd="a\x00b"))
    [row] = await waiting(gateway)
    shown = (await gateway.get(f"/admin/dead-letters/{row['letter_id']}")).json()["data"]
    assert json.dumps(shown["attributes"]["odd"]) == '"a\\ufffdb"'
