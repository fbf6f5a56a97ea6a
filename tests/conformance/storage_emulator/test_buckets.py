"""Buckets by the official client and by plain HTTP."""

import secrets
import subprocess
import sys

import pytest
import requests
from google.api_core.exceptions import BadRequest, Conflict, NotFound, PreconditionFailed
from google.cloud import storage

from tests.conformance.storage_emulator.process import ROOT, StorageProcess


def test_create_get_patch_delete(client: storage.Client) -> None:
    name = f"bucket-{secrets.token_hex(6)}"
    bucket = client.create_bucket(name)
    assert client.get_bucket(name).metageneration == 1
    bucket.labels = {"team": "search"}
    bucket.cors = [{"origin": ["https://a.example"], "method": ["PUT"]}]
    bucket.patch()
    again = client.get_bucket(name)
    assert again.labels == {"team": "search"}
    assert again.cors[0]["origin"] == ["https://a.example"]
    assert again.metageneration == 2
    bucket.delete()
    with pytest.raises(NotFound):
        client.get_bucket(name)
    assert client.lookup_bucket(name) is None


def test_refusals(client: storage.Client, bucket: storage.Bucket) -> None:
    with pytest.raises(Conflict):
        client.create_bucket(bucket.name)
    with pytest.raises(BadRequest):
        client.create_bucket("Bad_Name")
    bucket.blob("x").upload_from_string(b"x")
    with pytest.raises(Conflict, match="not empty"):
        bucket.delete()
    with pytest.raises(PreconditionFailed):
        bucket.patch(if_metageneration_match=99)
    with pytest.raises(NotFound):
        client.bucket("there-is-no-such-bucket").blob("x").upload_from_string(b"x")


def test_listing_pages(client: storage.Client) -> None:
    prefix = f"page-{secrets.token_hex(4)}-"
    names = [f"{prefix}{number}" for number in range(5)]
    for name in names:
        client.create_bucket(name)
    assert [found.name for found in client.list_buckets(prefix=prefix, page_size=2)] == names


def test_service_account_health_and_unknown_paths(client: storage.Client, emulator: StorageProcess) -> None:
    assert client.get_service_account_email().endswith("@gs-project-accounts.iam.gserviceaccount.com")
    assert requests.get(f"{emulator.url}/healthz", timeout=5).json() == {"status": "ok"}
    unknown = requests.get(f"{emulator.url}/storage/v1/nothing", timeout=5)
    assert unknown.status_code == 404
    assert unknown.json()["error"]["code"] == 404
    assert requests.post(f"{emulator.url}/storage/v1/b", data="{", timeout=5).status_code == 400
    assert requests.delete(f"{emulator.url}/storage/v1/b", timeout=5).status_code == 405


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Host": "rebound.example"}])
@pytest.mark.parametrize("session", ["", "&upload_id=guessed"])
def test_web_pages_do_not_reach_the_json_api(
    emulator: StorageProcess, bucket: storage.Bucket, session: str, headers: dict[str, str]
) -> None:
    bucket.blob("kept").upload_from_string(b"private")
    deletion = f"DELETE /storage/v1/b/{bucket.name}/o/kept HTTP/1.1\r\n\r\n\r\n"
    batch = f"--b\r\nContent-Type: application/http\r\n\r\n{deletion}--b--\r\n"
    asked = [
        ("GET", "/storage/v1/b?project=p", ""),
        ("GET", f"/storage/v1/b/{bucket.name}/o/kept?alt=media", ""),
        ("GET", f"/download/storage/v1/b/{bucket.name}/o/kept?alt=media", ""),
        ("DELETE", f"/storage/v1/b/{bucket.name}/o/kept?alt=json", ""),
        ("POST", f"/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=planted", "x"),
        ("POST", "/batch/storage/v1?alt=json", batch),
    ]
    sent = {**headers, "Content-Type": "multipart/mixed; boundary=b"}
    for method, path, body in asked:
        answer = requests.request(method, f"{emulator.url}{path}{session}", data=body, headers=sent, timeout=5)
        assert answer.status_code in (403, 404), path
        assert b"private" not in answer.content
    assert [blob.name for blob in bucket.list_blobs()] == ["kept"]


@pytest.mark.parametrize("taken", ["port", "directory"])
def test_taken_port_or_directory_is_said_clearly(emulator: StorageProcess, tmp_path: object, taken: str) -> None:
    directory, port = (tmp_path, emulator.port) if taken == "port" else (emulator.data_dir, 0)
    command = [sys.executable, "-m", "localcloud.storage", "--data-dir", str(directory), "--port", str(port)]
    ended = subprocess.run(
        command, cwd=ROOT / "deploy" / "local", capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.returncode == 2
    assert (str(emulator.port) if taken == "port" else str(emulator.data_dir)) in ended.stderr
    assert "Traceback" not in ended.stderr
