"""Lists, files by signed URL, figures, keys, local sign-in."""

import base64
import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from contracts.artifacts import ArtifactRef, FailureCode, Locator, Service, Storyboard, StoryboardPicture
from contracts.events import MediaFailedV1, UserChangedV1
from hosting.answers import Answer
from identity.api_keys import hash_api_key
from objectstore.cdn import SignedCdn
from tests.integration.upload_gateway.conftest import JPEG, Gateway
from tests.integration.upload_gateway.events import artifact, dropped, walk
from upload_gateway.routes.representations import FileMetadata, UploadProgress, UploadShown


async def three_files(gateway: Gateway) -> list[str]:
    ids: list[str] = []
    for name, size in (("b.jpg", 300), ("a.txt", 100), ("c.jpg", 200)):
        content = JPEG + b"x" * size if name.endswith("jpg") else b"text " * size
        ids.append((await gateway.upload(content, name)).json()["data"]["upload_id"])
    return ids


async def test_lists_page_sort_and_filter(gateway: Gateway) -> None:
    first, second, third = await three_files(gateway)

    async def ids(query: str) -> list[str]:
        return [row["upload_id"] for row in (await gateway.get(f"/uploads{query}")).json()["data"]]

    assert await ids("") == [third, second, first]
    assert await ids("?sort=filename") == [second, first, third]
    assert await ids("?sort=created_at") == [first, second, third]
    assert await ids("?file_type=document") == [second]
    assert await ids("?status=completed") == []
    today = datetime.now(UTC).date()
    assert await ids(f"?date_from={today}&date_to={today}") == [third, second, first]
    assert await ids(f"?date_to={today - timedelta(days=1)}") == []
    assert await ids("?max_size_mb=0.00048") == [third, second]
    assert await ids("?min_size_mb=0.0005&file_type=image") == [first]
    assert await ids("?limit=1&offset=1") == [second]
    meta = (await gateway.get("/uploads?limit=2")).json()["meta"]
    assert meta == {"total": 3, "limit": 2, "offset": 0, "has_more": True}
    assert (await gateway.get("/uploads?offset=9")).json()["meta"]["total"] == 3


async def test_names_are_listed_as_people_sort_them(gateway: Gateway) -> None:
    named = ["page.txt", "page 9.txt", "Page 10.txt", "page 0011.txt", "Übersicht.txt", "zebra.txt"]
    for number, name in enumerate(reversed(named)):
        await gateway.upload(b"text %d" % number, name)
    for sort, expected in (("filename", named), ("-filename", named[::-1])):
        listed = (await gateway.get(f"/uploads?sort={sort}")).json()["data"]
        assert [row["filename"] for row in listed] == expected


async def test_a_list_is_what_its_model_says(gateway: Gateway) -> None:
    await three_files(gateway)
    indexed, failed = dropped("someone/harbour.jpg"), dropped("someone/broken.jpg", 6)
    failure = MediaFailedV1(upload=failed, stage=Service.ANALYZER, code=FailureCode.TIMEOUT, message="Too slow.")
    await gateway.hear(*walk(indexed), *walk(failed)[:2], failure)
    for query in ("", "?status=failed", "?status=completed"):
        answer = (await gateway.get(f"/uploads{query}")).json()
        assert answer["data"]
        model = Answer[list[UploadShown]].model_validate(answer)
        assert model.model_dump(mode="json") == answer


@pytest.mark.parametrize(
    ("path", "model"),
    [("/upload/status/{}", Answer[UploadProgress]), ("/file/{}/metadata", Answer[FileMetadata])],
)
async def test_what_is_told_of_one_upload_is_what_its_model_says(
    gateway: Gateway, path: str, model: type[Answer[UploadProgress | FileMetadata]]
) -> None:
    [sent, *_] = await three_files(gateway)
    indexed, failed = dropped("someone/harbour.jpg"), dropped("someone/broken.jpg", 6)
    failure = MediaFailedV1(upload=failed, stage=Service.ANALYZER, code=FailureCode.TIMEOUT, message="Too slow.")
    await gateway.hear(*walk(indexed), *walk(failed)[:2], failure)
    for upload_id in (sent, indexed.upload_id, failed.upload_id):
        answer = (await gateway.get(path.format(upload_id))).json()
        assert answer["data"]["upload_id"] == upload_id
        assert model.model_validate(answer).model_dump(mode="json") == answer


@pytest.mark.parametrize(
    "query",
    [
        *("?limit=0", "?limit=101", "?offset=-1", "?sort=user_id", "?status=x", "?file_type=x", "?offset=1e30"),
        *("?date_from=2026-02-30", "?date_from=2026-02-02&date_to=2026-02-01", "?min_size_mb=2&max_size_mb=1"),
    ],
)
async def test_malformed_queries_are_422(gateway: Gateway, query: str) -> None:
    response = await gateway.get(f"/uploads{query}")
    assert (response.status_code, response.json()["error"]["code"]) == (422, "invalid_request")


