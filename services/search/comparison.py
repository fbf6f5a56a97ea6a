"""Compares what two models answer to a user's own past queries: how much of the answers stays, and what comes first.

While one of them is still being filled, only files that it has are looked at, or it would be judged by what it lacks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from database.engine import Database
from hosting.answers import ApiError
from search import query as queries
from search.encoding import query_vector
from search.matching import Asked, ranked_files
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
    """One query: the share of the first 20 files both find, and the names of the first three before and after."""

    query: str
    overlap: float
    first_changed: bool
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """``overlap`` is the mean of all queries, 1.0 without any; ``first_changed`` counts queries.

    Of the ``expected`` files that the answering model finds by meaning the other lacks ``missing_files``: these are
    left out of both answers.
    """

    model_id: str
    other_model_id: str
    expected: int
    missing_files: int
    overlap: float
    first_changed: int
    queries: tuple[QueryCompared, ...]


def overlap(before: Sequence[str], after: Sequence[str]) -> float:
    """The share of the longer list's first 20 that both have; two empty lists are alike."""
    first, second = set(before[:COMPARED]), set(after[:COMPARED])
    return len(first & second) / max(len(first), len(second), 1) if first or second else 1.0


def compared(query: str, before: Sequence[str], after: Sequence[str], names: dict[str, str]) -> QueryCompared:
    """Two answers to one query, as upload ids; an order that changed among the first three counts as a change."""
    return QueryCompared(
        query=query,
        overlap=round(overlap(before, after), 3),
        first_changed=before[:FIRST] != after[:FIRST],
        before=tuple(names[upload_id] for upload_id in before[:FIRST] if upload_id in names),
        after=tuple(names[upload_id] for upload_id in after[:FIRST] if upload_id in names),
    )


def places_read(coverage: Coverage) -> int:
    """How far both answers are read, so that the first 20 files that both models have are probably among them."""
    return min(math.ceil(COMPARED * coverage.files / coverage.covered), MAX_OFFSET)


class Comparing:
    """Asks the user's latest queries of the model that answers and of another one. Nothing of it is remembered."""

    def __init__(self, database: Database, models: Models, *, encoder_timeout_s: float) -> None:
        self._database = database
        self._models = models
        self._timeout_s = encoder_timeout_s

    async def compare(self, user_id: str, model_id: str, most: int) -> Comparison:
        """Raises ``ApiError`` 409 for a model that cannot be asked or has nothing yet, 503 while a query cannot be
        encoded.
        """
        async with self._database.transaction(user_id) as session:
            index = await retrieval.index(session, user_id)
            asked = await store.past_queries(session, user_id, most)
        answering, other = self._models.named(index.model_id), self._models.named(model_id)
        if answering is None or other is None:
            unknown = index.model_id if answering is None else model_id
            message = f"This search cannot encode queries for {unknown}: see EMBEDDING_NEXT_BACKEND."
            raise ApiError(409, "model_not_configured", message, details={"models": list(self._models.ids)})
        coverage = await self._coverage(user_id, answering, other)
        found = [
            await self._one(user_id, query, mode, answering, other, index, places_read(coverage))
            for query, mode in asked
        ]
        done = tuple(one for one in found if one is not None)
        return Comparison(
            model_id=answering.model_id,
            other_model_id=other.model_id,
            expected=coverage.files,
            missing_files=coverage.missing,
            overlap=round(sum(one.overlap for one in done) / len(done), 3) if done else 1.0,
            first_changed=sum(one.first_changed for one in done),
            queries=done,
        )

    async def _coverage(self, user_id: str, answering: Model, other: Model) -> Coverage:
        async with self._database.transaction(user_id) as session:
            coverage = (await store.coverage(session, user_id, [other.model_id], answering.model_id))[other.model_id]
        if not coverage.covered:
            message = f"{other.model_id} has no vectors of your files yet: fill its index first."
            raise ApiError(409, "model_covers_nothing", message, details={"missing_files": coverage.missing})
        return coverage

    async def _one(
        self, user_id: str, query: str, mode: str, first: Model, second: Model, index: Index, places: int
    ) -> QueryCompared | None:
        wanted = {"query": query, "mode": mode, "limit": COMPARED, "offset": places - COMPARED}
        try:
            request = SearchRequest.model_validate(wanted)
        except ValidationError:  # asked under rules that have changed since
            return None
        asked = [await self._asked(user_id, request, model, index) for model in (first, second)]
        async with self._database.reading(user_id, retrieval.SEARCHING) as reading:
            before, after = [
                [file.upload_id for file in (await ranked_files(reading, one, model.space)).files]
                for one, model in zip(asked, (first, second), strict=True)
            ]
            lacking = await store.lacking(reading, user_id, {*before, *after}, first.model_id, second.model_id)
            before, after = [[one for one in answer if one not in lacking] for answer in (before, after)]
            shown = dict.fromkeys((*before[:FIRST], *after[:FIRST]), ())
            files = (await retrieval.shown(reading, user_id, shown)).files
        names = {upload_id: file.filename for upload_id, file in files.items()}
        return compared(query, before[:COMPARED], after[:COMPARED], names)

    async def _asked(self, user_id: str, request: SearchRequest, model: Model, index: Index) -> Asked:
        query = queries.parse(request.query)
        vector = None if query.is_empty else await query_vector(model.encoder, query.text, self._timeout_s)
        if vector is None and not query.is_empty:
            message = f"{model.model_id} does not answer right now; try again shortly."
            raise ApiError(503, "unavailable", message, headers={"Retry-After": "5"})
        return Asked(
            user_id, request, query, vector, model.cut_off.bar(query.text, index.passages_of(model.space)), index
        )
