"""A change of the embedding model on the running system, as an operator does it: nothing analysed or paid for twice."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.pipeline.local_system import LocalSystem, data_of, wait_for
from tests.unit.embeddings.openai_server import EmbeddingsServer, embeddings_server

NEXT = "text-embedding-3-small@1536"
TEXTS = {
    "ferry.txt": "The ferry to the island leaves the northern pier at half past six every morning.",
    "bread.txt": "Our bakery sells rye bread with caraway and a sourdough that rests for two days.",
    "bees.txt": "Honey bees tell each other by a dance where the meadow with the clover lies.",
}
pytestmark = pytest.mark.timeout(300)
"""A system is started twice before the test."""

LATE = "A violin maker tunes the belly of the instrument before the varnish is laid on."
QUERIES = {
    "ferry to the island": "ferry.txt",
    "rye bread with caraway": "bread.txt",
    "honey bees dance meadow clover": "bees.txt",
}


@pytest.fixture(scope="module")
def provider() -> Iterator[EmbeddingsServer]:
    with embeddings_server() as server:
        yield server


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, provider: EmbeddingsServer) -> Iterator[LocalSystem]:
    """A system that was filled under its first model, and was then told of a second one."""
    data_dir = tmp_path_factory.mktemp("reembedding") / "data"
    before = LocalSystem(data_dir)
    before.start()
    try:
        for upload_id in [upload(before, name, text) for name, text in TEXTS.items()]:
            assert before.until_final(upload_id)["status"] == "completed"
    finally:
        before.stop()
    told = {"EMBEDDING_NEXT_BACKEND": "openai", "OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": provider.url}
    system = LocalSystem(data_dir, **told)
    system.start()
    yield system
    system.stop()


def upload(system: LocalSystem, name: str, text: str) -> str:
    path = system.data_dir.with_name(name)
    path.write_text(text)
    return data_of(system.upload(path))["upload_id"]


def reembed(system: LocalSystem, *words: str, ok: bool = True) -> str:
    command = [sys.executable, "-P", "-m", "mmsearch.cli", "reembed", *words, "--data-dir", str(system.data_dir)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "200"})
    assert (done.returncode == 0) is ok, done.stdout + done.stderr
    return done.stdout + done.stderr


def model(system: LocalSystem, model_id: str) -> dict[str, Any]:
    with system.http() as http:
        models = data_of(http.get("/api/v1/search/models", params={"everyone": True}))
    return next(one for one in models if one["model_id"] == model_id)


def analyses(system: LocalSystem) -> int:
    blobs = system.bucket("ARTIFACTS_BUCKET").list_blobs()
    return sum("/analyzer/" in blob.name and blob.name.endswith("/manifest.json") for blob in blobs)


def paid_texts(provider: EmbeddingsServer) -> int:
    return sum(len(request["input"]) for request in provider.requests)


def assert_everything_is_found(system: LocalSystem) -> None:
    for mode in ("hybrid", "semantic"):
        first = {query: [r["filename"] for r in system.search(query, mode=mode)][:1] for query in QUERIES}
        assert first == {query: [name] for query, name in QUERIES.items()}


def test_from_the_estimate_to_the_drop(system: LocalSystem, provider: EmbeddingsServer) -> None:
    analysed = analyses(system)
    estimate(system)
    assert paid_texts(provider) == 0, "the estimate is free"
    fill(system, provider)
    late = upload(system, "violin.txt", LATE)
    paid = both_are_written(system, provider, late)
    assert analyses(system) == analysed + 1, "only the new file was analysed"
    compare(system)
    switch_and_back(system)
    reembed(system, "drop", "--model", NEXT, "--yes")
    gone = model(system, NEXT)
    assert (gone["dropped"], gone["files"], gone["passages"]) == (True, 0, 0)
    assert_everything_is_found(system)
    assert system.status(late)["status"] == "completed"
    assert {upload["status"] for upload in system.uploads()} == {"completed"}
    assert paid_texts(provider) <= paid + 2 * len(QUERIES) + 1, "afterwards only queries were paid for"


def estimate(system: LocalSystem) -> None:
    told = json.loads(reembed(system, "status", "--all", "--json"))
    before = next(one for one in told if one["model_id"] == NEXT)
    assert (before["configured"], before["expected"], before["missing_files"], before["files"]) == ("next", 3, 3, 0)
    assert 0 < before["missing_cost_usd"] < 0.001
    assert "model_not_covering" in reembed(system, "switch", "--model", NEXT, "--all", ok=False)
    system.search(next(iter(QUERIES)))
    assert "model_covers_nothing" in reembed(system, "compare", "--model", NEXT, ok=False)


def fill(system: LocalSystem, provider: EmbeddingsServer) -> None:
    assert "3 of 3 files" in reembed(system, "start", "--model", NEXT, "--yes")
    full = model(system, NEXT)
    assert (full["missing_files"], full["files"]) == (0, 3)
    assert paid_texts(provider) == full["passages"]
    assert_everything_is_found(system)


def both_are_written(system: LocalSystem, provider: EmbeddingsServer, late: str) -> int:
    """From the upload on, and starting again pays for nothing. Answers how many texts were paid for in all."""
    assert system.until_final(late)["status"] == "completed"
    grown = wait_for(lambda: (state := model(system, NEXT))["files"] == 4 and state)
    paid = paid_texts(provider)
    assert paid == grown["passages"]
    reembed(system, "start", "--model", NEXT, "--yes")
    assert (model(system, NEXT)["missing_files"], paid_texts(provider)) == (0, paid)
    return paid


def compare(system: LocalSystem) -> None:
    compared = json.loads(reembed(system, "compare", "--model", NEXT, "--json"))
    assert {one["query"] for one in compared["queries"]} == set(QUERIES)
    assert all(one["after"][:1] == [QUERIES[one["query"]]] for one in compared["queries"])
    assert 0 <= compared["overlap"] <= 1
    assert (compared["expected"], compared["missing_files"]) == (4, 0)


def switch_and_back(system: LocalSystem) -> None:
    reembed(system, "switch", "--model", NEXT, "--all")
    assert model(system, NEXT)["answering"] is True
    assert_everything_is_found(system)
    assert [r["filename"] for r in system.search("violin maker varnish", mode="semantic")] == ["violin.txt"]
    assert "model_answers" in reembed(system, "drop", "--model", NEXT, "--yes", ok=False)

    reembed(system, "rollback", "--all")
    assert model(system, NEXT)["answering"] is False
    assert_everything_is_found(system)
