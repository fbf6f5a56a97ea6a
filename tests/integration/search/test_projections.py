"""Projections commute: any order of events, with repetitions, leaves the same rows; and each part is found in time."""

import itertools
import random
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.artifacts import ArtifactRef, MediaProperties
from contracts.events import MediaIndexedV1, UploadDeletedV1
from embeddings.testing import FakeEncoder
from eventing.errors import Poison
from search.request import SearchRequest

TEXTS = ("The harbour froze in January.", "Gulls sat on the ice.")


async def names_found(world, query, user="ada", mode="keyword"):
    answer = await world.finder.find(user, SearchRequest(query=query, mode=mode))
    return [result.filename for result in answer.results]


async def one_life(world, upload, texts=TEXTS, **analyzed):
    return [
        await world.processed(upload),
        await world.analyzed(upload, texts, **analyzed),
        await world.embedded(upload, texts),
    ]


async def rows_after(world, make_events, order):
    """The rows a fresh user is left with, without the user's name and what follows from the upload's id."""
    user = f"user{next(_users)}"
    upload_id = world.upload(user, "log.txt").upload_id
    events = await make_events(lambda **version: world.upload(user, "log.txt", **version))
    await world.apply(*(events[i] for i in order))
    return {
        table: sorted(
            re.sub(rf"'\d+={user}' ", "", str(row)).replace(upload_id, "U").replace(user, "USER") for row in rows
        )
        for table, rows in (await world.rows(user)).items()
    }


_users = itertools.count()


def orders(count, most=24):
    """All orders of ``count`` events, or ``most`` of them, each with some events repeated."""
    chosen = random.Random(7)
    everything = list(itertools.permutations(range(count)))
    for order in everything if len(everything) <= most else chosen.sample(everything, most):
        again = chosen.choices(order, k=2)
        yield [*order, *again]


async def assert_commutes(world, make_events, count):
    expected = await rows_after(world, make_events, range(count))
    for order in orders(count):
        assert await rows_after(world, make_events, order) == expected, order


async def test_one_life_in_any_order(world):
    await assert_commutes(world, lambda upload: one_life(world, upload(), language="de", title="Hafen"), 3)


async def test_deleted_stays_deleted_in_any_order(world):
    async def events(upload):
        return [*await one_life(world, upload()), UploadDeletedV1(upload=upload())]

    await assert_commutes(world, events, 4)
    rows = await rows_after(world, events, [3, 0, 1, 2])
    assert not any((rows["passages"], rows["vectors_384"], rows["passage_sets"]))


async def test_overwritten_and_the_old_one_deleted_in_any_order(world):
    async def events(upload):
        new = await one_life(world, upload(generation=2), ["Something new."], language="fr")
        return [*await one_life(world, upload()), *new, UploadDeletedV1(upload=upload())]

    await assert_commutes(world, events, 7)


async def test_reprocessed_with_another_language_in_any_order(world):
    async def events(upload):
        again = await world.analyzed(upload(run=1), ["Der Hafen fror zu."], language="de")
        embedded = await world.embedded(upload(run=1), ["Der Hafen fror zu."])
        return [*await one_life(world, upload()), again, embedded]

    await assert_commutes(world, events, 5)


async def test_two_models_side_by_side_in_any_order(world):
    other = FakeEncoder(1536, model_id="other")

    async def events(upload):
        life = await one_life(world, upload())
        world.encoder, own = other, world.encoder
        second = await world.embedded(upload(run=1), TEXTS)
        world.encoder = own
        return [*life, second]

    await assert_commutes(world, events, 4)
    rows = await rows_after(world, events, range(4))
    assert (len(rows["vectors_384"]), len(rows["vectors_1536"])) == (2, 2)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
async def test_a_random_life_commutes(world, seed):
    chosen = random.Random(seed)

    async def events(upload):
        made = random.Random(seed)
        life = []
        for _ in range(6):
            version = upload(generation=made.randint(1, 2), run=made.randint(0, 1))
            texts = [f"text {version.version}"]
            choices = [
                lambda v=version: world.processed(v, size_bytes=v.generation * 10 + v.run + 1),
                lambda v=version, t=texts: world.analyzed(v, t, title=t[0], language=("en", "de")[v.run]),
                lambda v=version, t=texts: world.embedded(v, t),
            ]
            life.append(await made.choice(choices)())
        return [*life, UploadDeletedV1(upload=upload(generation=made.randint(0, 1) or 1))]

    order = chosen.sample(range(7), 7)
    expected = await rows_after(world, events, range(7))
    assert await rows_after(world, events, [*order, *chosen.choices(order, k=3)]) == expected


