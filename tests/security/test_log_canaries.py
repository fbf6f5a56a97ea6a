"""Contents, names, searches and secrets are sent in by every door, good and bad; no log, span or metric shows them."""

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from docx import Document
from PIL import Image, PngImagePlugin

from contracts.artifacts import Service
from tests.pipeline.local_system import LocalSystem, wait_for

CONTENT = "qzcontentcanary"
NAME = "qznamecanary"
METADATA = "qzmetadatacanary"
QUERY = "qzquerycanary"
SECRET = "qzsecretcanary"
CANARIES = (CONTENT, NAME, METADATA, QUERY, SECRET)


@dataclass(frozen=True)
class Written:
    """Everything the system wrote about what it did, by where it stands."""

    places: dict[str, bytes]

    def holding(self, canary: str) -> list[str]:
        wanted = (canary.encode(), canary.upper().encode(), canary.encode("utf-16-le"))
        return [f"{canary} in {name}" for name, text in self.places.items() if any(w in text for w in wanted)]


def files(directory: Path) -> Iterator[Path]:
    """Good and bad ones; each says the canary somewhere else."""
    directory.mkdir()
    (directory / f"{NAME} note.txt").write_text(f"The {CONTENT} is in the text, and an address: {CONTENT}@example.org.")
    document = Document()
    document.core_properties.title = f"{CONTENT} title"
    document.add_paragraph(f"A paragraph about {CONTENT}.")
    document.save(str(directory / f"{NAME}.docx"))
    about = PngImagePlugin.PngInfo()
    about.add_text("Description", CONTENT)
    Image.new("RGB", (64, 64), "red").save(directory / f"{NAME}.png", pnginfo=about)
    (directory / f"{NAME} broken.pdf").write_bytes(b"%PDF-1.7\n1 0 obj <</Title (" + CONTENT.encode() + b")>> endobj")
    (directory / f"{NAME} broken.docx").write_bytes(_broken_docx())
    (directory / f"{NAME} broken.json.txt").write_bytes(b"\xff\xfe" + CONTENT.encode("utf-16-le") + b"\x00")
    yield from sorted(directory.iterdir())


def _broken_docx() -> bytes:
    import io  # noqa: PLC0415 - only here

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("[Content_Types].xml", f"<Types><{CONTENT}></Types>")
        archive.writestr("word/document.xml", f"<w:document>{CONTENT}<unclosed>")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def written(system: LocalSystem, tmp_path_factory: pytest.TempPathFactory) -> Written:
    paths = list(files(tmp_path_factory.mktemp("canaries") / "files"))
    user = system.variables["MMSEARCH_USER_ID"]
    ids = []
    with system.http() as http:
        for path in paths:
            answer = http.post(
                "/api/v1/upload",
                files={"file": (path.name, path.read_bytes())},
                data={"metadata": json.dumps({"note": METADATA})},
            )
            ids += [answer.json()["data"]["upload_id"]] if answer.is_success else []
        _refused(http)
    for path in paths:
        system.drop(f"{user}/{NAME}/{path.name}", path.read_bytes())
    system.drop(f"{SECRET}-nobody/{NAME}.txt", CONTENT.encode())
    assert len(ids) >= 3
    for upload_id in ids:
        system.until_final(upload_id)
    dropped = wait_for(lambda: _dropped(system, len(paths)))
    for upload in dropped:
        system.until_final(upload["upload_id"])
    for mode in ("hybrid", "semantic", "keyword"):
        system.search(f"{QUERY} {CONTENT}", mode=mode)
    _with_wrong_secrets(system.url)
    _until_quiet(system)
    return Written(_collected(system))


def _refused(http: httpx2.Client) -> None:
    """Requests that cannot be understood, at routes that would say why."""
    assert http.post("/api/v1/upload", content=f"--{CONTENT}", headers={"content-type": "multipart/form-data"}).is_error
    bad = {"file": (f"{NAME}.bin", b"\x7fELF\x02\x01\x01" + bytes(64) + CONTENT.encode() * 20)}
    assert http.post("/api/v1/upload", files=bad).is_error
    wrong = {"file": (f"{NAME}.txt", b"x")}
    assert http.post("/api/v1/upload", files=wrong, data={"metadata": f"{{{METADATA}"}).is_error
    assert http.post("/api/v1/search", json={"query": [QUERY], "mode": QUERY}).status_code == 422
    assert http.get("/api/v1/uploads", params={"sort": QUERY, "limit": QUERY}).is_error


