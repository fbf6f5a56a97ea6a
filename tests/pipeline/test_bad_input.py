"""Bad input ends in a clear error or a failed status with its code: never a 500, a hang or a lost file."""

import io
import secrets
import socket
import zipfile
from pathlib import Path

import pytest
from pypdf import PdfWriter

from contracts.identifiers import ownership
from localcloud.samples import Sample
from tests.pipeline.local_system import LocalSystem, data_of, wait_for


def _post(system: LocalSystem, name: str, content: bytes):
    with system.http() as http:
        return http.post("/api/v1/upload", files={"file": (name, content)})


def test_an_empty_file_is_refused(system: LocalSystem) -> None:
    answer = _post(system, "empty.txt", b"")
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]["code"] == "file_size"


def test_an_unsupported_type_is_refused_by_its_content(system: LocalSystem) -> None:
    answer = _post(system, "photo.jpg", b"\x7fELF" + bytes(2000))
    assert answer.status_code == 415
    assert answer.json()["error"]["code"] == "unsupported_format"


@pytest.mark.parametrize("name", ["../../etc/passwd.txt", "a\u202egpj.txt", "..\\..\\x.txt", "CON\x07.txt"])
def test_a_hostile_name_is_neutralised_or_refused(system: LocalSystem, name: str) -> None:
    answer = _post(system, name, f"harmless {secrets.token_hex(8)}".encode())
    assert answer.status_code in (202, 400, 422), answer.text
    if answer.status_code == 202:
        status = system.until_final(data_of(answer)["upload_id"])
        assert status["status"] == "completed"
        assert not set("/\\\u202e\x07") & set(status["filename"])


def test_names_that_are_too_long_or_hold_nul_are_refused(system: LocalSystem) -> None:
    for name in ("x" * 300 + ".txt", "nul%00.txt", ""):
        answer = _post(system, name, b"some text")
        assert answer.status_code in (400, 422, 202)
        assert answer.status_code != 500
    assert _post(system, "x" * 300 + ".txt", b"some text").status_code == 422


def test_a_name_of_any_script_is_kept(system: LocalSystem) -> None:
    name = "Ünïcode 写真 фото تصویر.txt"
    upload_id = data_of(_post(system, name, f"notes {secrets.token_hex(8)}".encode()))["upload_id"]
    assert system.until_final(upload_id)["filename"] == name


def test_a_lying_content_length_is_no_hang(system: LocalSystem) -> None:
    boundary = "xyz"
    part = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nshort'
    head = (
        "POST /api/v1/upload HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"X-API-Key: {system.variables['MMSEARCH_API_KEY']}\r\n"
        f"Content-Type: multipart/form-data; boundary={boundary}\r\nContent-Length: 999999999999\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", system.port), timeout=20) as connection:
        connection.sendall(head.encode() + part.encode())
        answer = connection.recv(4096)
    assert b" 413 " in answer.split(b"\r\n")[0]


def test_a_connection_that_breaks_leaves_nothing(system: LocalSystem) -> None:
    name = f"broken-{secrets.token_hex(4)}.txt"
    head = (
        "POST /api/v1/upload HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"X-API-Key: {system.variables['MMSEARCH_API_KEY']}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000000\r\n\r\n"
        f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    )
    with socket.create_connection(("127.0.0.1", system.port), timeout=20) as connection:
        connection.sendall(head.encode() + b"text " * 100_000)
    assert all(u["filename"] != name or u["status"] == "failed" for u in system.uploads())


def _encrypted_pdf() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.encrypt("secret")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def _truncated(samples: list[Sample], suffix: str, share: float) -> bytes:
    whole = next(s.path for s in samples if s.path.suffix == suffix).read_bytes()
    return whole[: int(len(whole) * share)]


def _zip_bomb_docx() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", bytes(700 * 1024 * 1024))
    return buffer.getvalue()


def test_files_that_cannot_be_read_fail_with_their_code_while_others_flow(
    system: LocalSystem, samples: list[Sample], tmp_path: Path
) -> None:
    bad = {
        "encrypted.pdf": (_encrypted_pdf(), {"encrypted"}),
        "truncated.jpg": (_truncated(samples, ".jpg", 0.02), {"corrupt"}),
        "truncated.mp4": (_truncated(samples, ".mp4", 0.005), {"corrupt"}),
        "truncated.docx": (_truncated(samples, ".docx", 0.3), {"corrupt", "unsupported_format"}),
        "bomb.docx": (_zip_bomb_docx(), {"resource_limit"}),
    }
    sent = {}
    for name, (content, codes) in bad.items():
        answer = _post(system, name, content)
        assert answer.status_code in (202, 415), answer.text
        if answer.status_code == 202:
            sent[name] = (data_of(answer)["upload_id"], codes)
        else:
            assert answer.json()["error"]["code"] in codes
    good = data_of(_post(system, "good.txt", f"a good file {secrets.token_hex(8)}".encode()))["upload_id"]
    assert system.until_final(good)["status"] == "completed"
    for name, (upload_id, codes) in sent.items():
        status = system.until_final(upload_id)
        assert status["status"] == "failed", name
        assert status["error"]["code"] in codes, (name, status["error"])
        assert status["error"]["message"]
        assert status["error"]["advice"]


@pytest.mark.parametrize("name", ["nobody-here/orphan.txt", "orphan-at-the-top.txt", "unknown/orphan.txt"])
def test_a_drop_without_a_known_owner_is_rejected_with_a_stated_reason(system: LocalSystem, name: str) -> None:
    system.drop(name, f"whose is this? {name}".encode(), "text/plain")

    def rejected() -> dict | None:
        with system.http() as http:
            found = data_of(http.get("/api/v1/admin/rejected"))
        return next((r for r in found if r["object_name"] == name), None)

    assert wait_for(rejected, 30)["error"]["code"] == "unknown_owner"
    assert all(r["filename"] != name.rsplit("/", maxsplit=1)[-1] for r in system.search("whose is this?"))


def test_a_folders_placeholder_is_no_upload(system: LocalSystem) -> None:
    user = system.variables["MMSEARCH_USER_ID"]
    system.drop(f"{user}/an empty folder/", b"")
    system.drop(f"{user}/after the folder.txt", b"written after the folder, about capybaras", "text/plain")
    system.until_found("written after the folder about capybaras", "after the folder.txt")
    placeholder = ownership(system.variables["UPLOADS_BUCKET"], f"{user}/an empty folder/").upload_id
    with system.http() as http:
        assert http.get(f"/api/v1/upload/status/{placeholder}").status_code == 404


def test_a_search_that_makes_no_sense_is_no_server_error(system: LocalSystem) -> None:
    with system.http() as http:
        for body in ({}, {"query": ""}, {"query": 3}, {"query": "x", "limit": 0}, {"query": "'; DROP TABLE files; --"}):
            assert http.post("/api/v1/search", json=body).status_code in (200, 422)


def test_without_a_key_nothing_is_answered(system: LocalSystem) -> None:
    with system.http() as http:
        http.headers.pop("X-API-Key")
        for method, path in (("GET", "/api/v1/uploads"), ("POST", "/api/v1/search"), ("POST", "/api/v1/upload")):
            answer = http.request(method, path)
            assert answer.status_code == 401
            assert answer.json()["error"]["code"] == "unauthenticated"
