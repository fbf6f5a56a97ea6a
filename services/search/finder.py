"""Runs one search: encodes the query, finds and ranks files, reads what is shown of them, writes the history."""

import time
from collections.abc import Hashable, Sequence
from dataclasses import replace
from uuid import UUID

from prometheus_client import Histogram

from database.engine import Database
from database.reading import Reading
from hosting.answers import not_found
from search import query as queries
from search.answers import (
    FileAnswer,
    ImageAnswer,
    SearchAnswer,
    SimilarAnswer,
    facets,
    file_answer,
)
from search.cache import AnswerCache
from search.encoding import query_vector
from search.image_hash import MAX_DIFFERING_BITS
from search.matching import SearchContext, ranked_files
from search.models import Model, Models, Space
from search.query import Query
from search.ranking import MatchReason, PassageKey, RankedFile, rank
from search.request import FilterParameters, Filters, Mode, SearchRequest
from search.snippets import Highlighters
from search.store import by_meaning, history, retrieval, similar_images
from search.store.retrieval import Index
from search.terms import Term

_LATENCY = Histogram("search_latency_seconds", "Time to answer a search", ["mode", "degraded"])
_MOST_SIMILAR = 1000
_NOT_STORED_YET = UUID(int=0)


class Finder:
    """Searches the files of one user at a time.

    ``models``: the current one answers, unless a user was switched to one beside it; no search compares vectors of two
    models. While an encoder fails or takes longer than ``encoder_timeout_s`` seconds, a search goes by words alone and
    says so (``degraded``).
    """

    def __init__(
        self,
        database: Database,
        models: Models,
        *,
        encoder_timeout_s: float = 3.0,
        cache: AnswerCache | None = None,
    ) -> None:
        self._database = database
        self._models = models
        self._encoder_timeout_s = encoder_timeout_s
        self._cache = cache or AnswerCache()

    async def find(self, user_id: str, request: SearchRequest) -> SearchAnswer:
        """Returns the answer to one search, cached if the user's index has not changed; adds it to their history."""
        started = time.perf_counter()
        answer = await self._from_cache(user_id, request, started) or await self._searched(user_id, request, started)
        _LATENCY.labels(request.mode, str(answer.degraded).lower()).observe(time.perf_counter() - started)
        return answer

    async def similar(self, user_id: str, upload_id: str, limit: int) -> SimilarAnswer:
        """Returns the files nearest in meaning to one of the user's. Raises ``ApiError`` 404 if it is not theirs."""
        async with self._database.reading(user_id, retrieval.SEARCH_TERMS) as reading:
            index = await retrieval.index_state(reading, user_id, self._models.current.model_id)
            if not (await retrieval.result_page(reading, user_id, index.answering, {upload_id: ()})).files:
                raise not_found("file")
            model = self._models.named(index.model_id)
            alike = await _alike(reading, user_id, upload_id, index, model, limit) if model else []
            result_page = await retrieval.result_page(reading, user_id, index.answering, _moments(alike))
            return SimilarAnswer(results=_results(result_page, alike), processing=index.processing)

    async def by_image_hash(self, user_id: str, image_hash: int | None, parameters: FilterParameters) -> ImageAnswer:
        """Returns pictures and films by the difference of their image hashes, smallest first.

        ``image_hash`` None stands for a picture of one shade, which looks like nothing.
        """
        if image_hash is None:
            return ImageAnswer(results=[], total=0)
        async with self._database.reading(user_id, retrieval.SEARCH_TERMS) as reading:
            index = await retrieval.index_state(reading, user_id, self._models.current.model_id)
            filters = replace(parameters.filters(), answering=index.answering)
            found = await similar_images.similar(
                reading, user_id, filters, image_hash, MAX_DIFFERING_BITS, _MOST_SIMILAR
            )
            page = [_similar_image(file) for file in found[parameters.offset : parameters.offset + parameters.limit]]
            result_page = await retrieval.result_page(reading, user_id, index.answering, _moments(page))
            return ImageAnswer(results=_results(result_page, page), total=len(found))

    async def _from_cache(self, user_id: str, request: SearchRequest, started: float) -> SearchAnswer | None:
        if not self._cache.holds(user_id, request):
            return None
        async with self._database.reading(user_id, retrieval.HISTORY_TERMS) as reading:
            index = await retrieval.index_state(reading, user_id, self._models.current.model_id)
            kept = self._cache.get(user_id, request, index.state)
            if kept is None:
                return None
            took_ms = _ms_since(started)
            search_id = await _remembered(reading, user_id, request, kept, took_ms, cached=True)
        update = {"cached": True, "search_id": search_id, "processing_time_ms": took_ms}
        return kept.model_copy(update=update)

    async def _searched(self, user_id: str, request: SearchRequest, started: float) -> SearchAnswer:
        query = queries.parse(request.query)
        model: Model | None = self._models.guess(user_id)
        found: tuple[SearchAnswer, Hashable] | None = None
        while found is None:
            # Encoded before the transaction begins: a slow encoder must not hold a connection.
            vector = await self._vector(model, query, request.mode)
            async with self._database.reading(user_id, retrieval.SEARCH_TERMS) as reading:
                index = await retrieval.index_state(reading, user_id, self._models.current.model_id)
                answering = self._models.named(index.model_id)
                if answering is model:
                    context = self._context(user_id, request, query, model, vector, index)
                    found = await _answered(reading, context, started), index.state
            model = answering  # if the user was switched since the guess, the query is encoded for this one
        answer, state = found
        if model is not None:
            self._models.remember(user_id, model)
        if not answer.degraded:
            self._cache.put(user_id, request, state, answer)
        return answer

    def _context(
        self,
        user_id: str,
        request: SearchRequest,
        query: Query,
        model: Model | None,
        vector: bytes | None,
        index: Index,
    ) -> SearchContext:
        space = model.space if model else Space.without_vectors(index.model_id)
        calibration = (model or self._models.current).calibration
        return SearchContext.of(user_id, request, query, space, vector, calibration, index)

    async def _vector(self, model: Model | None, query: Query, mode: str) -> bytes | None:
        if model is None or query.is_empty or mode == Mode.KEYWORD:
            return None
        return await query_vector(model.encoder, query.text, self._encoder_timeout_s)


