"""The stage's handlers over an object store in memory: what they announce, store, refuse and purge."""

import gzip
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from contracts.artifacts import FailureCode, Kind, Material, Service, Storyboard, UploadRef
from contracts.events import MediaProcessedV1, ObjectFinalizedV1, UploadDeletedV1, UploadReprocessV1
from contracts.identifiers import ownership
from eventing.errors import Discard, Reject
from eventing.handlers import Outcome, Purge
from eventing.inputs import StoreInputs, opened_inputs
from media_processor.handlers import on_object_finalized, on_upload_deleted, on_upload_reprocess
from media_processor.handlers.on_object_finalized import ProcessObject
from media_processor.sandbox import Sandbox
from objectstore.testing import MemoryObjectStore
from tests.unit.media_processor import files, films

pytestmark = pytest.mark.asyncio(loop_scope="module")
UPLOADS, ARTIFACTS = "uploads", "artifacts"


@pytest_asyncio.fixture(loop_scope="module")
async def store() -> MemoryObjectStore:
    return MemoryObjectStore()


@pytest_asyncio.fixture(loop_scope="module")
async def inputs(store: MemoryObjectStore) -> AsyncIterator[StoreInputs]:
    async with opened_inputs(store, ARTIFACTS, "prefix/") as opened:
        yield opened


async def dropped(store: MemoryObjectStore, content: bytes, name: str) -> ObjectFinalizedV1:
    stored = await store.put(UPLOADS, name, content, "text/plain")
    return finalized(name, len(content), stored.generation)


def finalized(name: str, size: int, generation: int = 1) -> ObjectFinalizedV1:
    owner = ownership(UPLOADS, name)
    upload = UploadRef(
        upload_id=owner.upload_id, user_id=owner.user_id, bucket=UPLOADS, object_name=name, generation=generation
    )
    return ObjectFinalizedV1(
        upload=upload,
        filename=owner.filename,
        size_bytes=size,
        declared_media_type="text/plain",
        created_at=datetime(2026, 11, 21, tzinfo=UTC),
    )


def material_of(outcome: Outcome) -> Material:
    (stored,) = [a for a in outcome.artifacts if a.ref.key.endswith("/material.json")]
    assert isinstance(stored.content, bytes)
    return Material.model_validate_json(stored.content)


async def test_a_drop_becomes_artifacts_and_one_event(
    sandbox: Sandbox, store: MemoryObjectStore, inputs: StoreInputs, tmp_path: Path
) -> None:
    content = files.image_file(tmp_path / "a.png").read_bytes()
    event = await dropped(store, content, "alice/holiday/IMG_2041-redBoat.txt")
    outcome = await ProcessObject(sandbox)(event, inputs)
    (processed,) = outcome.events
    assert isinstance(processed, MediaProcessedV1)
    assert (processed.kind, processed.media_type, processed.declared_media_type) == (
        Kind.IMAGE,
        "image/png",
        "text/plain",
    )
    assert processed.sha256 == hashlib.sha256(content).hexdigest()
    assert (processed.size_bytes, processed.upload, processed.created_at) == (
        len(content),
        event.upload,
        event.created_at,
    )
    stored = {a.ref.key.rsplit("/", 1)[1]: a for a in outcome.artifacts}
    assert set(stored) == {"material.json", "thumbnail.jpg", "picture-0001.jpg"}
    assert processed.thumbnail == stored["thumbnail.jpg"].ref
    assert processed.material == stored["material.json"].ref
    picture = stored["picture-0001.jpg"]
    assert isinstance(picture.content, Path)
    assert hashlib.sha256(picture.content.read_bytes()).hexdigest() == picture.ref.sha256
    material = material_of(outcome)
    assert material.pictures[0].image == picture.ref
    assert material.properties.tags == {"description": "halves"}


async def test_tags_of_a_recording_become_properties(
    sandbox: Sandbox, store: MemoryObjectStore, inputs: StoreInputs, tmp_path: Path
) -> None:
    event = await dropped(store, files.audio_file(tmp_path / "a.mp3").read_bytes(), "alice/take7.mp3")
    outcome = await ProcessObject(sandbox)(event, inputs)
    facts = material_of(outcome).properties
    assert (facts.title, facts.author) == ("Tide Song", "Test Choir")