async def test_thumbnails_come_from_the_cdn_where_there_is_one(gateway: Gateway) -> None:
    upload = dropped("someone/harbour.jpg")
    await gateway.hear(*walk(upload))
    key = base64.urlsafe_b64encode(bytes(16)).decode()
    cdn = SignedCdn("https://thumbnails.example.com", "mmsearch", key)
    gateway.app.state.resources = replace(gateway.resources, thumbnails=cdn)
    location = (await gateway.get(f"/file/{upload.upload_id}/thumbnail")).headers["location"]
    assert location.startswith("https://thumbnails.example.com/a/thumbnail.jpg?Expires=")


async def test_files_are_had_by_signed_urls(gateway: Gateway) -> None:
    upload = dropped("someone/harbour.jpg")
    await gateway.hear(*walk(upload))
    base = f"/file/{upload.upload_id}"
    redirect = await gateway.get(f"{base}/thumbnail")
    assert redirect.status_code == 302
    assert redirect.headers["location"].startswith("memory://artifacts/a/thumbnail.jpg?expires=300")
    answer = (await gateway.get(f"{base}/thumbnail?redirect=false")).json()["data"]
    assert (answer["url"], answer["media_type"]) == (redirect.headers["location"], "image/jpeg")
    assert (await gateway.get(f"{base}/preview")).status_code == 404
    download = (await gateway.get(f"{base}/download")).headers["location"]
    assert "filename=harbour.jpg&type=application/octet-stream" in download
    inline = (await gateway.get(f"{base}/download?inline=true")).headers["location"]
    assert "filename=None&type=image/jpeg" in inline


async def film(gateway: Gateway, *, listed: bool = True) -> str:
    """A film whose scenes begin at 0.5 and 10 s, and a page 3; answers its upload id."""
    places = (Locator(start_s=0.5, end_s=10), Locator(start_s=10, end_s=12), Locator(page=3))
    pictures = [StoryboardPicture(image=artifact(f"{n}.jpg", "image/jpeg"), locator=p) for n, p in enumerate(places)]
    content = Storyboard(pictures=tuple(pictures)).model_dump_json().encode()
    ref = ArtifactRef(
        bucket="artifacts", key="a/storyboard.json", sha256=hashlib.sha256(content).hexdigest(),
        media_type="application/json", size_bytes=len(content),
    )  # fmt: skip
    if listed:
        await gateway.objects.put(ref.bucket, ref.key, content, ref.media_type)
    upload = dropped("someone/film.mp4")
    finalized, processed, *rest = walk(upload)
    await gateway.hear(finalized, processed.model_copy(update={"storyboard": ref}), *rest)
    return upload.upload_id


@pytest.mark.parametrize(
    ("place", "picture"),
    [
        *(("", "thumbnail.jpg"), ("?page=3", "2.jpg"), ("?page=4", "thumbnail.jpg")),
        *(("?start_s=0", "0.jpg"), ("?start_s=9.999", "0.jpg"), ("?start_s=10", "1.jpg"), ("?start_s=1e300", "1.jpg")),
    ],
)
async def test_a_place_in_a_file_has_a_thumbnail_of_its_own(gateway: Gateway, place: str, picture: str) -> None:
    upload_id = await film(gateway)
    for _ in range(2):  # the second time from the list that is kept
        location = (await gateway.get(f"/file/{upload_id}/thumbnail{place}")).headers["location"]
        assert location.startswith(f"memory://artifacts/a/{picture}?")


async def test_a_list_of_pictures_that_cannot_be_read_leaves_the_thumbnail(gateway: Gateway) -> None:
    upload_id = await film(gateway, listed=False)
    location = (await gateway.get(f"/file/{upload_id}/thumbnail?start_s=11")).headers["location"]
    assert location.startswith("memory://artifacts/a/thumbnail.jpg?")


@pytest.mark.parametrize("place", ["page=0", "page=x", "start_s=-1", "start_s=nan", "start_s=inf"])
async def test_places_that_cannot_be_are_422(gateway: Gateway, place: str) -> None:
    response = await gateway.get(f"/file/{await film(gateway)}/thumbnail?{place}")
    assert (response.status_code, response.json()["error"]["code"]) == (422, "invalid_request")


async def test_pictures_of_places_are_only_for_the_owner(gateway: Gateway) -> None:
    response = await gateway.get(f"/file/{await film(gateway)}/thumbnail?page=3", "another")
    assert response.status_code == 404