async def _answered(reading: Reading, context: SearchContext, started: float) -> SearchAnswer:
    """Searches, then writes the search to the history in a second transaction of the same connection."""
    answer = await _answer(reading, context)
    took_ms = _ms_since(started)
    await reading.begin_again(retrieval.HISTORY_TERMS)
    search_id = await _remembered(reading, context.user_id, context.request, answer, took_ms, cached=False)
    return answer.model_copy(update={"search_id": search_id, "processing_time_ms": took_ms})


async def _answer(reading: Reading, context: SearchContext) -> SearchAnswer:
    ranking = await ranked_files(reading, context)
    page = ranking.files[context.request.offset : context.request.offset + context.request.limit]
    found = [file.upload_id for file in ranking.files]
    result_page = await retrieval.result_page(reading, context.user_id, context.index.answering, _moments(page), found)
    return SearchAnswer(
        results=_results(result_page, page, ranking.terms),
        facets=facets(result_page.counts),
        total=sum(result_page.counts.kinds.values()),
        total_relation="gte" if ranking.cut else "eq",
        processing=context.index.processing,
        degraded=context.degraded,
        corrections={word: " ".join(meant) for word, meant in ranking.corrections.items()},
        search_id=_NOT_STORED_YET,
        processing_time_ms=0,
    )


async def _alike(
    reading: Reading, user_id: str, upload_id: str, index: Index, model: Model, limit: int
) -> Sequence[RankedFile]:
    centre = await retrieval.centre(reading, user_id, upload_id, model.space)
    if centre is None:
        return []
    raised = model.calibration.cutoffs("", index.passages_of(model.space))
    cutoffs = replace(raised, with_words=raised.alone)  # no words are compared
    vector_hits = await by_meaning.nearest(
        reading,
        user_id,
        Filters(other_than=upload_id),
        index.counts(model.space),
        model_id=model.model_id,
        dimensions=model.dimensions,
        vector=centre,
        cutoff=cutoffs.with_words,
        depth=limit,
    )
    return rank(vector_hits, [], cutoffs)[:limit]


def _moments(page: Sequence[RankedFile]) -> dict[str, list[PassageKey]]:
    return {file.upload_id: [moment.key for moment in file.moments] for file in page}


def _results(
    result_page: retrieval.ResultPage, page: Sequence[RankedFile], terms: Sequence[Term] = ()
) -> list[FileAnswer]:
    highlighters = Highlighters(terms)
    return [
        file_answer(result_page.files[ranked.upload_id], ranked, highlighters)
        for ranked in page
        if ranked.upload_id in result_page.files
    ]


async def _remembered(
    noting: Reading, user_id: str, request: SearchRequest, answer: SearchAnswer, took_ms: float, *, cached: bool
) -> UUID:
    text = queries.printable(request.query)
    if request.offset:
        # A further page belongs to the search whose first page is in the history.
        earlier = await history.latest(noting, user_id, text, request.mode)
        if earlier is not None:
            return earlier
    return await history.remember(
        noting,
        user_id,
        text,
        request.mode,
        result_count=answer.total,
        took_ms=took_ms,
        degraded=answer.degraded,
        cached=cached,
        filtered=request.filters() != Filters(include_flagged=request.include_flagged),
    )


def _similar_image(file: similar_images.SimilarImage) -> RankedFile:
    similarity = 1 - file.differing / 64
    matched = frozenset({MatchReason.LOOKS})
    return RankedFile(file.upload_id, similarity, similarity, literal=False, matched=matched)


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