async def test_a_film_brings_a_preview_and_its_sound(
    sandbox: Sandbox, store: MemoryObjectStore, inputs: StoreInputs, tmp_path: Path
) -> None:
    event = await dropped(store, films.film_file(tmp_path / "a.mkv").read_bytes(), "alice/lamp.mkv")
    outcome = await ProcessObject(sandbox)(event, inputs)
    (processed,) = outcome.events
    assert isinstance(processed, MediaProcessedV1)
    stored = {a.ref.key.rsplit("/", 1)[1]: a.ref for a in outcome.artifacts}
    assert processed.preview == stored["preview.mp4"]
    assert processed.preview
    assert processed.preview.media_type == "video/mp4"
    assert processed.storyboard == stored["storyboard.json"]
    (listed,) = [a.content for a in outcome.artifacts if a.ref == processed.storyboard]
    assert isinstance(listed, bytes)
    (first,) = Storyboard.model_validate_json(listed).pictures
    assert (first.image, first.locator) == (stored["place-0001.jpg"], material_of(outcome).pictures[0].locator)
    (sound,) = material_of(outcome).speech
    assert (sound.audio, sound.audio.media_type) == (stored["sound-0001.ogg"], "audio/ogg")
    assert (sound.locator.start_s, sound.locator.end_s) == (0, pytest.approx(3, abs=0.3))
    assert sound.stretches


REFUSED = [
    ("readme.txt", 5, FailureCode.UNKNOWN_OWNER),
    ("a/b.txt", 5, FailureCode.UNKNOWN_OWNER),
    ("unknown/b.txt", 5, FailureCode.UNKNOWN_OWNER),
    ("alice/empty.txt", 0, FailureCode.FILE_SIZE),
    ("alice/large.mp4", 100 * 1024**2 + 1, FailureCode.FILE_SIZE),
]


@pytest.mark.parametrize(("name", "size", "code"), REFUSED)
async def test_what_is_refused_before_it_is_downloaded(
    sandbox: Sandbox, inputs: StoreInputs, name: str, size: int, code: FailureCode
) -> None:
    with pytest.raises(Reject) as caught:
        await ProcessObject(sandbox)(finalized(name, size), inputs)
    assert caught.value.code is code


async def test_a_drop_that_is_a_little_too_large_is_told_so(sandbox: Sandbox, inputs: StoreInputs) -> None:
    with pytest.raises(Reject) as caught:
        await ProcessObject(sandbox)(finalized("alice/large.mp4", 105_000_005), inputs)
    assert caught.value.message == "The file has 100.1 MiB; 100 MiB are allowed."


async def test_a_packed_drop_counts_as_large_as_it_is_unpacked(
    sandbox: Sandbox, store: MemoryObjectStore, inputs: StoreInputs
) -> None:
    text = b"hello " * 500_000
    stored = store.drop_as_gzip(UPLOADS, "alice/packed.txt", gzip.compress(text), "text/plain")
    event = finalized("alice/packed.txt", stored.size_bytes, stored.generation)
    (processed,) = (await ProcessObject(sandbox, max_file_size=len(text))(event, inputs)).events
    assert isinstance(processed, MediaProcessedV1)
    assert (processed.size_bytes, processed.sha256) == (len(text), hashlib.sha256(text).hexdigest())


async def test_a_packed_drop_is_refused_where_it_unpacks_to_too_much(
    sandbox: Sandbox, store: MemoryObjectStore, inputs: StoreInputs
) -> None:
    stored = store.drop_as_gzip(UPLOADS, "alice/bomb.txt", gzip.compress(b"hello " * 500_000), "text/plain")
    event = finalized("alice/bomb.txt", stored.size_bytes, stored.generation)
    with pytest.raises(Reject) as caught:
        await ProcessObject(sandbox, max_file_size=2 << 20)(event, inputs)
    assert caught.value.code is FailureCode.FILE_SIZE
    assert caught.value.message == "Unpacked, the file has more than the 2 MiB that are allowed."


