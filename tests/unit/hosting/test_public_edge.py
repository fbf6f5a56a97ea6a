"""The edge of a public service: headers on every answer, other sites, plain HTTP in production, who the client is."""

import httpx2
import pytest
from fastapi import FastAPI, Request, Response

from contracts.artifacts import Service
from hosting.app import create_app
from hosting.forwarded import client_address
from hosting.settings import EdgeSettings
from identity.principal import Principal
from identity.public_edge import guard

KEY = {"X-API-Key": "k"}


class Anybody:
    async def by_api_key(self, key: str) -> Principal | None:
        return Principal("ada")

    async def by_bearer(self, token: str) -> Principal | None:
        return None


def application(**environment: str) -> FastAPI:
    app = create_app(Service.SEARCH)

    @app.get("/api/v1/client")
    async def client(request: Request) -> dict[str, str]:
        return {"address": client_address(request.scope), "scheme": request.url.scheme}

    @app.get("/page")
    async def page() -> Response:
        return Response("page", headers={"Content-Security-Policy": "default-src 'self'"})

    @app.get("/api/v1/broken")
    async def broken() -> None:
        raise RuntimeError("inside")

    guard(app, EdgeSettings.model_validate(environment), Anybody())
    return app


def client_of(app: FastAPI, address: str = "10.0.0.2", base: str = "http://api") -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=app, client=(address, 1), raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url=base)


async def test_every_answer_has_the_headers() -> None:
    async with client_of(application()) as client:
        for path in ("/api/v1/client", "/api/v1/nothing", "/health", "/api/v1/docs"):
            headers = (await client.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["x-frame-options"] == "DENY"
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert "strict-transport-security" not in headers
        assert "script-src" not in (await client.get("/api/v1/client")).headers["content-security-policy"]
        assert (await client.get("/page")).headers["content-security-policy"] == "default-src 'self'"


async def test_the_documentation_pages_scripts_are_allowed_and_no_others() -> None:
    async with client_of(application()) as client:
        docs = await client.get("/api/v1/docs")
        policy = docs.headers["content-security-policy"]
        for source in ("https://cdn.jsdelivr.net", "https://fastapi.tiangolo.com"):
            assert source in docs.text
            assert source in policy


async def test_in_production_plain_http_is_refused_and_https_is_told_to_stay() -> None:
    app = application(environment="production", trusted_proxies="10.0.0.0/8")
    async with client_of(app) as client:
        plain = await client.get("/api/v1/client")
        assert (plain.status_code, plain.json()["error"]["code"]) == (403, "https_required")
        secure = await client.get("/api/v1/client", headers={"X-Forwarded-Proto": "https"})
        assert secure.json()["scheme"] == "https"
        assert "max-age=" in secure.headers["strict-transport-security"]
        assert (await client.get("/health")).status_code == 200
    async with client_of(app, "198.51.100.1") as stranger:
        claimed = await stranger.get("/api/v1/client", headers={"X-Forwarded-Proto": "https"})
        assert claimed.status_code == 403
    async with client_of(app, base="https://api") as client:
        assert (await client.get("/api/v1/client")).status_code == 200


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("198.51.100.1", "203.0.113.9", "198.51.100.1"),
        ("10.0.0.2", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.2", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.2", "6.6.6.6, 203.0.113.9, 10.0.0.3", "203.0.113.9"),
        ("10.0.0.2", "10.9.9.9, 10.0.0.3", "10.9.9.9"),
        ("10.0.0.2", "nonsense", "10.0.0.2"),
        ("10.0.0.2", "203.0.113.9, nonsense, 10.0.0.3", "10.0.0.3"),
        ("10.0.0.2", "", "10.0.0.2"),
        ("10.0.0.2", "::ffff:203.0.113.9", "203.0.113.9"),
        ("10.0.0.2", "2001:db8::1", "2001:db8::/64"),
    ],
)
async def test_who_the_client_is(peer: str, forwarded: str, address: str) -> None:
    async with client_of(application(trusted_proxies="10.0.0.0/8"), peer) as client:
        found = await client.get("/api/v1/client", headers={"X-Forwarded-For": forwarded})
        assert found.json()["address"] == address


async def test_by_default_no_proxy_is_believed() -> None:
    async with client_of(application(), "127.0.0.1") as client:
        found = await client.get("/api/v1/client", headers={"X-Forwarded-For": "6.6.6.6"})
        assert found.json()["address"] == "127.0.0.1"


async def test_other_sites_may_call_only_where_they_are_named() -> None:
    preflight = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    preflight |= {"Access-Control-Request-Headers": "authorization,content-type"}
    async with client_of(application()) as client:
        assert "access-control-allow-origin" not in (await client.options("/api/v1/client", headers=preflight)).headers
    app = application(cors_origins="https://app.example, https://other.example")
    async with client_of(app) as client:
        allowed = await client.options("/api/v1/client", headers=preflight)
        assert allowed.headers["access-control-allow-origin"] == "https://app.example"
        assert "access-control-allow-credentials" not in allowed.headers
        answer = await client.get("/api/v1/client", headers={"Origin": "https://app.example"} | KEY)
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        assert "RateLimit-Remaining" in answer.headers["access-control-expose-headers"]
        evil = await client.get("/api/v1/client", headers={"Origin": "https://evil.example"} | KEY)
        assert "access-control-allow-origin" not in evil.headers


def test_every_site_is_not_an_origin() -> None:
    with pytest.raises(ValueError, match="CORS_ORIGINS"):
        EdgeSettings.model_validate({"cors_origins": "*"})


def test_lists_come_from_the_environment_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.0/8, 2001:db8::/32")
    monkeypatch.setenv("CORS_ORIGINS", "")
    settings = EdgeSettings()
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "2001:db8::/32"]
    assert settings.cors_origins == ()


async def test_a_defect_says_nothing_of_the_inside() -> None:
    async with client_of(application()) as client:
        broken = await client.get("/api/v1/broken", headers=KEY)
        assert (broken.status_code, broken.json()["error"]["code"]) == (500, "internal")
        assert "RuntimeError" not in broken.text
