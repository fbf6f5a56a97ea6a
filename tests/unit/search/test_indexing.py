"""Artifacts into rows: what does not agree is poison, what is long is split, what Postgres cannot keep is gone."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.artifacts import (
    Analysis,
    AnalyzedSegment,
    ArtifactRef,
    Kind,
    Locator,
    Passage,
    Passages,
    TextSource,
    UploadRef,
)
from contracts.events import MediaEmbeddedV1
from eventing.errors import Poison
from search.indexing import MAX_TEXT, check_embedding, has_meaning, passage_rows, segment_rows, split, vector_rows

REF = ArtifactRef(bucket="b", key="k", sha256="0" * 64, media_type="x", size_bytes=0)


def embedded(**changes):
    upload = UploadRef(upload_id="upl_" + "a" * 26, user_id="ada", bucket="uploads", object_name="ada/x", generation=1)
    values = {"model_id": "m", "dimensions": 384, "passage_count": 2} | changes
    return MediaEmbeddedV1(upload=upload, filename="x", kind=Kind.IMAGE, passages=REF, vectors=REF, **values)


def passages(*indexes):
    return Passages(
        passages=tuple(Passage(index=i, text=f"t{i}", locator=Locator(), source=TextSource.TEXT) for i in indexes)
    )


def test_what_agrees_passes():
    check_embedding(embedded(), passages(0, 1), bytes(2 * 384 * 4))
    check_embedding(embedded(passage_count=0), passages(), b"")


@pytest.mark.parametrize(
    ("event", "found", "size"),
    [
        (embedded(), passages(0, 1), 2 * 384 * 4 - 4),
        (embedded(passage_count=3), passages(0, 1), 2 * 384 * 4),
        (embedded(), passages(1, 0), 2 * 384 * 4),
        (embedded(dimensions=100), passages(0, 1), 2 * 100 * 4),
        (embedded(model_id=""), passages(0, 1), 2 * 384 * 4),
    ],
)
def test_what_disagrees_is_poison(event, found, size):
    with pytest.raises(Poison):
        check_embedding(event, found, bytes(size))


def test_vectors_are_read_little_endian_and_scaled_to_length_1():
    rows = vector_rows(np.array([[3, 4], [0, -2]], "<f4").tobytes(), 2)
    assert np.allclose([np.frombuffer(row, ">f2", offset=4) for row in rows], [[0.6, 0.8], [0, -1]], atol=1e-3)


@pytest.mark.parametrize("bad", [[np.nan, 1], [np.inf, 1], [0, 0]])
def test_vectors_without_direction_are_poison(bad):
    with pytest.raises(Poison):
        vector_rows(np.array([bad], "<f4").tobytes(), 2)


@given(st.text(max_size=9000))
def test_splitting_loses_no_words(text):
    parts = list(split(text))
    assert all(0 < len(part) <= MAX_TEXT for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_splitting_copies_no_more_than_the_piece_it_yields():
    text = ("word " * 100_000).strip()
    tracemalloc.start()
    pieces = sum(1 for _ in split(text))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert pieces == 250
    assert most < len(text) / 10


def test_long_segments_become_several_rows_with_the_same_place():
    segment = AnalyzedSegment(text="word " * 1000, locator=Locator(page=7), source=TextSource.OCR)
    rows = segment_rows(Analysis(title="", summary="", segments=(segment,), model_id="m", prompt_version="1"))
    assert [row.ordinal for row in rows] == list(range(len(rows)))
    assert len(rows) == 3
    assert {row.locator.page for row in rows} == {7}


def test_nul_is_not_stored():
    found = Passages(passages=(Passage(index=0, text="a\x00b", locator=Locator(), source=TextSource.TEXT),))
    (row,) = passage_rows(found)
    assert (row.text, row.words) == ("a b", "a b")


def row(text):
    passage = Passage(index=0, text=text, locator=Locator(), source=TextSource.TEXT)
    return passage_rows(Passages(passages=(passage,)))[0]


@pytest.mark.parametrize(
    "text", ["3", ".3", "- 4 -", "12 / 40", "xiv", "Q", "a b", "OK", "12 kg", "B7 C4", "2024", "***", "", "1 2 3 4"]
)
def test_numbers_codes_and_single_letters_mean_nothing(text):
    assert not has_meaning(row(text))


@pytest.mark.parametrize(
    "text",
    [
        "EXIT",
        "Chapter XIV",
        "7 boats",
        "\u732b",
        "\u043c\u043e\u0440\u0435",
        "\u0928\u092e\u0938\u094d\u0924\u0947",
        "\u00e9t\u00e9",
    ],
)
def test_a_single_word_means_something(text):
    assert has_meaning(row(text))
