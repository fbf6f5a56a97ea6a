"""The index of words works under row security without its owner being trusted, and shows one tenant's rows alone."""

import re
from contextlib import suppress

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from search.store import filtering
from tests.integration.search.conftest import set_for_searching

_SEEK = text("SELECT set_config('app.sought', :sought, true), set_config('app.sample', :sample, true)")


@pytest.fixture
async def two(world):
    for i in range(12):
        await world.add("ada", f"a{i}.txt", f"harbour ice page{i}", "canary" if i == 3 else "gulls")
        await world.add("bob", f"b{i}.txt", f"harbour ice page{i}", "canary sings")
    return world


async def seen(world, user, *queries):
    async with world.database.transaction(user) as session:
        await session.execute(_SEEK, filtering.word_scope_parameters(queries))
        rows = await session.execute(text("SELECT user_id, words FROM words"))
        return rows.all()


async def test_only_ones_own_rows_that_match_are_seen(two):
    rows = await seen(two, "ada", "'canary'")
    assert len(rows) == 1
    assert {row.user_id for row in rows} == {"ada"}
    assert len(await seen(two, "bob", "'canary'")) == 12
    assert len(await seen(two, "bob", "'canary'", "'harbour'")) == 24


async def test_another_tenants_name_in_the_words_sought_opens_nothing(two):
    bobs = await key_of(two, "bob")
    for sought in ("'=bob'", "!'=ada'", "'canary' | '=bob'", "!'nothing'", f"'{bobs}canary'", f"'x' | '{bobs}'"):
        for sample in ("", "4", bobs, f"{bobs}canary' | '{bobs}"):
            owners = set()
            with suppress(ProgrammingError):  # a sample that is none may be no query either
                async with two.database.transaction("ada") as session:
                    await session.execute(_SEEK, {"sought": sought, "sample": sample})
                    owners = set(await session.scalars(text("SELECT user_id FROM words")))
            assert owners <= {"ada"}


async def test_what_the_version_before_sought_is_still_found(two):
    async with two.database.transaction("ada") as session:
        await session.execute(_SEEK, {"sought": "'=ada' & (('canary'))", "sample": ""})
        assert await session.scalar(text("SELECT count(*) FROM words")) == 1


async def test_the_index_holds_a_tenants_words_apart_from_those_of_others(two):
    """So what one tenant searches costs the same whatever the others have."""
    found = {}
    for user in ("ada", "bob"):
        async with two.database.transaction(user) as session:
            words = await session.scalars(text("SELECT tenant_words(words, user_id, upload_id) FROM words"))
            found[user] = {lexeme for row in words for lexeme in re.findall("'([^']*)'", row)}
    assert {key for key in found["ada"] if key.endswith(":canary")}
    assert found["ada"].isdisjoint(found["bob"])


async def key_of(world, user):
    """What stands before each of a tenant's words in the index."""
    async with world.database.transaction(user) as session:
        key = await session.scalar(text("SELECT CAST(sought() AS text)"))
    return key.strip("'").removesuffix(f"={user}")


async def test_quotes_in_a_users_name_change_nothing(world):
    for user in ("o'neil", "back\\slash", "' | '=ada"):
        await world.add(user, "own.txt", "canary")
        await world.add("ada", f"{len(user)}.txt", "canary")
        assert {row.user_id for row in await seen(world, user, "'canary'")} == {user}


async def test_row_security_itself_goes_through_the_index(two):
    async with two.database.transaction("ada") as session:
        await set_for_searching(session)
        await session.execute(_SEEK, filtering.word_scope_parameters(["'canary'"]))
        plan = "\n".join(await session.scalars(text("EXPLAIN SELECT upload_id FROM words WHERE user_id = 'ada'")))
        assert "Bitmap Index Scan on words_by_tenant" in plan
        role = await session.scalar(text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"))
        assert role is False


async def test_every_row_carries_its_owner_so_that_all_can_be_deleted(two):
    async with two.database.transaction("ada") as session:
        assert await session.scalar(text("SELECT count(*) FROM words")) == 12 * 4
    await two.delete("ada", "a3.txt")
    async with two.database.transaction("ada") as session:
        assert await session.scalar(text("SELECT count(*) FROM words")) == 11 * 4
    assert await seen(two, "ada", "'canary'") == []
