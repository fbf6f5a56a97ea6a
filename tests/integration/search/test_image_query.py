"""A picture as the query: copies of it are found however they were resized, and whatever is sent is answered."""

import asyncio
from io import BytesIO

import httpx2
import pytest
from PIL import Image, ImageDraw

from contracts.artifacts import Kind, Moderation
from search.image_hash import PictureUnreadable, difference_hash
from search.routes.image import MAX_PICTURE_BYTES

IMAGE = "/api/v1/search/image"


def drawn(seed: int, size=(640, 480), file_format="JPEG", **options) -> bytes:
    """Bars and discs, unlike those of any other seed."""
    picture = Image.new("RGB", (640, 480), (40 * seed % 256, 90, 160))
    draw = ImageDraw.Draw(picture)
    for i in range(6):
        x, y = (seed * 211 + i * 137) % 560, (seed * 97 + i * 173) % 400
        draw.ellipse((x, y, x + 60 + 30 * i, y + 50 + 25 * i), fill=((i * 60) % 256, (seed * 83 + i * 47) % 256, 30))
    buffer = BytesIO()
    picture.resize(size).save(buffer, file_format, **options)
    return buffer.getvalue()


async def sent(client: httpx2.AsyncClient, content: bytes, key: str | None = None, **parameters):
    headers = {"X-API-Key": key} if key else {}
    files = {"file": ("query.jpg", content, "image/jpeg")}
    return await client.post(IMAGE, files=files, params=parameters, headers=headers)


async def add_picture(world, user, name, content, kind=Kind.IMAGE):
    upload = world.upload(user, name)
    await world.apply(await world.processed(upload, kind=kind, thumbnail=await world.artifact(content)))
    return upload.upload_id


async def test_copies_are_found_first_and_others_not(world, client, names):
    await add_picture(world, "ada", "same.jpg", drawn(1, (300, 225)))
    await add_picture(world, "ada", "film.mp4", drawn(1, (300, 225), quality=30), Kind.VIDEO)
    await add_picture(world, "ada", "other.jpg", drawn(2, (300, 225)))
    await add_picture(world, "ada", "page.pdf", drawn(1, (300, 225)), Kind.DOCUMENT)
    for query in (drawn(1), drawn(1, (120, 90), "PNG"), drawn(1, (800, 600), "WEBP", quality=40)):
        data = (await sent(client, query)).json()["data"]
        assert sorted(names(data["results"])) == ["film.mp4", "same.jpg"]
        assert data["results"][0]["matched"] == ["looks"]
        assert data["results"][0]["similarity_score"] > 0.9
        assert data["compared"] == "looks"
    pages = [(await sent(client, drawn(1), limit=1, offset=offset)).json() for offset in range(3)]
    assert sorted(names([hit for page in pages for hit in page["data"]["results"]])) == ["film.mp4", "same.jpg"]
    assert [page["meta"]["has_more"] for page in pages] == [True, False, False]
    for filters, expected in (
        ({"file_types": "video"}, ["film.mp4"]),
        ({"file_types": ["video", "audio"], "max_size_mb": 1}, ["film.mp4"]),
        ({"date_to": "2026-03-05"}, ["film.mp4", "same.jpg"]),
        ({"date_from": "2026-03-06"}, []),
    ):
        answer = await sent(client, drawn(1), **filters)
        assert sorted(names(answer.json()["data"]["results"])) == expected, filters


async def test_what_moderation_objects_to_is_shown_when_asked_for(world, client, names):
    await add_picture(world, "ada", "shown.jpg", drawn(1))
    upload = world.upload("ada", "flagged.jpg")
    await world.apply(
        await world.processed(upload, kind=Kind.IMAGE, thumbnail=await world.artifact(drawn(1))),
        await world.analyzed(upload, [], moderation=Moderation(flagged=True)),
    )
    assert names((await sent(client, drawn(1))).json()["data"]["results"]) == ["shown.jpg"]
    everything = (await sent(client, drawn(1), include_flagged=True)).json()["data"]["results"]
    assert sorted(names(everything)) == ["flagged.jpg", "shown.jpg"]


