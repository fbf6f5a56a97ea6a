"""A query's vector is used only if it is one: whatever else an encoder answers, words alone must do."""

import numpy as np
import pytest

from embeddings.encoder import Vector
from embeddings.testing import FakeEncoder
from search.encoding import query_vector


class Wrong(FakeEncoder):
    """Answers queries with something of its own."""

    def __init__(self, answer: Vector) -> None:
        super().__init__(4)
        self.answer = answer

    async def encode_query(self, text: str) -> Vector:
        return self.answer


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(np.array([1, np.nan, 0, 0], np.float32), id="not a number"),
        pytest.param(np.array([1, np.inf, 0, 0], np.float32), id="infinite"),
        pytest.param(np.ones(3, np.float32), id="too short"),
        pytest.param(np.ones((1, 4), np.float32), id="a matrix"),
        pytest.param(np.zeros(4, np.float32), id="no direction"),
    ],
)
async def test_what_is_no_vector_of_the_model_is_none(answer: Vector) -> None:
    assert await query_vector(Wrong(answer), "harbour", 3.0) is None


async def test_a_vector_is_what_postgres_reads() -> None:
    vector = await query_vector(FakeEncoder(4), "harbour", 3.0)
    assert vector is not None
    assert np.linalg.norm(np.frombuffer(vector, ">f2", offset=4).astype(np.float32)) == pytest.approx(1, abs=1e-3)
