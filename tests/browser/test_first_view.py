"""What a first visit costs, and how people sign in: the local user, by an identity provider, with a key."""

import base64
import hashlib
import json
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import BrowserContext, Page, Request, Route, expect

from tests.browser.driving import open_page
from tests.browser.stub_library import StubLibrary
from tests.pipeline.local_system import LocalSystem

MOST_BYTES = 150 * 1024
PROVIDER = "https://id.test"


def test_the_first_view_is_light(context: BrowserContext, tab: Page, system: LocalSystem) -> None:
    """Everything but the user's own thumbnails, as it crosses the wire."""
    session = context.new_cdp_session(tab)
    session.send("Network.enable")
    own: set[str] = set()
    sizes: list[float] = []
    session.on(
        "Network.requestWillBeSent", lambda e: own.add(e["requestId"]) if system.url in e["request"]["url"] else None
    )
    session.on(
        "Network.loadingFinished", lambda e: sizes.append(e["encodedDataLength"]) if e["requestId"] in own else None
    )
    open_page(tab, system.url)
    tab.wait_for_timeout(500)
    assert len(sizes) > 20
    assert 10_000 < sum(sizes) < MOST_BYTES


def test_a_second_visit_fetches_no_module_again(tab: Page, system: LocalSystem) -> None:
    open_page(tab, system.url)
    fetched: list[str] = []
    tab.on(
        "response",
        lambda answer: (
            fetched.append(answer.url) if answer.url.endswith((".js", ".css")) and not _cached(answer.request) else None
        ),
    )
    open_page(tab, f"{system.url}/?again")
    assert fetched == []


def _cached(request: Request) -> bool:
    return request.timing["responseStart"] < 0 or request.sizes()["responseBodySize"] == 0


def test_a_provider_signs_in_by_code_and_pkce(tab: Page) -> None:
    challenges: list[str] = []
    exchanges: list[dict[str, list[str]]] = []
    with StubLibrary(files=3).running() as stub:
        endpoints = {"authorization_endpoint": f"{PROVIDER}/authorize", "token_endpoint": f"{stub.url}/token"}
        config = {"local": False, "client_id": "page", **endpoints}

        def me(route: Route) -> None:
            known = route.request.headers.get("authorization") == "Bearer the-id-token"
            route.fulfill(status=200 if known else 401, json={"data": {"user_id": "u"}})

        def authorize(route: Route) -> None:
            asked = parse_qs(urlsplit(route.request.url).query)
            challenges.append(asked["code_challenge"][0])
            assert asked["code_challenge_method"] == ["S256"]
            back = f"{asked['redirect_uri'][0]}?code=one-time&state={asked['state'][0]}"
            route.fulfill(status=302, headers={"Location": back})

        def token(route: Route) -> None:
            exchanges.append(parse_qs(route.request.post_data or ""))
            route.fulfill(json={"id_token": "the-id-token", "access_token": "other", "refresh_token": "again"})

        tab.route("**/api/v1/auth/config", lambda route: route.fulfill(json={"data": config}))
        tab.route("**/api/v1/users/me", me)
        tab.route(f"{PROVIDER}/**", authorize)
        tab.route(f"{stub.url}/token", token)
        tab.goto(f"{stub.url}/#/?type=image")
        tab.get_by_role("button", name="Continue with your account").click()
        expect(tab.locator("#grid .card .open").first).to_be_visible()
        assert tab.url == f"{stub.url}/#/?type=image"
        assert exchanges[0]["code"] == ["one-time"]
        digest = hashlib.sha256(exchanges[0]["code_verifier"][0].encode()).digest()
        assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == challenges[0]
        assert "the-id-token" not in json.dumps(tab.context.storage_state())
        tab.reload()
        expect(tab.locator("#grid .card .open").first).to_be_visible()
        assert exchanges[1]["grant_type"] == ["refresh_token"]


def test_a_key_signs_in_where_there_is_no_provider(tab: Page, system: LocalSystem) -> None:
    tab.route("**/api/v1/auth/config", lambda route: route.fulfill(json={"data": {"local": False}}))
    tab.goto(system.url)
    key = tab.get_by_label("API key")
    key.fill("sk_not_a_key")
    tab.get_by_role("button", name="Sign in with the key").click()
    expect(tab.get_by_text("This key is not known here.")).to_be_visible()
    key.fill(system.variables["MMSEARCH_API_KEY"])
    tab.get_by_role("button", name="Sign in with the key").click()
    expect(tab.get_by_role("dialog")).to_have_count(0)
    expect(tab.locator("#grid .card .open, #empty h2").first).to_be_visible()
    tab.reload()
    expect(tab.locator("#grid .card .open, #empty h2").first).to_be_visible()
