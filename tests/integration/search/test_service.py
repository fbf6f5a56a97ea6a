"""The service as a whole: its description for clients, and what it answers while the database is away."""

import httpx2

from contracts.artifacts import Service
from database.engine import Database
from embeddings.testing import FakeEncoder
from hosting.app import create_app
from identity.api_keys import new_api_key
from search.authenticator import ProjectedAuthenticator
from search.cut_offs import Calibration
from search.finder import Finder
from search.models import Model, Models
from search.routes.file_text import file_text_router
from search.routes.history import history_router
from search.routes.insights import insights_router
from search.routes.searching import search_router


async def test_the_description_shows_routes_and_the_request(client):
    description = (await client.get("/api/v1/docs/openapi.json")).json()
    assert {path: sorted(methods) for path, methods in description["paths"].items()} == {
        "/api/v1/search": ["post"],
        "/api/v1/file/{upload_id}/similar": ["get"],
        "/api/v1/file/{upload_id}/text": ["get"],
        "/api/v1/search/history": ["delete", "get"],
        "/api/v1/search/history/{search_id}": ["delete"],
        "/api/v1/search/image": ["post"],
        "/api/v1/search/insights": ["get"],
        "/api/v1/feedback": ["post"],
    }
    body = description["paths"]["/api/v1/search"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["required"] == ["query"]
    assert "$ref" not in str(body)


async def test_without_its_database_it_is_unavailable_not_broken():
    nowhere = Database("postgresql+asyncpg://search@127.0.0.1:1/none", "search")
    finder = Finder(nowhere, Models(Model(FakeEncoder(384), Calibration(0.3, 0.3))))
    routers = [search_router(finder), file_text_router(nowhere), history_router(nowhere), insights_router(nowhere)]
    app = create_app(Service.SEARCH, routers=routers)
    app.state.authenticator = ProjectedAuthenticator(nowhere)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://search", headers={"X-API-Key": new_api_key()}
    ) as client:
        for method, path in (
            ("POST", "/search"),
            ("GET", "/search/history"),
            ("GET", "/search/insights"),
            ("GET", f"/file/upl_{'a' * 26}/similar"),
            ("GET", f"/file/upl_{'a' * 26}/text"),
        ):
            answer = await client.request(method, f"/api/v1{path}", json={"query": "x"})
            assert answer.status_code == 503, answer.text
            assert answer.json()["error"]["code"] == "unavailable"
            assert answer.headers["Retry-After"]
    await nowhere.close()
