"""Compares the results of two models for a user's own past queries: how many are the same, and what comes first.

Only files that both models have are compared; a model whose index is still being filled is not judged by what it lacks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from database.engine import Database
from hosting.answers import ApiError
from search import query as queries
from search.encoding import query_vector
from search.matching import SearchContext, ranked_files
from search.models import Model, Models
from search.request import MAX_OFFSET, SearchRequest
from search.store import models as store
from search.store import retrieval
from search.store.models import Coverage
from search.store.retrieval import Index

COMPARED = 20
FIRST = 3


@dataclass(frozen=True)
class QueryCompared:
    """One past query: the share of the first 20 files that both models find, and the names of the first three.

    ``before`` are those of the answering model, ``after`` those of the other; without any ``overlap`` is 1.0.
    """

    query: str
    overlap: float
    first_changed: bool
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """The model that answers the caller beside another one.

    ``overlap`` is the mean over all queries for which a model finds something, 1.0 without any; for ``unanswered``
    ones neither does. ``first_changed`` counts queries. Of the ``expected`` files that the answering model finds by
    meaning the other lacks ``missing_files``: they are left out of both.
    """

    model_id: str
    other_model_id: str
    expected: int
    missing_files: int
    overlap: float
    unanswered: int
    first_changed: int
    queries: tuple[QueryCompared, ...]


def overlap(before: Sequence[str], after: Sequence[str]) -> float:
    """Returns the share of the longer list's first 20 that both lists have; 1.0 for two empty lists."""
    first, second = set(before[:COMPARED]), set(after[:COMPARED])
    return len(first & second) / max(len(first), len(second), 1) if first or second else 1.0


def compared(query: str, before: Sequence[str], after: Sequence[str], names: dict[str, str]) -> QueryCompared:
    """Compares two results of one query, as upload ids; another order among the first three counts as a change."""
    return QueryCompared(
        query=query,
        overlap=round(overlap(before, after), 3),
        first_changed=before[:FIRST] != after[:FIRST],
        before=tuple(names[upload_id] for upload_id in before[:FIRST] if upload_id in names),
        after=tuple(names[upload_id] for upload_id in after[:FIRST] if upload_id in names),
    )


def places_read(coverage: Coverage) -> int:
    """Returns how many results to read so that 20 files that both models have are probably among them."""
    return min(math.ceil(COMPARED * coverage.files / coverage.covered), MAX_OFFSET)


class Comparing:
    """Runs the user's latest queries with the answering model and with another one. Nothing is added to the history."""

    def __init__(self, database: Database, models: Models, *, encoder_timeout_s: float) -> None:
        self._database = database
        self._models = models
        self._timeout_s = encoder_timeout_s

    async def compare(self, user_id: str, model_id: str, most: int) -> Comparison:
        """Compares the results of up to ``most`` past queries.

        Raises ``ApiError`` 409 for a model without an encoder here or without vectors yet, 503 while a query cannot be
        encoded.
        """
        async with self._database.transaction(user_id) as session:
            index = await retrieval.index_state(session, user_id, self._models.current.model_id)
            past_queries = await store.past_queries(session, user_id, most)
        answering, other = self._models.require(index.model_id), self._models.require(model_id)
        coverage = await self._coverage(user_id, other)
        found = [
            await self._one(user_id, query, mode, answering, other, index, places_read(coverage))
            for query, mode in past_queries
        ]
        done = tuple(one for one in found if one is not None)
        answered = [one.overlap for one in done if one.before or one.after]
        return Comparison(
            model_id=answering.model_id,
            other_model_id=other.model_id,
            expected=coverage.files,
            missing_files=coverage.missing,
            overlap=round(sum(answered) / len(answered), 3) if answered else 1.0,
            unanswered=len(done) - len(answered),
            first_changed=sum(one.first_changed for one in done),
            queries=done,
        )

    async def _coverage(self, user_id: str, other: Model) -> Coverage:
        async with self._database.transaction(user_id) as session:
            coverage = (await store.coverage(session, user_id, [other.model_id]))[other.model_id]
        if not coverage.covered:
            message = f"{other.model_id} has no vectors of your files yet: fill its index first."
            raise ApiError(409, "model_covers_nothing", message, details={"missing_files": coverage.missing})
        return coverage

    async def _one(
        self, user_id: str, query: str, mode: str, first: Model, second: Model, index: Index, places: int
    ) -> QueryCompared | None:
        body = {"query": query, "mode": mode, "limit": COMPARED, "offset": places - COMPARED}
        try:
            request = SearchRequest.model_validate(body)
        except ValidationError:  # the rules for requests have changed since
            return None
        contexts = [await self._context(user_id, request, model, index) for model in (first, second)]
        async with self._database.reading(user_id, retrieval.SEARCH_TERMS) as reading:
            before, after = [
                [file.upload_id for file in (await ranked_files(reading, context)).files] for context in contexts
            ]
            lacking = await store.lacking(reading, user_id, {*before, *after}, first.model_id, second.model_id)
            before, after = [[one for one in answer if one not in lacking] for answer in (before, after)]
            shown = dict.fromkeys((*before[:FIRST], *after[:FIRST]), ())
            files = (await retrieval.result_page(reading, user_id, index.answering, shown)).files
        names = {upload_id: file.filename for upload_id, file in files.items()}
        return compared(query, before[:COMPARED], after[:COMPARED], names)

    async def _context(self, user_id: str, request: SearchRequest, model: Model, index: Index) -> SearchContext:
        query = queries.parse(request.query)
        vector = None if query.is_empty else await query_vector(model.encoder, query.text, self._timeout_s)
        if vector is None and not query.is_empty:
            message = f"{model.model_id} does not answer right now; try again shortly."
            raise ApiError(503, "unavailable", message, headers={"Retry-After": "5"})
        return SearchContext.of(user_id, request, query, model.space, vector, model.calibration, index)
