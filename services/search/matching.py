"""Finds and ranks the files of one search in one transaction: by meaning, by words, and by words of a relaxed query."""

import math
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple, Self
from unicodedata import normalize

from search import relaxation
from search.cut_offs import Calibration, Cutoffs
from search.models import Space
from search.query import Query
from search.ranking import (
    COUNTED_WHOLE,
    LEAST_BESIDE_MEANING,
    LEAST_COVERAGE,
    MOST_SORTED,
    TIERS,
    MatchReason,
    RankedFile,
    SemanticHit,
    TextHit,
    goes_on,
    rank,
    tier_for,
    tiers_to,
)
from search.request import Filters, Mode, SearchRequest, Sort
from search.store import by_meaning, by_words, names, retrieval, spellings
from search.store.statements import Transaction
from search.store.term_queries import term_queries
from search.terms import Phrase, Term


@dataclass(frozen=True)
class SearchContext:
    """Everything known before a search begins: request, parsed query, thresholds and the state of the user's index.

    ``space``: the vectors and texts to search. ``vector``: the query's as ``halfvec``; None if the search
    goes by words alone.
    """

    user_id: str
    request: SearchRequest
    query: Query
    space: Space
    vector: bytes | None
    calibration: Calibration
    cutoffs: Cutoffs
    index: retrieval.Index

    @classmethod
    def of(
        cls,
        user_id: str,
        request: SearchRequest,
        query: Query,
        space: Space,
        vector: bytes | None,
        calibration: Calibration,
        index: retrieval.Index,
    ) -> Self:
        """Returns it with the thresholds that ``calibration`` has for the query."""
        cutoffs = calibration.cutoffs(query.text, index.passages_of(space))
        if query.is_of_codes:
            with_words = cutoffs.with_words if request.mode == Mode.SEMANTIC else math.inf
            cutoffs = replace(cutoffs, alone=math.inf, with_words=with_words)
        return cls(user_id, request, query, space, vector, calibration, cutoffs, index)

    @property
    def degraded(self) -> bool:
        """True if the request asked for semantic hits and the query could not be encoded."""
        return self.vector is None and self.request.mode != Mode.KEYWORD and not self.query.is_empty

    @property
    def by_meaning_alone(self) -> bool:
        """True if no file is found by its words: they only lower the threshold of files found by meaning."""
        return self.request.mode == Mode.SEMANTIC and not self.degraded

    @property
    def least(self) -> float:
        """Minimum coverage of a file that is found by words only."""
        return LEAST_COVERAGE if self.vector is None else LEAST_BESIDE_MEANING

    @property
    def depth(self) -> int:
        """How many files to read of each list of hits; all that the user has, if they are few."""
        if self.request.sort != Sort.RELEVANCE:
            return MOST_SORTED
        last = self.request.offset + self.request.limit
        return tier_for(max(last, self.index.files) if self.index.files < COUNTED_WHOLE else last)

    @cached_property
    def filters(self) -> Filters:
        """The filters of the request, with the phrases that must or must not occur."""
        return replace(
            self.request.filters(),
            answering=self.index.answering,
            required=tuple(term.tsquery for term in self.query.required),
            excluded=(" | ".join(term.tsquery for term in self.query.excluded),) if self.query.excluded else (),
        )


class Ranking(NamedTuple):
    """Every file found down to the depth that was read, in the requested order, and the terms that were searched.

    ``cut``: more files match beyond that depth. ``corrections``: word that occurs nowhere → what was searched as well.
    """

    files: Sequence[RankedFile]
    terms: Sequence[Term]
    cut: bool
    corrections: Mapping[str, Phrase]


class _ByWords(NamedTuple):
    """Files found by words, the terms that were searched, and those of their words that are in none of the files.

    ``corrected_share``: the share of the terms that were taken for misspellings, 0 to 1.
    """

    hits: Sequence[TextHit] = ()
    terms: Sequence[Term] = ()
    missing: Set[str] = frozenset()
    corrections: Mapping[str, Phrase] = MappingProxyType({})
    corrected_share: float = 0.0


async def ranked_files(transaction: Transaction, context: SearchContext) -> Ranking:
    """Returns the files found by meaning, by words or by both, as the request's mode says.

    Words that are in none of them may be misspelt: those that the model does not know are compared with all words of
    the files, if nothing was found the others too.
    """
    vector_hits: list[SemanticHit] = []
    if context.vector is not None and context.cutoffs.with_words < math.inf:
        vector_hits = await by_meaning.nearest(
            transaction,
            context.user_id,
            context.filters,
            context.index.counts(context.space),
            model_id=context.space.model_id,
            dimensions=context.space.dimensions,
            vector=context.vector,
            cutoff=context.cutoffs.with_words,
            depth=context.depth,
        )
    words = await _by_words(transaction, context, vector_hits)
    ranked = _fused(context, vector_hits, words)
    if not ranked and words.missing:
        words = await _corrected_by_contents(transaction, context, words)
        ranked = _fused(context, vector_hits, words)
    return await _in_order(transaction, context, vector_hits, words, ranked)


def _fused(context: SearchContext, vector_hits: Sequence[SemanticHit], words: _ByWords) -> list[RankedFile]:
    # The vector encodes the misspelt query, so its vote shrinks by the corrected share.
    cutoffs = replace(context.cutoffs, trust=context.cutoffs.trust * (1 - words.corrected_share))
    return rank(vector_hits, words.hits, cutoffs, words_only_vouch=context.by_meaning_alone, least=context.least)


