"""Users as upload-gateway tells of them: newest version wins, suspended is out, keys and tokens name their owner."""

import httpx2
import pytest

from contracts.events import UserChangedV1
from contracts.events.user_changed_v1 import ApiKeyHash, UserStatus
from identity import local_issuer
from identity.api_keys import hash_api_key, new_api_key
from search.authenticator import REMEMBERED_S, ProjectedAuthenticator

HISTORY = "/api/v1/search/history"


def changed(version, *keys, status=UserStatus.ACTIVE, tier="free"):
    hashes = tuple(ApiKeyHash(key_id=f"k{i}", sha256=hash_api_key(key)) for i, key in enumerate(keys))
    return UserChangedV1(user_id="ada", version=version, status=status, tier=tier, api_keys=hashes)


@pytest.fixture
async def stranger(app):
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://search") as client:
        yield client


async def test_the_newest_version_wins_in_any_order(world):
    old, new = new_api_key(), new_api_key()
    first, second = changed(1, old), changed(2, new, tier="pro")
    for order in ((first, second), (second, first), (second, second, first)):
        await world.apply(*order)
        authenticator = ProjectedAuthenticator(world.database)
        assert await authenticator.by_api_key(old) is None
        principal = await authenticator.by_api_key(new)
        assert principal is not None
        assert (principal.user_id, principal.tier) == ("ada", "pro")


async def test_without_or_with_a_wrong_credential_nothing_is_answered(world, stranger):
    await world.new_user("ada")
    for headers in (
        {},
        {"X-API-Key": "sk_nonsense"},
        {"X-API-Key": new_api_key()},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": f"Bearer {local_issuer.issue('t' * 32, 'ada')}"},
        {"Authorization": f"Bearer {local_issuer.issue('s' * 32, 'nobody')}"},
    ):
        for method, path in (("POST", "/api/v1/search"), ("GET", HISTORY), ("GET", "/api/v1/file/x/similar")):
            answer = await stranger.request(method, path, headers=headers)
            assert answer.status_code == 401, (headers, path)
            assert answer.json()["error"]["code"] == "unauthenticated"


async def test_a_local_token_names_its_user(world, stranger):
    await world.new_user("ada")
    headers = {"Authorization": f"Bearer {local_issuer.issue('s' * 32, 'ada')}"}
    assert (await stranger.get(HISTORY, headers=headers)).status_code == 200


async def test_suspended_is_forbidden(world, stranger):
    key = await world.new_user("ada", status=UserStatus.SUSPENDED)
    answer = await stranger.get(HISTORY, headers={"X-API-Key": key})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "suspended")


async def test_a_revoked_key_ends_within_seconds_a_new_one_works_at_once(world):
    now = 100.0
    authenticator = ProjectedAuthenticator(world.database, clock=lambda: now)
    old, new = new_api_key(), new_api_key()
    await world.apply(changed(1, old))
    assert await authenticator.by_api_key(old)
    assert await authenticator.by_api_key(new) is None
    await world.apply(changed(2, new))
    assert await authenticator.by_api_key(new)
    now += REMEMBERED_S
    assert await authenticator.by_api_key(old) is None
