"""Names clients give are made safe or refused, and always fit an object name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.identifiers import new_upload_id, object_name, ownership
from upload_gateway.filenames import BadFilenameError, accept, for_display, for_storage


@given(st.text(max_size=400))
def test_whatever_is_accepted_is_one_safe_component_that_finds_its_way_back(offered: str) -> None:
    try:
        name = accept(offered)
    except BadFilenameError:
        return
    assert 0 < len(name) <= 255
    assert not {"/", "\\", "\0"} & set(name)
    assert name not in (".", "..")
    stored = for_storage(name)
    upload_id = new_upload_id("u" * 64, stored)
    path = object_name("u" * 64, upload_id, stored)
    assert len(path.encode()) <= 1024
    assert ownership("uploads", path).upload_id == upload_id
    assert accept(stored)


@given(st.text(max_size=400))
def test_what_is_displayed_is_never_empty_and_never_turns_the_text_around(name: str) -> None:
    shown = for_display(name)
    assert 0 < len(shown) <= 255
    assert not set("\u202e\u2066\n\r\0") & set(shown)


def test_a_shortened_name_keeps_its_extension() -> None:
    assert for_storage("ä" * 400 + ".jpeg").endswith("ä.jpeg")
    assert len(for_storage("ä" * 400).encode()) <= 700


@pytest.mark.parametrize("name", ["a\nb", "a\u2028b", "\x85", "\ud800"])
def test_controls_and_half_characters_are_refused(name: str) -> None:
    with pytest.raises(BadFilenameError):
        accept(name)