async def test_nobody_elses_and_no_deleted_pictures(world, client):
    await add_picture(world, "bob", "bobs.jpg", drawn(1))
    await add_picture(world, "ada", "gone.jpg", drawn(1))
    await world.delete("ada", "gone.jpg")
    assert (await sent(client, drawn(1))).json()["data"]["results"] == []


async def test_a_thumbnail_that_cannot_be_read_keeps_nothing_from_being_found(world, client, names):
    upload = world.upload("ada", "harbour.jpg")
    missing = (await world.artifact(b"gone")).model_copy(update={"key": "a/nowhere"})
    await world.apply(await world.processed(upload, kind=Kind.IMAGE, thumbnail=missing))
    await add_picture(world, "ada", "harbour2.jpg", b"not a picture")
    answer = await client.post("/api/v1/search", json={"query": "harbour jpg"})
    assert sorted(names(answer.json()["data"]["results"])) == ["harbour.jpg", "harbour2.jpg"]


async def test_pictures_all_of_a_shade_look_like_nothing(world, client):
    buffer = BytesIO()
    Image.new("RGB", (50, 50), "white").save(buffer, "PNG")
    await add_picture(world, "ada", "white.png", buffer.getvalue())
    assert (await sent(client, buffer.getvalue())).json()["data"]["results"] == []


async def test_what_is_no_picture_is_refused(client):
    vector = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    for content in (b"GIF89a", b"\xff\xd8\xff\xe0" + b"x" * 100, drawn(1)[:300], vector, b"%PDF-1.7"):
        answer = await sent(client, content)
        assert answer.status_code == 415, content[:20]
        assert answer.json()["error"]["code"] == "unsupported_format"


async def test_forms_that_do_not_fit_are_refused(client):
    multipart = {"Content-Type": "multipart/form-data; boundary=x"}
    for body, headers in (
        (b"", multipart),
        (b"garbage", multipart),
        (b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\ntext\r\n--x--\r\n', multipart),
        (b'--x\r\nContent-Disposition: form-data; name="other"; filename="a"\r\n\r\nx\r\n--x--\r\n', multipart),
        (b"x", {"Content-Type": "multipart/form-data"}),
        (drawn(1), {"Content-Type": "image/jpeg"}),
    ):
        answer = await client.post(IMAGE, content=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_multipart"), body[:40]
    answer = await sent(client, b"x" * (MAX_PICTURE_BYTES + 20_000))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_size")
    for parameters in ({"limit": 0}, {"file_types": "hologram"}, {"date_from": "x"}, {"user_id": "bob"}):
        answer = await sent(client, drawn(1), **parameters)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_request"), parameters


def test_a_bomb_is_refused_before_it_is_decoded():
    bomb = BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    with pytest.raises(PictureUnreadable):
        difference_hash(bomb.getvalue())


async def test_who_sends_slowly_keeps_nobody_from_being_answered(world, client):
    """One user may have two pictures on their way; the next is refused at once, and others are answered."""
    begun, go_on = asyncio.Queue[None](), asyncio.Event()

    async def slowly():
        yield b"--x\r\n"
        await begun.put(None)
        await go_on.wait()
        yield b"--x--"

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    slow = [asyncio.create_task(client.post(IMAGE, content=slowly(), headers=headers)) for _ in range(2)]
    for _ in slow:
        await begun.get()
    refused = await sent(client, drawn(1))
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many_uploads")
    assert int(refused.headers["retry-after"]) > 0
    assert (await sent(client, drawn(1), key=await world.new_user("bob"))).status_code == 200
    go_on.set()
    assert [answer.status_code for answer in await asyncio.gather(*slow)] == [400, 400]
    assert (await sent(client, drawn(1))).status_code == 200
