"""Turns a query into an answer: encodes it, finds and ranks files, reads what is shown, remembers what was asked."""

import time
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from prometheus_client import Histogram

from database.engine import Database
from database.reading import Reading
from embeddings.encoder import Encoder
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
from search.cut_offs import CutOff
from search.encoding import query_vector
from search.looks import ALIKE
from search.matching import Asked, nearest, ranked_files
from search.models import Model, Models, Space
from search.query import Term
from search.ranking import PassageKey, RankedFile, Why, rank
from search.request import Filters, Mode, SearchRequest, Wanted
from search.snippets import Highlighter
from search.store import history, looks, retrieval

_LATENCY = Histogram("search_latency_seconds", "Time to answer a search", ["mode", "degraded"])
_MOST_ALIKE = 1000
_NOT_YET_KEPT = UUID(int=0)


class Finder:
    """Searches one user's files at a time.

    ``cut_off`` says how near an answer must be (see :mod:`search.cut_offs`). While the encoder fails or takes
    longer than ``encoder_timeout_s`` searches go by words alone and say so. Who was switched to a model ``beside`` the
    first is answered by that one; no search ever looks at vectors of two.
    """

    def __init__(
        self,
        database: Database,
        encoder: Encoder,
        *,
        cut_off: CutOff,
        encoder_timeout_s: float = 3.0,
        cache: AnswerCache | None = None,
        beside: Sequence[Model] = (),
    ) -> None:
        self._database = database
        self._models = Models(Model(encoder, cut_off), beside)
        self._encoder_timeout_s = encoder_timeout_s
        self._cache = cache or AnswerCache()

    async def find(self, user_id: str, request: SearchRequest) -> SearchAnswer:
        """The answer to one search, from memory where nothing has changed; it is kept in the user's history."""
        started = time.perf_counter()
        answer = await self._from_cache(user_id, request, started) or await self._searched(user_id, request, started)
        _LATENCY.labels(request.mode, str(answer.degraded).lower()).observe(time.perf_counter() - started)
        return answer

    async def similar(self, user_id: str, upload_id: str, limit: int) -> SimilarAnswer:
        """The files nearest in meaning to one of the user's own. Raises ``ApiError`` 404 when it is not theirs."""
        async with self._database.reading(user_id, retrieval.SEARCHING) as reading:
            index = await retrieval.index(reading, user_id)
            if not (await retrieval.shown(reading, user_id, {upload_id: ()})).files:
                raise not_found("file")
            model = self._models.named(index.model_id)
            alike = await _alike(reading, user_id, upload_id, index, model, limit) if model else []
            shown = await retrieval.shown(reading, user_id, _moments(alike))
            return SimilarAnswer(results=_results(shown, alike), processing=index.processing)

    async def by_look(self, user_id: str, look: int | None, wanted: Wanted) -> ImageAnswer:
        """Pictures and films that look like one, the most alike first; nothing looks like one all of a shade."""
        if look is None:
            return ImageAnswer(results=[], total=0)
        async with self._database.reading(user_id, retrieval.SEARCHING) as reading:
            found = await looks.alike(reading, user_id, wanted.filters(), look, ALIKE, _MOST_ALIKE)
            page = [_lookalike(file) for file in found[wanted.offset : wanted.offset + wanted.limit]]
            shown = await retrieval.shown(reading, user_id, _moments(page))
            return ImageAnswer(results=_results(shown, page), total=len(found))

    async def _from_cache(self, user_id: str, request: SearchRequest, started: float) -> SearchAnswer | None:
        if not self._cache.holds(user_id, request):
            return None
        async with self._database.reading(user_id, retrieval.NOTING) as reading:
            index = await retrieval.index(reading, user_id)
            kept = self._cache.get(user_id, request, index.state)
            if kept is None:
                return None
            took_ms = _ms_since(started)
            search_id = await _remembered(reading, user_id, request, kept, took_ms, cached=True)
        update = {"cached": True, "search_id": search_id, "processing_time_ms": took_ms}
        return kept.model_copy(update=update)

    async def _searched(self, user_id: str, request: SearchRequest, started: float) -> SearchAnswer:
        query = queries.parse(request.query)
        wants_vector = request.mode != Mode.KEYWORD and not query.is_empty
        model: Model | None = self._models.guess(user_id)
        while True:
            # Before the transaction begins: a slow encoder must not hold a connection.
            vector = await self._vector(model, query.text) if wants_vector else None
            async with self._database.reading(user_id, retrieval.SEARCHING) as reading:
                index = await retrieval.index(reading, user_id)
                answering = self._models.named(index.model_id)
                if answering is not model:
                    model = answering  # switched since the guess: encoded again, for the model that answers now
                    continue
                space = model.space if model else _only_texts(index)
                bar = (model or self._models.current).cut_off.bar(query.text, index.passages_of(space))
                asked = Asked(user_id, request, query, vector, bar, index)
                answer = await _answer(reading, asked, space, index.processing)
                took_ms = _ms_since(started)
                await reading.begin_again(retrieval.NOTING)
                search_id = await _remembered(reading, user_id, request, answer, took_ms, cached=False)
            break
        if model is not None:
            self._models.remember(user_id, model)
        answer = answer.model_copy(update={"search_id": search_id, "processing_time_ms": took_ms})
        if not answer.degraded:
            self._cache.put(user_id, request, index.state, answer)
        return answer

    async def _vector(self, model: Model | None, text: str) -> str | None:
        return await query_vector(model.encoder, text, self._encoder_timeout_s) if model else None


