"""The index of words works under row security without its owner being trusted, and shows one tenant's rows alone."""

import pytest
from sqlalchemy import text

from search.request import Filters
from search.store import filtering
from tests.integration.search.conftest import set_for_searching


@pytest.fixture
async def two(world):
    for i in range(12):
        await world.add("ada", f"a{i}.txt", f"harbour ice page{i}", "canary" if i == 3 else "gulls")
        await world.add("bob", f"b{i}.txt", f"harbour ice page{i}", "canary sings")
    return world


async def seen(world, user, *queries, filters=Filters()):
    async with world.database.transaction(user) as session:
        await filtering.seek(session, user, filters, queries)
        rows = await session.execute(text("SELECT user_id, words FROM words"))
        return rows.all()


async def test_only_ones_own_rows_that_match_are_seen(two):
    rows = await seen(two, "ada", "'canary'")
    assert len(rows) == 1
    assert {row.user_id for row in rows} == {"ada"}
    assert len(await seen(two, "bob", "'canary'")) == 12
    assert len(await seen(two, "bob", "'canary'", filters=Filters(excluded=("'harbour'",)))) == 24


async def test_another_tenants_name_in_the_words_sought_opens_nothing(two):
    for sought in ("'=bob'", "!'=ada'", "'canary' | '=bob'", "!'nothing'"):
        async with two.database.transaction("ada") as session:
            await session.execute(text("SELECT set_config('app.sought', :s, true)"), {"s": sought})
            owners = set(await session.scalars(text("SELECT user_id FROM words")))
            assert owners <= {"ada"}


async def test_quotes_in_a_users_name_change_nothing(world):
    for user in ("o'neil", "back\\slash", "' | '=ada"):
        await world.add(user, "own.txt", "canary")
        await world.add("ada", f"{len(user)}.txt", "canary")
        assert {row.user_id for row in await seen(world, user, "'canary'")} == {user}


async def test_row_security_itself_goes_through_the_index(two):
    async with two.database.transaction("ada") as session:
        await set_for_searching(session)
        await filtering.seek(session, "ada", Filters(), ["'canary'"])
        plan = "\n".join(await session.scalars(text("EXPLAIN SELECT upload_id FROM words WHERE user_id = 'ada'")))
        assert "Bitmap Index Scan on words_by_word" in plan
        role = await session.scalar(text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"))
        assert role is False


async def test_every_row_carries_its_owner_so_that_all_can_be_deleted(two):
    async with two.database.transaction("ada") as session:
        assert await session.scalar(text("SELECT count(*) FROM words")) == 12 * 4
    await two.delete("ada", "a3.txt")
    async with two.database.transaction("ada") as session:
        assert await session.scalar(text("SELECT count(*) FROM words")) == 11 * 4
    assert await seen(two, "ada", "'canary'") == []
