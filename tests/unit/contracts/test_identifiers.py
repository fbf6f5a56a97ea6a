"""Upload ids are bound to owner and file name: no two users, and no two names, can collide on one."""

from hypothesis import given
from hypothesis import strategies as st

from contracts.identifiers import (
    UNKNOWN_OWNER,
    job_id_for,
    new_upload_id,
    object_name,
    ownership,
    upload_id_for_job,
)

user_ids = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_-]{2,63}\Z").filter(lambda u: u != UNKNOWN_OWNER)
filenames = st.text(min_size=1, max_size=80).filter(lambda n: "/" not in n)


@given(user_ids, filenames)
def test_the_gateways_object_names_are_read_back(user: str, filename: str) -> None:
    upload_id = new_upload_id(user, filename)
    owner = ownership("uploads", object_name(user, upload_id, filename))
    assert (owner.user_id, owner.upload_id, owner.filename) == (user, upload_id, filename)


@given(user_ids, user_ids, filenames)
def test_a_copy_under_another_user_is_another_upload(user: str, other: str, filename: str) -> None:
    upload_id = new_upload_id(user, filename)
    copied = ownership("uploads", object_name(other, upload_id, filename))
    assert (copied.upload_id == upload_id) == (user == other)


def test_a_copy_under_another_name_is_another_upload() -> None:
    upload_id = new_upload_id("amy", "a.jpg")
    assert ownership("uploads", object_name("amy", upload_id, "b.jpg")).upload_id != upload_id


def test_a_drop_keeps_its_id_when_overwritten_and_differs_between_buckets() -> None:
    first = ownership("uploads", "amy/holiday/beach.jpg")
    assert first == ownership("uploads", "amy/holiday/beach.jpg")
    assert first.filename == "beach.jpg"
    assert first.upload_id != ownership("other", "amy/holiday/beach.jpg").upload_id


def test_an_owner_that_cannot_be_told_is_unknown() -> None:
    for name in ("beach.jpg", "/beach.jpg", "a b/beach.jpg", "unknown/beach.jpg", "x/y.jpg", "../etc/passwd"):
        assert ownership("uploads", name).user_id == UNKNOWN_OWNER


@given(user_ids, filenames)
def test_job_and_upload_ids_map_onto_each_other(user: str, filename: str) -> None:
    upload_id = new_upload_id(user, filename)
    assert upload_id_for_job(job_id_for(upload_id)) == upload_id_for_job(upload_id) == upload_id