async def _answer(reading: Reading, asked: Asked, space: Space, processing: int) -> SearchAnswer:
    ranking = await ranked_files(reading, asked, space)
    page = ranking.files[asked.request.offset : asked.request.offset + asked.request.limit]
    shown = await retrieval.shown(reading, asked.user_id, _moments(page), [file.upload_id for file in ranking.files])
    return SearchAnswer(
        results=_results(shown, page, ranking.terms, asked.index.languages),
        facets=facets(shown.counts),
        total=sum(shown.counts.kinds.values()),
        total_relation="gte" if ranking.cut else "eq",
        processing=processing,
        degraded=asked.degraded,
        search_id=_NOT_YET_KEPT,
        processing_time_ms=0,
    )


async def _alike(
    reading: Reading, user_id: str, upload_id: str, index: retrieval.Index, model: Model, limit: int
) -> Sequence[RankedFile]:
    centre = await retrieval.centre(reading, user_id, upload_id, model.space)
    if centre is None:
        return []
    raised = model.cut_off.bar("", index.passages_of(model.space))
    bar = replace(raised, with_words=raised.alone)  # no words are compared
    near = await nearest(reading, user_id, Filters(other_than=upload_id), index, model.space, centre, limit, bar)
    return rank(near, [], bar)[:limit]


def _only_texts(index: retrieval.Index) -> Space:
    """Of a model that this process cannot encode for no vectors are looked at, only its passages."""
    return Space(index.model_id or "", 0)


def _moments(page: Sequence[RankedFile]) -> dict[str, list[PassageKey]]:
    return {file.upload_id: [moment.key for moment in file.moments] for file in page}


def _results(
    shown: retrieval.Shown, page: Sequence[RankedFile], terms: Sequence[Term] = (), languages: Sequence[str] = ()
) -> list[FileAnswer]:
    highlighter = Highlighter.of(terms, languages)
    return [
        file_answer(shown.files[ranked.upload_id], ranked, highlighter)
        for ranked in page
        if ranked.upload_id in shown.files
    ]


async def _remembered(
    noting: Reading, user_id: str, request: SearchRequest, answer: SearchAnswer, took_ms: float, *, cached: bool
) -> UUID:
    asked = queries.printable(request.query)
    if request.offset:
        # Further pages belong to the search whose first page is kept.
        earlier = await history.latest(noting, user_id, asked, request.mode)
        if earlier is not None:
            return earlier
    return await history.remember(
        noting,
        user_id,
        asked,
        request.mode,
        result_count=answer.total,
        took_ms=took_ms,
        degraded=answer.degraded,
        cached=cached,
        filtered=request.filters() != Filters(include_flagged=request.include_flagged),
    )


def _lookalike(file: looks.Lookalike) -> RankedFile:
    similarity = 1 - file.differing / 64
    matched = frozenset({Why.LOOKS})
    return RankedFile(file.upload_id, similarity, similarity, literal=False, matched=matched)


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
