"""Files of all four kinds, posted and dropped, become findable by what is in them; and go when they are deleted."""

import httpx2
import pytest

from localcloud.samples import Sample
from tests.pipeline.local_system import LocalSystem, data_of, wait_for


@pytest.fixture(scope="module")
def fed(system: LocalSystem, samples: list[Sample]) -> dict[str, str]:
    """Half the samples posted, half dropped; answers file name → upload id once all are through."""
    user = system.variables["MMSEARCH_USER_ID"]
    for number, sample in enumerate(samples):
        if number % 2:
            assert system.upload(sample.path).status_code == 202
        else:
            system.drop(f"{user}/drops/{sample.path.name}", sample.path)
    wanted = {sample.path.name for sample in samples}

    def all_final() -> dict[str, str] | None:
        uploads = {u["filename"]: u for u in system.uploads() if u["filename"] in wanted}
        final = [u for u in uploads.values() if u["status"] in ("completed", "failed")]
        return {u["filename"]: u["upload_id"] for u in final} if len(final) == len(wanted) else None

    return wait_for(all_final)


def test_every_sample_is_completed(system: LocalSystem, fed: dict[str, str]) -> None:
    assert {name: system.status(upload_id)["status"] for name, upload_id in fed.items()} == dict.fromkeys(
        fed, "completed"
    )


def test_every_sample_is_found_first_by_what_is_in_it(
    system: LocalSystem, fed: dict[str, str], samples: list[Sample]
) -> None:
    first = {s.query: (system.search(s.query) or [{"filename": None}])[0]["filename"] for s in samples}
    assert first == {s.query: s.path.name for s in samples}


def test_a_hit_points_at_the_page_and_the_second(system: LocalSystem, fed: dict[str, str]) -> None:
    report = system.search("how much did the price of green coffee beans matter")[0]
    assert report["moments"][0]["page"] in (1, 2, 3)
    film = system.search("opening presents red scooter")[0]
    assert film["moments"][0]["start_s"] > 8, "the last of four scenes of 16 seconds"


def test_nonsense_finds_nothing(system: LocalSystem, fed: dict[str, str]) -> None:
    assert system.search("medieval castle siege tactics") == []


def test_every_kind_has_a_thumbnail_behind_a_signed_url(system: LocalSystem, fed: dict[str, str]) -> None:
    with system.http() as http, httpx2.Client(trust_env=False) as anyone:
        for name, upload_id in fed.items():
            answer = http.get(f"/api/v1/file/{upload_id}/thumbnail")
            assert answer.status_code == 302, name
            picture = anyone.get(answer.headers["Location"])
            assert picture.status_code == 200
            assert picture.headers["Content-Type"] in ("image/jpeg", "image/png")


def test_the_original_comes_back_byte_for_byte(system: LocalSystem, fed: dict[str, str], samples: list[Sample]) -> None:
    with system.http(follow_redirects=True) as http:
        for sample in samples[:4]:
            # The key goes to the gateway only; the redirect leads to another origin.
            location = http.get(f"/api/v1/file/{fed[sample.path.name]}/download", follow_redirects=False)
            content = httpx2.get(location.headers["Location"], trust_env=False).content
            assert content == sample.path.read_bytes()


def test_a_deleted_file_is_gone_from_search_and_list_and_comes_back(system: LocalSystem, fed: dict[str, str]) -> None:
    name = "lighthouse-log.txt"
    upload_id, query = fed[name], "aurora borealis seen by the lighthouse keeper"
    with system.http() as http:
        assert http.delete(f"/api/v1/upload/{upload_id}").is_success
        wait_for(lambda: all(r["filename"] != name for r in system.search(query)), 5)
        assert all(u["upload_id"] != upload_id for u in system.uploads())
        assert http.post(f"/api/v1/upload/{upload_id}/restore").is_success
    assert system.until_found(query, name)


def test_an_overwritten_drop_is_a_new_version_of_the_same_upload(system: LocalSystem) -> None:
    name = f"{system.variables['MMSEARCH_USER_ID']}/versions/note.txt"
    system.drop(name, b"The first version speaks of wombats in the garden.", "text/plain")
    first = system.until_found("wombats in the garden", "note.txt")
    system.drop(name, b"The second version speaks of pelicans by the sea.", "text/plain")
    second = system.until_found("pelicans by the sea", "note.txt")
    assert second["upload_id"] == first["upload_id"]
    wait_for(lambda: all("wombats" not in m["text"] for r in system.search("wombats") for m in r["moments"]), 10)


def test_a_dropped_object_that_is_deleted_leaves_search(system: LocalSystem) -> None:
    name = f"{system.variables['MMSEARCH_USER_ID']}/passing/axolotl.txt"
    system.drop(name, b"An axolotl regrows its legs and its gills.", "text/plain")
    system.until_found("axolotl regrows legs", "axolotl.txt")
    system.bucket().blob(name).delete()
    wait_for(lambda: all(r["filename"] != "axolotl.txt" for r in system.search("axolotl regrows legs")), 15)


def test_a_purged_upload_leaves_no_bytes(system: LocalSystem, samples: list[Sample], tmp_path) -> None:
    (tmp_path / "purge me.txt").write_text("A narwhal has one long tooth.")
    upload_id = data_of(system.upload(tmp_path / "purge me.txt"))["upload_id"]
    system.until_final(upload_id)
    user = system.variables["MMSEARCH_USER_ID"]
    with system.http() as http:
        assert http.delete(f"/api/v1/upload/{upload_id}", params={"purge": "true"}).is_success

    def left() -> list[str]:
        buckets = [system.bucket("UPLOADS_BUCKET"), system.bucket("ARTIFACTS_BUCKET")]
        return [blob.name for bucket in buckets for blob in bucket.list_blobs(prefix=f"{user}/{upload_id}/")]

    wait_for(lambda: not left(), 20)


def test_the_page_and_the_interface_description_are_served(system: LocalSystem) -> None:
    with system.http() as http:
        page = http.get("/")
        assert page.status_code == 200
        assert "mmsearch" in page.text
        paths = http.get("/api/v1/docs/openapi.json").json()["paths"]
        assert "/api/v1/upload" in paths


def test_health_names_nothing_that_is_down(system: LocalSystem) -> None:
    with system.http() as http:
        assert http.get("/health/ready").json()["down"] == []
