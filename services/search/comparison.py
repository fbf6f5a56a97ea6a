"""Compares what two models answer to a user's own past queries: how much of the answers stays, and what comes first."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from database.engine import Database
from hosting.answers import ApiError
from search import query as queries
from search.encoding import query_vector
from search.matching import Asked, Space, ranked_files
from search.models import Model, Models
from search.request import SearchRequest
from search.store import models as store
from search.store import retrieval
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
    """``overlap`` is the mean of all queries, 1.0 without any; ``first_changed`` counts queries."""

    model_id: str
    other_model_id: str
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


class Comparing:
    """Asks the user's latest queries of the model that answers and of another one. Nothing of it is remembered."""

    def __init__(self, database: Database, models: Models, *, encoder_timeout_s: float) -> None:
        self._database = database
        self._models = models
        self._timeout_s = encoder_timeout_s

    async def compare(self, user_id: str, model_id: str, most: int) -> Comparison:
        """Raises ``ApiError`` 409 for a model that cannot be asked, 503 while a query cannot be encoded."""
        async with self._database.transaction(user_id) as session:
            index = await retrieval.index(session, user_id)
            asked = await store.past_queries(session, user_id, most)
        answering, other = self._models.named(index.model_id), self._models.named(model_id)
        if answering is None or other is None:
            message = f"This search cannot encode queries for {model_id}: see EMBEDDING_NEXT_BACKEND."
            raise ApiError(409, "model_not_configured", message, details={"models": list(self._models.ids)})
        found = [await self._one(user_id, query, mode, answering, other, index) for query, mode in asked]
        done = tuple(one for one in found if one is not None)
        return Comparison(
            model_id=answering.model_id,
            other_model_id=other.model_id,
            overlap=round(sum(one.overlap for one in done) / len(done), 3) if done else 1.0,
            first_changed=sum(one.first_changed for one in done),
            queries=done,
        )

    async def _one(
        self, user_id: str, query: str, mode: str, first: Model, second: Model, index: Index
    ) -> QueryCompared | None:
        try:
            request = SearchRequest.model_validate({"query": query, "mode": mode, "limit": COMPARED})
        except ValidationError:  # asked under rules that have changed since
            return None
        asked = [await self._asked(user_id, request, model, index) for model in (first, second)]
        async with self._database.reading(user_id, retrieval.SEARCHING) as reading:
            before, after = [
                [file.upload_id for file in (await ranked_files(reading, one, _space(model))).files]
                for one, model in zip(asked, (first, second), strict=True)
            ]
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
        return Asked(user_id, request, query, vector, model.cut_off.bar(query.text), index)


def _space(model: Model) -> Space:
    return Space(model.model_id, model.dimensions)