def _with_wrong_secrets(url: str) -> None:
    for headers in (
        {"X-API-Key": f"sk_{SECRET}"},
        {"Authorization": f"Bearer {SECRET}.{SECRET}.{SECRET}"},
        {"Authorization": f"Basic {SECRET}"},
        {"Cookie": f"session={SECRET}"},
    ):
        for path in ("/api/v1/uploads", "/api/v1/search/history"):
            answer = httpx2.get(url + path, headers=headers, params={"token": SECRET}, trust_env=False)
            assert answer.status_code in (401, 403)


def _dropped(system: LocalSystem, expected: int) -> list[dict[str, str]] | None:
    found = [u for u in system.uploads() if NAME in u["filename"]]
    return found if len(found) >= expected else None


def _until_quiet(system: LocalSystem) -> None:
    """Spans of the last work are sent within seconds; a marker sent after it says that they are there."""
    with system.http() as http:
        trace_id = http.post("/api/v1/search", json={"query": "the end"}).headers["X-Trace-Id"]
        gateway = http.get("/api/v1/uploads").headers["X-Trace-Id"]
        for last in (trace_id, gateway):
            wait_for(lambda last=last: http.get(f"/traces/{last}.json").json()["data"][0]["spans"], 30)


def _collected(system: LocalSystem) -> dict[str, bytes]:
    places = {path.name: path.read_bytes() for path in sorted((system.data_dir / "logs").iterdir())}
    for path in sorted((system.data_dir / "traces").iterdir()):
        places[f"traces/{path.name}"] = path.read_bytes()
    ports = json.loads((system.data_dir / "ports.json").read_text())
    for name in (*(service.value for service in Service), "pubsub-jwks"):
        answer = httpx2.get(f"http://127.0.0.1:{ports[name]}/metrics", trust_env=False)
        places[f"metrics of {name}"] = answer.content
    return places


@pytest.mark.parametrize("canary", CANARIES)
def test_no_canary_is_written_anywhere(written: Written, canary: str) -> None:
    assert written.holding(canary) == []


def test_the_secrets_of_the_system_are_written_nowhere(written: Written, system: LocalSystem) -> None:
    secrets = {path.name: path.read_text().strip() for path in (system.data_dir / "secrets").iterdir()}
    secrets["key in use"] = system.variables["MMSEARCH_API_KEY"]
    assert len(secrets) >= 3
    for name, secret in secrets.items():
        assert written.holding(secret) == [], name


def test_there_was_something_to_look_at(written: Written) -> None:
    """Spans of the files, lines about them and the failures are there, so that a leak would have been seen."""
    logs = b"".join(text for name, text in written.places.items() if name.endswith(".log"))
    spans = b"".join(text for name, text in written.places.items() if name.startswith("traces/"))
    assert b'"rejected"' in written.places["metrics of media-processor"]
    assert b"corrupt" in spans
    assert b"process embedder.media.analyzed.v1" in spans
    for service in Service:
        assert f'"service": "{service.value}"'.encode() in logs


def test_every_line_of_an_event_or_request_says_what_it_must(written: Written) -> None:
    for service in Service:
        lines = [json.loads(line) for line in written.places[f"{service.value}.log"].splitlines() if line[:1] == b"{"]
        events = [line for line in lines if line.get("event") in ("event", "request")]
        assert events, service
        for line in events:
            assert {"timestamp", "level", "service", "action", "duration_ms", "status", "trace_id"} <= set(line), line
            assert len(line.get("user_id", "")) <= 9
        worked = [line for line in events if line["event"] == "event" and line["action"] == "process"]
        if service is Service.ANALYZER:
            assert all(line["upload_id"].startswith("upl_") for line in worked)
    gateway = written.places["upload-gateway.log"].decode()
    assert '"action": "POST /api/v1/upload"' in gateway
    assert "/health" not in gateway
