"""search believes the same tokens as upload-gateway, by itself, and knows nobody it was not told of."""

import httpx2
import pytest

from contracts.artifacts import Service
from contracts.events import UserChangedV1
from contracts.events.user_changed_v1 import UserStatus
from hosting.app import create_app
from identity.oidc import Issuer, OidcVerifier, user_id_of
from search.authenticator import ProjectedAuthenticator
from search.routes.history import history_router
from search.routes.searching import search_router
from tests.integration.identity.issuer import AUDIENCE, LocalIssuer


@pytest.fixture
def issuer():
    with LocalIssuer() as running:
        yield running


@pytest.fixture
async def client(world, issuer):
    app = create_app(Service.SEARCH, routers=[search_router(world.finder), history_router(world.database)])
    verifier = OidcVerifier(Issuer(issuer.url, AUDIENCE))
    app.state.authenticator = ProjectedAuthenticator(world.database, oidc=verifier)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://search") as client:
        yield client


async def found(client, token):
    headers = {"Authorization": f"Bearer {token}"}
    answer = await client.post("/api/v1/search", json={"query": "harbour"}, headers=headers)
    return answer.status_code, [r["filename"] for r in (answer.json()["data"] or {"results": []})["results"]]


async def test_a_person_finds_their_own_files_and_a_newcomer_nothing(world, client, issuer):
    await world.add(user_id_of(issuer.url, "1"), "own.txt", "harbour at dawn")
    assert await found(client, issuer.token(sub="1")) == (200, ["own.txt"])
    assert await found(client, issuer.token(sub="2")) == (200, [])
    assert await found(client, issuer.token(sub="1", aud="elsewhere")) == (401, [])


async def test_suspended_is_forbidden(world, client, issuer):
    user_id = user_id_of(issuer.url, "1")
    await world.apply(UserChangedV1(user_id=user_id, version=1, status=UserStatus.SUSPENDED, tier="free"))
    assert await found(client, issuer.token(sub="1")) == (403, [])