async def _in_order(
    transaction: Transaction,
    context: SearchContext,
    vector_hits: Sequence[SemanticHit],
    words: _ByWords,
    ranked: Sequence[RankedFile],
) -> Ranking:
    found_by_words = [] if context.by_meaning_alone else words.hits
    cut = goes_on(vector_hits, found_by_words, context.cutoffs, context.depth, context.least)
    if context.request.sort == Sort.RELEVANCE:
        named = await _named(transaction, context, found_by_words)
        files = sorted(ranked, key=lambda file: file.upload_id not in named)
    else:
        by_id = {file.upload_id: file for file in ranked}
        order = await retrieval.in_order(transaction, context.user_id, list(by_id), Sort(context.request.sort))
        files = [by_id[upload_id] for upload_id in order]
    return Ranking(files, words.terms, cut, words.corrections)


async def _by_words(transaction: Transaction, context: SearchContext, vector_hits: Sequence[SemanticHit]) -> _ByWords:
    if context.query.is_empty:
        return _ByWords()
    terms = await _searched_terms(transaction, context.query, context.index.languages)
    if context.by_meaning_alone and all(hit.similarity >= context.cutoffs.alone for hit in vector_hits):
        return _ByWords(terms=terms)
    text_hits = await _files_by_words(transaction, context, context.query)
    missing = relaxation.unmatched(terms, text_hits[: TIERS[0]])  # the same ones on every page
    words = _ByWords(text_hits, terms, missing)
    if not missing:
        return words
    doubted = relaxation.may_be_misspelt(missing)
    strange = context.calibration.strange(relaxation.may_be_misspelt_in_contents(missing))
    return await _relaxed(transaction, context, words, await _known(transaction, context, doubted, strange))


async def _corrected_by_contents(transaction: Transaction, context: SearchContext, words: _ByWords) -> _ByWords:
    """Returns it with what is found by words of names and contents that are spelt almost like missing ones."""
    doubted = relaxation.may_be_misspelt_in_contents(words.missing)
    known = await _known(transaction, context, doubted, doubted)
    return await _relaxed(transaction, context, words, known) if known else words


async def _known(
    transaction: Transaction, context: SearchContext, in_names: Collection[str], in_contents: Collection[str]
) -> Mapping[str, int]:
    """Returns words of the user's files that misspelt ones may stand for, and how many of the files have them."""
    user_id, passages = context.user_id, context.index.passages_of(context.space)
    known = await names.similar_words(transaction, user_id, in_names, relaxation.REACH) if in_names else {}
    return known | (await spellings.alike(transaction, user_id, in_contents, passages) if in_contents else {})


async def _relaxed(
    transaction: Transaction, context: SearchContext, words: _ByWords, known: Mapping[str, int]
) -> _ByWords:
    relaxed = relaxation.relaxed(context.query, words.missing, known, unstemmed=context.index.has_unstemmed)
    if relaxed is None:
        return words
    wider = await _files_by_words(transaction, context, relaxed.query)
    searched = await _searched_terms(transaction, relaxed.query, context.index.languages)
    instead = [term for term in searched if term not in words.terms]
    return _ByWords(
        _together(words.hits, relaxation.discounted(wider), context.depth),
        [*words.terms, *instead],
        words.missing,
        relaxed.corrections,
        corrected_share=sum(not term.begins for term in instead) / max(len(relaxed.query.terms), 1),
    )


async def _named(transaction: Transaction, context: SearchContext, text_hits: Sequence[TextHit]) -> set[str]:
    """Returns the files that are called what was typed: they come before those whose names only contain it."""
    likely = [hit.upload_id for hit in text_hits[: TIERS[0]] if hit.literal and MatchReason.NAME in hit.matched]
    known = await retrieval.filenames(transaction, context.user_id, likely) if likely else {}
    return {upload_id for upload_id, name in known.items() if _plain(name) == _plain(context.query.text)}


def _plain(name: str) -> str:
    return normalize("NFC", name).casefold().strip()


async def _files_by_words(transaction: Transaction, context: SearchContext, query: Query) -> list[TextHit]:
    return await by_words.matching(
        transaction,
        context.user_id,
        context.filters,
        query,
        context.index.languages,
        context.depth,
        context.index.files,
        context.space.model_id,
    )


async def _searched_terms(transaction: Transaction, query: Query, configs: Sequence[str]) -> list[Term]:
    return [one.term for one in await term_queries(transaction, query, configs)]


def _together(text_hits: Sequence[TextHit], wider: Sequence[TextHit], depth: int) -> list[TextHit]:
    """Merges the hits of the query and of its relaxed form: each file once, with the better of its coverages.

    Tier by tier, and equals in the order of their lists, so that reading deeper only appends.
    """
    merged: dict[str, TextHit] = {}
    for tier in tiers_to(depth):
        best = {hit.upload_id: hit for hit in text_hits[:tier]}
        for hit in wider[:tier]:
            known = best.get(hit.upload_id)
            if known is None or (hit.coverage > known.coverage and not known.literal):
                best[hit.upload_id] = hit
        ordered = sorted(best.values(), key=lambda hit: (not hit.literal, -hit.coverage))
        merged |= {hit.upload_id: hit for hit in ordered if hit.upload_id not in merged}
        merged = dict(islice(merged.items(), tier))
    return list(merged.values())
