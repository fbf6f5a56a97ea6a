"""The page signs people in at an OpenID Connect issuer: by its button, again after a reload, and never without a word
from the issuer.
"""

import shutil
from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Page, async_playwright, expect

from identity.oidc import Issuer, OidcVerifier
from tests.browser.driving import FLAGS
from tests.integration.identity.issuer import AUDIENCE, LocalIssuer
from tests.integration.upload_gateway.conftest import Gateway
from tests.integration.upload_gateway.live_streams import serving
from upload_gateway.identity import TableAuthenticator
from upload_gateway.routes.page import page_router

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture
def issuer() -> Iterator[LocalIssuer]:
    with LocalIssuer() as running:
        yield running


@pytest.fixture
async def page(gateway: Gateway, issuer: LocalIssuer) -> AsyncIterator[Page]:
    """The page of a gateway without a local user."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    verifier = OidcVerifier(Issuer(issuer.url, AUDIENCE, client_id=AUDIENCE))
    authenticator = TableAuthenticator(gateway.database, None, verifier)
    gateway.app.state.authenticator = authenticator
    object.__setattr__(gateway.resources, "authenticator", authenticator)
    gateway.app.include_router(page_router(issuer.url, [issuer.url]))
    async with serving(gateway.app) as port, async_playwright() as playwright:
        issuer.origin = f"http://127.0.0.1:{port}"
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page()
        page.set_default_timeout(20_000)
        await page.goto(issuer.origin)
        yield page
        await browser.close()


async def sign_in(page: Page) -> None:
    await page.get_by_role("button", name="Continue with your account").click()
    await expect(page.get_by_role("heading", name="Drop files or folders anywhere")).to_be_visible()


def times_asked(issuer: LocalIssuer) -> int:
    return sum(times for path, times in issuer.asked.items() if path.startswith("/authorize"))


async def test_the_button_signs_in_and_leaves_nothing_in_the_address(page: Page, issuer: LocalIssuer) -> None:
    await sign_in(page)
    assert page.url == f"{issuer.origin}/"
    kept = await page.evaluate("JSON.stringify({ ...sessionStorage, ...localStorage })")
    assert "eyJ" not in kept


async def test_a_reload_asks_the_issuer_without_a_word(page: Page, issuer: LocalIssuer) -> None:
    await sign_in(page)
    await page.reload()
    await expect(page.get_by_role("heading", name="Drop files or folders anywhere")).to_be_visible()
    assert times_asked(issuer) == 2
    assert any("prompt=none" in path for path in issuer.asked)


async def test_who_has_left_the_issuer_is_asked_once_and_then_shown_the_button(page: Page, issuer: LocalIssuer) -> None:
    await sign_in(page)
    issuer.person = None
    await page.reload()
    await expect(page.get_by_role("button", name="Continue with your account")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("button", name="Continue with your account")).to_be_visible()
    assert times_asked(issuer) == 2


async def test_a_code_that_this_page_did_not_ask_for_signs_nobody_in(page: Page, issuer: LocalIssuer) -> None:
    await page.goto(f"{issuer.origin}/?code=stolen&state=guessed")
    await expect(page.get_by_role("button", name="Continue with your account")).to_be_visible()


async def test_signing_out_forgets_and_does_not_ask_again(page: Page, issuer: LocalIssuer) -> None:
    await sign_in(page)
    await page.get_by_role("button", name="Menu").click()
    await page.get_by_role("menuitem", name="Sign out").click()
    await expect(page.get_by_role("button", name="Continue with your account")).to_be_visible()
    assert times_asked(issuer) == 1
