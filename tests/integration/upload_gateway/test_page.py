"""The page comes from the gateway under a policy that lets nothing else in."""

import re

import httpx2

from contracts.artifacts import Service
from hosting.app import create_app
from upload_gateway.routes.page import page_router


async def test_the_page_is_served_under_a_policy_without_inline_anything() -> None:
    app = create_app(Service.UPLOAD_GATEWAY, routers=[page_router("http://storage.test:1")])
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://localhost:8080")
    page = await client.get("/")
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http://storage.test:1" in policy
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page.text)
    for asset in re.findall(r'(?:src|href)="(/web/[^"]+)"', page.text):
        answer = await client.get(asset)
        assert answer.status_code == 200
        again = await client.get(asset, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
    assert (await client.get("/web/..%2fsettings.py")).status_code == 404
