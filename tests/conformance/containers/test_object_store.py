"""What every object store promises, over Cloud Storage's client against fake-gcs-server."""

from collections.abc import AsyncGenerator

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from objectstore.gcs import connect
from objectstore.store import ObjectStore
from tests.conformance.containers.official import StorageServer, suite_of
from tests.conformance.objectstore import test_object_store
from tests.conformance.objectstore.test_object_store import BUCKET

globals().update(suite_of(test_object_store))


@pytest.fixture
async def store(emulator: StorageServer, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[ObjectStore, None]:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator.url)
    client = storage.Client(project="local-project", credentials=AnonymousCredentials())
    if client.lookup_bucket(BUCKET) is None:
        client.create_bucket(BUCKET)
    for blob in client.list_blobs(BUCKET):
        blob.delete()
    client.close()
    async with connect("local-project", emulator.data_dir / "service-account.json") as connected:
        yield connected
