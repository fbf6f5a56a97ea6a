"""Stores on a real directory: listing against a plain model, session expiry, generations, shared bodies."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localcloud.storage.bodies import BodyStore
from localcloud.storage.bucket_store import BucketStore
from localcloud.storage.checksums import ExpectedChecksums
from localcloud.storage.database import Database
from localcloud.storage.errors import StorageError
from localcloud.storage.listing import ListingRequest, list_objects
from localcloud.storage.model import Body, ObjectAttributes
from localcloud.storage.object_rows import ObjectKey
from localcloud.storage.object_store import NewObject, ObjectStore, Source
from localcloud.storage.outbox import Outbox
from localcloud.storage.preconditions import Preconditions
from localcloud.storage.resources import Resources
from localcloud.storage.uploads import SESSION_SECONDS, UploadRequest, UploadStore

ANY = Preconditions()
BODY = Body("00" * 16, 0, "AAAAAA==", None)
NAMES = st.sets(st.text("ab/é\U0001f600", min_size=1, max_size=6), max_size=12)


class Stores:
    """Everything below the routes, on one directory."""

    def __init__(self, directory: Path) -> None:
        self.database = Database(directory / "metadata.sqlite")
        self.bodies = BodyStore(directory / "bodies")
        self.files = directory / "bodies"
        self.buckets = BucketStore(self.database)
        self.objects = ObjectStore(self.database, self.bodies, Outbox(self.database, Resources("http://x")))
        self.now = 1_000_000.0
        self.uploads = UploadStore(self.database, self.bodies, self.objects, lambda: self.now)

    def put(self, bucket: str, name: str, data: bytes | None = None) -> int:
        body = BODY
        if data is not None:
            writer = self.bodies.create()
            writer.write(data)
            writer.sync()
            body = writer.body()
        return self.objects.insert(NewObject(bucket, name, ObjectAttributes(), ANY), body).generation

    def file_count(self) -> int:
        return len(list(self.files.glob("??/*")))


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    made = Stores(tmp_path)
    made.buckets.create("bucket", "p", {})
    yield made
    made.database.close()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=NAMES, prefix=st.text("ab/", max_size=2), delimiter=st.sampled_from(["", "/", "ab"]), limit=st.integers(1, 5)
)
def test_listing_equals_the_model(stores: Stores, names: set[str], prefix: str, delimiter: str, limit: int) -> None:
    bucket = f"bucket-{len(stores.buckets.page('q', '', '', 1000))}"
    stores.buckets.create(bucket, "q", {})
    for name in names:
        stores.put(bucket, name)
    items: list[str] = []
    prefixes: list[str] = []
    token = ""
    while True:
        request = ListingRequest(bucket, prefix, delimiter, limit=limit, page_token=token)
        page = list_objects(stores.database, request)
        assert 0 < len(page.items) + len(page.prefixes) <= limit or not page.next_token
        items += [stored.name for stored in page.items]
        prefixes += page.prefixes
        token = page.next_token
        if not token:
            break
    within = sorted((name for name in names if name.startswith(prefix)), key=str.encode)
    cut = {name: name.find(delimiter, len(prefix)) if delimiter else -1 for name in within}
    assert items == [name for name in within if cut[name] < 0]
    folded = dict.fromkeys(name[: cut[name] + len(delimiter)] for name in within if cut[name] >= 0)
    assert prefixes == list(folded)


def test_generations_only_grow(stores: Stores) -> None:
    generations = [stores.put("bucket", "x") for _ in range(50)]
    assert generations == sorted(set(generations))


def test_a_body_lives_as_long_as_a_version_names_it(stores: Stores) -> None:
    stores.put("bucket", "a", b"data")
    source = Source(ObjectKey("bucket", "a"), ANY)
    stores.objects.copy(source, None, ObjectKey("bucket", "b"), ANY)
    stores.objects.copy(source, None, ObjectKey("bucket", "a"), ANY)
    assert stores.file_count() == 1
    stores.objects.delete(ObjectKey("bucket", "a"), ANY)
    stored, file = stores.objects.open(ObjectKey("bucket", "b"), ANY)
    with file:
        assert (file.read(), stored.body.size) == (b"data", 4)
    stores.objects.delete(ObjectKey("bucket", "b"), ANY)
    assert stores.file_count() == 0


def test_a_refused_transaction_changes_nothing(stores: Stores) -> None:
    stores.put("bucket", "a", b"data")
    with pytest.raises(StorageError):
        stores.objects.delete(ObjectKey("bucket", "a"), Preconditions(generation_match=1))
    assert stores.objects.get(ObjectKey("bucket", "a"), ANY).body.size == 4
    assert stores.file_count() == 1


def start_upload(stores: Stores) -> str:
    request = UploadRequest(NewObject("bucket", "x", ObjectAttributes(), ANY), ExpectedChecksums())
    session = stores.uploads.start(request)
    session.writer.write(b"part")
    stores.uploads.checkpoint(session)
    return session.upload_id


@pytest.mark.parametrize("by", ["request", "sweep"])
def test_sessions_expire_after_a_week(stores: Stores, by: str) -> None:
    upload_id = start_upload(stores)
    stores.now += SESSION_SECONDS - 1
    assert stores.uploads.load(upload_id).persisted == 4
    assert stores.uploads.expire() == 0
    stores.now += 2
    if by == "sweep":
        assert stores.uploads.expire() == 1
    with pytest.raises(StorageError) as refused:
        stores.uploads.load(upload_id)
    assert refused.value.status == (410 if by == "request" else 404)
    assert stores.file_count() == 0


def test_a_session_unloaded_from_memory_is_read_from_disk(stores: Stores) -> None:
    upload_id = start_upload(stores)
    session = stores.uploads.load(upload_id)
    session.writer.write(b"never synced")
    stores.uploads.unload(session)
    again = stores.uploads.load(upload_id)
    assert again.persisted == 4
    again.writer.write(b"ial")
    stored = stores.uploads.finish(again, ExpectedChecksums())
    _, file = stores.objects.open(ObjectKey("bucket", "x", stored.generation), ANY)
    with file:
        assert file.read() == b"partial"
