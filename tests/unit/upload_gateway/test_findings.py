"""What the name of a derived file tells, and when it is an orphan."""

from datetime import UTC, datetime

import pytest

from contracts.artifacts import UploadRef
from upload_gateway.repair.findings import Derived, derived_version, is_orphaned
from upload_gateway.uploads import UploadState, beginning, delete

UPLOAD = "upl_mfrggzdfmztwq2lkmfrggzdfmz"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def derived(generation: int = 7, run: int = 2) -> Derived:
    found = derived_version(f"someone/{UPLOAD}/{generation}/{run}/analyzer/1-x/manifest.json")
    assert found is not None
    return found


def known(generation: int = 7) -> UploadState:
    upload = UploadRef(
        upload_id=UPLOAD, user_id="someone", bucket="uploads", object_name="someone/a.jpg", generation=generation
    )
    return beginning(upload).model_copy(update={"generation": generation})


def test_a_derived_files_name_tells_its_version() -> None:
    assert derived() == Derived(user_id="someone", upload_id=UPLOAD, generation=7, run=2)


@pytest.mark.parametrize(
    "name",
    [
        f"someone/{UPLOAD}/7/2",
        f"unknown/{UPLOAD}/7/2/analyzer/x",
        "someone/other/7/2/analyzer/x",
        f"someone/{UPLOAD}/0/2/analyzer/x",
        f"someone/{UPLOAD}/seven/2/analyzer/x",
        f"{UPLOAD}/7/2/analyzer/x",
        "",
    ],
)
def test_other_names_tell_none(name: str) -> None:
    assert derived_version(name) is None


def test_files_of_nobody_are_orphans_unless_their_very_original_is_there() -> None:
    assert is_orphaned(derived(), None, set())
    assert not is_orphaned(derived(), None, {(UPLOAD, 7)})
    assert is_orphaned(derived(), None, {(UPLOAD, 8), ("upl_another", 7)})


def test_files_of_a_known_upload_are_orphans_once_it_is_purged() -> None:
    assert not is_orphaned(derived(), known(), set())
    assert not is_orphaned(derived(), delete(known(), NOW, purge=False), set())
    assert is_orphaned(derived(), delete(known(), NOW, purge=True), set())
    assert not is_orphaned(derived(), delete(known(8), NOW, purge=True), set()), "an earlier generation's"
