"""Turns a query into ranked files: encodes it, asks by meaning and by words, fuses, and reads what is shown."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import structlog
from opentelemetry import trace
from prometheus_client import Histogram
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.artifacts import TextSource
from database.engine import Database
from embeddings.encoder import Encoder, EncoderError
from hosting.answers import not_found
from search import query as queries
from search.answers import (
    FileAnswer,
    MomentAnswer,
    SearchAnswer,
    SimilarAnswer,
    facets,
    file_answer,
    moment_answer,
)
from search.folding import DEFAULT_CONFIG
from search.query import Query
from search.ranking import PassageKey, RankedFile, SemanticHit, TextHit, rank, tier_for
from search.request import Filters, Mode, SearchRequest
from search.store import by_meaning, by_words, history, retrieval

_LATENCY = Histogram("search_latency_seconds", "Time to answer a search", ["mode", "degraded"])
_OF_THE_WHOLE = (TextSource.SUMMARY, TextSource.METADATA)
_log = structlog.get_logger()
_tracer = trace.get_tracer(__name__)


@dataclass(frozen=True)
class _Found:
    """Every file found, in order, up to the depth that was read."""

    ranked: Sequence[RankedFile]
    page: Sequence[RankedFile]
    wanted: frozenset[str]


class Finder:
    """Searches one user's files at a time.

    ``cut_off`` is the least cosine of an answer (see :mod:`search.cut_offs`). While the encoder fails or takes
    longer than ``encoder_timeout_s`` searches go by words alone and say so.
    """

    def __init__(self, database: Database, encoder: Encoder, *, cut_off: float, encoder_timeout_s: float = 3.0) -> None:
        self._database = database
        self._encoder = encoder
        self._cut_off = cut_off
        self._encoder_timeout_s = encoder_timeout_s

    async def find(self, user_id: str, request: SearchRequest) -> SearchAnswer:
        """The answer to one search; the first page of it is kept in the user's history."""
        started = time.perf_counter()
        query, mode = queries.parse(request.query), Mode(request.mode)
        # Before any session is opened: a slow encoder must not hold a connection.
        vector = None if mode is Mode.KEYWORD or query.is_empty else await self._vector(query.text)
        degraded = vector is None and mode is not Mode.KEYWORD and not query.is_empty
        async with self._database.transaction(user_id) as session:
            await retrieval.prepare(session)
            found = await self._ranked(session, user_id, request, query, vector, degraded=degraded)
            results = await self._shown(session, user_id, found)
            counts = await retrieval.facets(session, user_id, [file.upload_id for file in found.ranked])
            processing = await retrieval.processing(session, user_id)
            took_ms = round((time.perf_counter() - started) * 1000, 2)
            search_id = await _remembered(session, user_id, request, len(found.ranked), took_ms, degraded=degraded)
        _LATENCY.labels(mode.value, str(degraded).lower()).observe(time.perf_counter() - started)
        return SearchAnswer(
            results=results,
            facets=facets(counts),
            total=len(found.ranked),
            processing=processing,
            degraded=degraded,
            search_id=search_id,
            processing_time_ms=took_ms,
        )

    async def similar(self, user_id: str, upload_id: str, limit: int) -> SimilarAnswer:
        """The files nearest in meaning to one of the user's own. Raises ``ApiError`` 404 when it is not theirs."""
        async with self._database.transaction(user_id) as session:
            await retrieval.prepare(session)
            if not await retrieval.files(session, user_id, [upload_id]):
                raise not_found("file")
            encoder = self._encoder
            centre = await retrieval.centre(session, user_id, upload_id, encoder.model_id, encoder.dimensions)
            others = Filters(other_than=upload_id)
            near = await self._nearest(session, user_id, others, centre, limit) if centre else []
            ranked = rank(near, [])[:limit]
            results = await self._shown(session, user_id, _Found(ranked, ranked, frozenset()))
            return SimilarAnswer(results=results, processing=await retrieval.processing(session, user_id))

    async def _vector(self, text: str) -> str | None:
        try:
            with _tracer.start_as_current_span("encode query"):
                async with asyncio.timeout(self._encoder_timeout_s):
                    vector = await self._encoder.encode_query(text)
        except (EncoderError, TimeoutError, OSError) as error:
            _log.warning("query not encoded", action="search", reason=f"{type(error).__name__}: {error}")
        except Exception:
            _log.exception("query not encoded", action="search")
        else:
            return json.dumps(vector.tolist())
        return None

    async def _ranked(
        self,
        session: AsyncSession,
        user_id: str,
        request: SearchRequest,
        query: Query,
        vector: str | None,
        *,
        degraded: bool,
    ) -> _Found:
        last = request.offset + request.limit
        depth = tier_for(last)
        filters = _with_words(request.filters(), query)
        near: list[SemanticHit] = []
        said: list[TextHit] = []
        if vector is not None:
            near = await self._nearest(session, user_id, filters, vector, depth)
        if not query.is_empty and (degraded or request.mode != Mode.SEMANTIC):
            configs = {DEFAULT_CONFIG, *await retrieval.text_configs(session, user_id)}
            said = await by_words.matching(session, user_id, filters, query, sorted(configs), depth)
        ranked = rank(near, said)
        wanted = frozenset(word for term in query.terms for word in term.words)
        return _Found(ranked, ranked[request.offset : last], wanted)

    async def _nearest(
        self, session: AsyncSession, user_id: str, filters: Filters, vector: str, depth: int
    ) -> list[SemanticHit]:
        return await by_meaning.nearest(
            session,
            user_id,
            filters,
            model_id=self._encoder.model_id,
            dimensions=self._encoder.dimensions,
            vector=vector,
            cut_off=self._cut_off,
            depth=depth,
        )

    async def _shown(self, session: AsyncSession, user_id: str, found: _Found) -> list[FileAnswer]:
        files = await retrieval.files(session, user_id, [file.upload_id for file in found.page])
        keys = [(file.upload_id, moment.key) for file in found.page for moment in file.moments]
        passages = await retrieval.passages(session, user_id, keys)

        def compose() -> list[FileAnswer]:
            return [
                file_answer(files[ranked.upload_id], ranked, _moments(ranked, passages, found.wanted))
                for ranked in found.page
                if ranked.upload_id in files
            ]

        return await asyncio.to_thread(compose)


def _moments(
    ranked: RankedFile, passages: dict[tuple[str, PassageKey], retrieval.FoundPassage], wanted: frozenset[str]
) -> list[MomentAnswer]:
    shown: dict[tuple[str, int | None, float | None], MomentAnswer] = {}
    for moment in ranked.moments:
        passage = passages.get((ranked.upload_id, moment.key))
        if passage is not None:
            # While two models' passages lie side by side the same text may be found twice.
            same = (passage.text, passage.locator.page, passage.locator.start_s)
            shown.setdefault(same, moment_answer(moment, passage, wanted))
    # What is said of the whole file points nowhere inside it; it comes after what does.
    return sorted(shown.values(), key=lambda moment: moment.source in _OF_THE_WHOLE)


def _with_words(filters: Filters, query: Query) -> Filters:
    return replace(
        filters,
        required=tuple(term.tsquery for term in query.required),
        excluded=tuple(term.tsquery for term in query.excluded),
    )


async def _remembered(
    session: AsyncSession, user_id: str, request: SearchRequest, total: int, took_ms: float, *, degraded: bool
) -> UUID:
    if request.offset:
        return uuid4()
    asked = queries.printable(request.query)
    return await history.remember(
        session, user_id, asked, request.mode, result_count=total, took_ms=took_ms, degraded=degraded
    )