async def test_found_by_name_then_by_text_then_by_meaning(world):
    upload = world.upload("ada", "winter-log.txt")
    processed, analyzed, embedded = await one_life(world, upload)

    await world.apply(processed)
    assert await names_found(world, "winter") == ["winter-log.txt"]
    assert await names_found(world, "harbour") == []
    assert (await world.finder.find("ada", SearchRequest(query="x"))).processing == 1

    await world.apply(analyzed)
    assert await names_found(world, "harbour") == ["winter-log.txt"]
    assert await names_found(world, "harbour", mode="semantic") == []

    (announced,) = await world.apply(embedded)
    assert announced == MediaIndexedV1(upload=upload, model_id=world.encoder.model_id, passage_count=2)
    assert await names_found(world, "harbour froze", mode="semantic") == ["winter-log.txt"]
    assert (await world.finder.find("ada", SearchRequest(query="x"))).processing == 0


async def test_reprocessing_never_leaves_a_gap_and_counts_as_processing(world):
    upload = world.upload("ada", "log.txt")
    await world.apply(*await one_life(world, upload))
    again = world.upload("ada", "log.txt", run=1)
    await world.apply(await world.analyzed(again, ["The harbour thawed."]))
    answer = await world.finder.find("ada", SearchRequest(query="harbour froze", mode="semantic"))
    assert [result.filename for result in answer.results] == ["log.txt"]
    assert answer.processing == 1
    await world.apply(await world.embedded(again, ["The harbour thawed."]))
    assert await names_found(world, "thawed") == ["log.txt"]
    assert await names_found(world, "gulls") == []


async def test_a_file_without_text_is_indexed_too(world):
    upload = world.upload("ada", "silence.wav")
    await world.apply(await world.processed(upload))
    (announced,) = await world.apply(await world.embedded(upload, []))
    assert announced.passage_count == 0
    assert (await world.finder.find("ada", SearchRequest(query="silence"))).processing == 0


async def test_events_of_a_deleted_upload_do_not_ask_for_artifacts_that_are_gone(world):
    upload = world.upload("ada", "log.txt")
    gone = ArtifactRef(bucket="artifacts", key="gone", sha256="0" * 64, media_type="x", size_bytes=1)
    await world.apply(UploadDeletedV1(upload=upload))
    embedded = await world.embedded(upload, TEXTS, passages=gone)
    analyzed = await world.analyzed(upload, TEXTS, analysis=gone)
    assert await world.apply(analyzed, embedded) == []


async def test_a_live_upload_with_a_missing_or_wrong_artifact_is_poison_and_changes_nothing(world):
    upload = world.upload("ada", "log.txt")
    await world.apply(*await one_life(world, upload))
    before = await world.rows("ada")
    gone = ArtifactRef(bucket="artifacts", key="gone", sha256="0" * 64, media_type="x", size_bytes=1)
    short = await world.artifact(b"\0" * 12)
    for event in (
        await world.embedded(upload, TEXTS, passages=gone),
        await world.embedded(upload, TEXTS, vectors=short),
        await world.embedded(upload, TEXTS, passage_count=5),
        await world.embedded(upload, TEXTS, dimensions=7),
        await world.analyzed(upload, TEXTS, analysis=gone),
    ):
        with pytest.raises(Poison):
            await world.apply(event)
    assert await world.rows("ada") == before


async def test_text_that_postgres_cannot_keep_as_it_is(world):
    texts = ["nul \x00 inside, emoji 🐶, \ufffe and a " + "very" * 900 + " long word", "it's 'quoted' \\ & | ! : * <->"]
    upload = world.upload("ada", "odd.txt")
    await world.apply(
        await world.processed(upload, filename="o\x00d'd.txt", properties=MediaProperties(tags={"a\x00": "b\x00"})),
        await world.analyzed(upload, texts, title="t\x00", labels=("l\x00",), language="e\x00n"),
        await world.embedded(upload, texts),
    )
    assert await names_found(world, "quoted emoji") == ["o d'd.txt"]


async def test_many_passages_go_in_as_whole(world):
    upload = world.upload("ada", "book.txt")
    texts = [f"chapter number{i} of the book" for i in range(1201)]
    await world.apply(await world.processed(upload), await world.embedded(upload, texts))
    rows = await world.rows("ada")
    assert (len(rows["passages"]), len(rows["vectors_384"])) == (1201, 1201)
    answer = await world.finder.find("ada", SearchRequest(query="number1200", mode="keyword"))
    assert answer.results[0].moments[0].page == 1201