async def test_web_pages_never_open_in_place(gateway: Gateway) -> None:
    upload_id = (await gateway.upload(b"<!doctype html><script>alert(1)</script>", "a.html")).json()["data"][
        "upload_id"
    ]
    location = (await gateway.get(f"/file/{upload_id}/download?inline=true")).headers["location"]
    assert "filename=a.html&type=application/octet-stream" in location


async def test_figures_count_what_is_not_deleted(gateway: Gateway) -> None:
    upload = dropped("someone/harbour.jpg")
    await gateway.hear(*walk(upload))
    [gone, *_] = await three_files(gateway)
    await gateway.delete(f"/upload/{gone}")
    stats = (await gateway.get("/stats/me")).json()["data"]
    assert stats["uploads_by_type"] == {"image": 2, "document": 1}
    assert stats["uploads_by_status"] == {"completed": 1, "pending": 2}
    assert (stats["total_uploads"], stats["tokens"], stats["cost_usd"]) == (3, 7, 0.25)
    assert stats["average_processing_time_ms"] is not None
    assert (await gateway.get("/stats/me", "another")).json()["data"]["total_uploads"] == 0


async def test_the_estimate_learns_from_the_users_own_files(gateway: Gateway) -> None:
    for number in range(3):
        await gateway.hear(*walk(dropped(f"someone/{number}.jpg", number + 1)))
    async with gateway.database.transaction("someone") as session:
        await session.execute(text("UPDATE uploads SET processing_s = 7.5"))
    assert (await gateway.upload()).json()["data"]["estimated_time"] == 7.5


async def test_keys_are_shown_once_and_every_change_is_announced(gateway: Gateway) -> None:
    created = await gateway.post("/users/me/api-keys", json={"name": " laptop "})
    assert created.status_code == 201
    made = created.json()["data"]
    assert made["name"] == "laptop"
    gateway.keys["new"] = made["key"]
    assert (await gateway.get("/users/me", "new")).json()["data"]["user_id"] == "someone"
    keys = (await gateway.get("/users/me/api-keys")).json()["data"]
    assert {key["name"] for key in keys} == {"this machine", "laptop"}
    assert made["key"] not in str(keys)
    assert next(key for key in keys if key["name"] == "laptop")["last_used_at"]
    assert (await gateway.delete(f"/users/me/api-keys/{made['key_id']}", "another")).status_code == 404
    assert (await gateway.delete(f"/users/me/api-keys/{made['key_id']}")).status_code == 200
    assert (await gateway.get("/users/me", "new")).status_code == 401
    first, second = await gateway.announced(UserChangedV1)
    assert (first.version, second.version) == (2, 3)
    assert hash_api_key(made["key"]) in {key.sha256 for key in first.api_keys}
    assert len(second.api_keys) == 1


@pytest.mark.parametrize("name", ["", "x" * 81, "a\\u0000b", "\\ud800"])
async def test_malformed_key_names_are_422(gateway: Gateway, name: str) -> None:
    body = f'{{"name": "{name}"}}'.encode()
    response = await gateway.post("/users/me/api-keys", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 422


async def test_suspended_users_are_403_and_strangers_401(gateway: Gateway) -> None:
    async with gateway.database.transaction() as session:
        await session.execute(text("UPDATE users SET status = 'suspended' WHERE user_id = 'another'"))
    assert (await gateway.get("/uploads", "another")).json()["error"]["code"] == "suspended"
    for headers in ({}, {"X-API-Key": "sk_nonsense"}, {"Authorization": "Bearer x.y.z"}):
        response = await gateway.client.get("/api/v1/uploads", headers=headers)
        assert (response.status_code, response.json()["error"]["code"]) == (401, "unauthenticated")


async def test_the_local_user_signs_in_from_the_own_page_only(gateway: Gateway) -> None:
    async def sign_in(**headers: str) -> int:
        answer = await gateway.client.post(
            "/api/v1/auth/local", headers={k.replace("_", "-"): v for k, v in headers.items()}
        )
        return answer.status_code

    assert await sign_in() == 200
    assert await sign_in(origin="http://localhost:8080", sec_fetch_site="same-origin") == 200
    assert await sign_in(host="127.0.0.1:9000", origin="http://127.0.0.1:9000") == 200
    assert await sign_in(host="[::1]:9000") == 200
    assert await sign_in(host="evil.example:8080") == 403
    assert await sign_in(host="localhost.evil.example") == 403
    assert await sign_in(host="evil@[::1") == 403
    assert await sign_in(origin="http://evil.example") == 403
    assert await sign_in(origin="null") == 403
    assert await sign_in(sec_fetch_site="cross-site") == 403
    assert await sign_in(sec_fetch_site="same-site") == 403
    token = (await gateway.client.post("/api/v1/auth/local")).json()["data"]["token"]
    me = await gateway.client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {token}"})
    assert me.json()["data"]["user_id"] == "someone"
