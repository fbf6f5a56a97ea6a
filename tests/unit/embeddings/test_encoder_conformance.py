"""What every encoder promises: shape, type, unit length, order, determinism, and that related texts are closer."""

import numpy as np
import pytest

from embeddings.encoder import Encoder

TEXTS = [
    "The cat sleeps on the warm red sofa",
    "Quarterly revenue grew by twelve percent",
    "A cat lies on a sofa",
]


async def test_one_unit_row_per_text(encoder: Encoder) -> None:
    vectors = await encoder.encode_documents(TEXTS)
    assert vectors.shape == (3, encoder.dimensions)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


async def test_nothing_gives_an_empty_matrix(encoder: Encoder) -> None:
    vectors = await encoder.encode_documents([])
    assert vectors.shape == (0, encoder.dimensions)
    assert vectors.dtype == np.float32


async def test_a_text_has_one_vector_whatever_stands_around_it(encoder: Encoder) -> None:
    together = await encoder.encode_documents(TEXTS)
    for row, text in zip(together, TEXTS, strict=True):
        alone = (await encoder.encode_documents([text]))[0]
        assert alone == pytest.approx(row, abs=1e-5)


async def test_more_texts_than_one_batch_keep_their_order(encoder: Encoder) -> None:
    texts = [f"number {i} of many" for i in range(203)]
    vectors = await encoder.encode_documents(texts)
    assert vectors.shape == (203, encoder.dimensions)
    for i in (0, 99, 100, 202):
        assert vectors[i] == pytest.approx(await encoder.encode_query(texts[i]), abs=1e-5)


async def test_a_query_is_nearest_to_the_text_that_answers_it(encoder: Encoder) -> None:
    documents = await encoder.encode_documents(TEXTS)
    query = await encoder.encode_query("quarterly revenue")
    assert query.shape == (encoder.dimensions,)
    assert int(np.argmax(documents @ query)) == 1
    assert documents[0] @ documents[2] > documents[0] @ documents[1]


@pytest.mark.parametrize("text", ["", " ", "\x00", "\ud800", "猫が寝ている", "🐈" * 3, "word " * 5000])
async def test_any_text_has_a_vector(encoder: Encoder, text: str) -> None:
    vector = (await encoder.encode_documents([text]))[0]
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_the_model_id_names_a_vector_space(encoder: Encoder) -> None:
    assert encoder.model_id
    assert len(encoder.model_id) <= 100