async def test_a_drop_that_only_says_it_is_packed_is_damaged(
    sandbox: Sandbox, store: MemoryObjectStore, inputs: StoreInputs
) -> None:
    stored = store.drop_as_gzip(UPLOADS, "alice/bad.txt", b"not gzip", "text/plain")
    with pytest.raises(Reject) as caught:
        await ProcessObject(sandbox)(finalized("alice/bad.txt", stored.size_bytes, stored.generation), inputs)
    assert caught.value.code is FailureCode.CORRUPT


@pytest.mark.parametrize("name", ["alice/folder/", "folder/"])
async def test_a_folder_is_nothing_to_work_on(sandbox: Sandbox, inputs: StoreInputs, name: str) -> None:
    with pytest.raises(Discard):
        await ProcessObject(sandbox)(finalized(name, 0), inputs)


async def test_an_overwritten_object_is_left_to_its_next_event(
    sandbox: Sandbox, store: MemoryObjectStore, inputs: StoreInputs
) -> None:
    event = await dropped(store, b"words", "alice/a.txt")
    old = event.model_copy(
        update={"upload": event.upload.model_copy(update={"generation": event.upload.generation + 1})}
    )
    with pytest.raises(Discard):
        await ProcessObject(sandbox)(old, inputs)


async def test_a_bad_file_is_rejected_with_its_code(
    sandbox: Sandbox, store: MemoryObjectStore, inputs: StoreInputs, tmp_path: Path
) -> None:
    event = await dropped(store, files.encrypted_pdf(tmp_path / "a.pdf").read_bytes(), "alice/a.pdf")
    with pytest.raises(Reject) as caught:
        await ProcessObject(sandbox)(event, inputs)
    assert caught.value.code is FailureCode.ENCRYPTED


async def test_reprocessing_is_the_same_work_under_the_next_run(
    sandbox: Sandbox, store: MemoryObjectStore, inputs: StoreInputs
) -> None:
    event = await dropped(store, b"some words", "alice/a.txt")
    again = event.upload.model_copy(update={"run": 4})
    wish = UploadReprocessV1(upload=again, from_stage=Service.MEDIA_PROCESSOR, finalized=event)
    stage = on_upload_reprocess.stage(ProcessObject(sandbox))
    assert stage.upload_of(wish) == again
    (processed,) = (await stage.handle(wish, inputs)).events
    assert isinstance(processed, MediaProcessedV1)
    assert (processed.upload.run, processed.media_type) == (4, "text/plain")


async def test_a_wish_for_another_stage_is_left_to_it(sandbox: Sandbox, inputs: StoreInputs) -> None:
    event = finalized("alice/a.txt", 1)
    wish = UploadReprocessV1(upload=event.upload, from_stage=Service.MEDIA_PROCESSOR, finalized=event)
    elsewhere = wish.model_copy(update={"from_stage": Service.ANALYZER})
    with pytest.raises(Discard):
        await on_upload_reprocess.ReprocessUpload(ProcessObject(sandbox))(elsewhere, inputs)


async def test_deletion_purges_only_when_it_is_final(inputs: StoreInputs) -> None:
    upload = finalized("alice/a.txt", 1, generation=77).upload
    stage = on_upload_deleted.stage()
    assert (await stage.handle(UploadDeletedV1(upload=upload), inputs)).purge is None
    outcome = await stage.handle(UploadDeletedV1(upload=upload, purge=True), inputs)
    assert outcome.purge == Purge(f"alice/{upload.upload_id}/77/", original=upload)


async def test_a_deletion_of_derived_files_alone_names_no_original(inputs: StoreInputs) -> None:
    upload = finalized("alice/a.txt", 1, generation=77).upload
    outcome = await on_upload_deleted.stage().handle(UploadDeletedV1(upload=upload, purge_derived=True), inputs)
    assert outcome.purge == Purge(f"alice/{upload.upload_id}/77/", original=None)


async def test_the_stage_is_named_and_versioned(sandbox: Sandbox) -> None:
    stage = on_object_finalized.stage(ProcessObject(sandbox))
    assert (stage.service, stage.version, stage.event) == (
        Service.MEDIA_PROCESSOR,
        on_object_finalized.STAGE_VERSION,
        ObjectFinalizedV1,
    )
