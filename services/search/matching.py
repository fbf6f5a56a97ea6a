"""Turns a parsed query and its vector into ranked files, in one transaction: by meaning, words and misspelt names."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from search import relaxation
from search.cut_offs import Bar
from search.models import Space
from search.query import Query, Term
from search.ranking import (
    LEAST_BESIDE_MEANING,
    LEAST_COVERAGE,
    MOST_SORTED,
    RankedFile,
    SemanticHit,
    TextHit,
    goes_on,
    rank,
    tier_for,
)
from search.request import Filters, Mode, SearchRequest, Sort
from search.store import by_meaning, by_words, names, retrieval
from search.store.sought import sought
from search.store.statements import Asking


@dataclass(frozen=True)
class Asked:
    """One search: the request, what was read in it, its vector unless it goes by words alone, and the user's index."""

    user_id: str
    request: SearchRequest
    query: Query
    vector: str | None
    bar: Bar
    index: retrieval.Index

    @property
    def degraded(self) -> bool:
        """True when meaning was asked for and could not be had."""
        return self.vector is None and self.request.mode != Mode.KEYWORD and not self.query.is_empty

    @property
    def depth(self) -> int:
        """How many files of each list to read."""
        last = self.request.offset + self.request.limit
        return tier_for(last) if self.request.sort == Sort.RELEVANCE else MOST_SORTED

    @cached_property
    def filters(self) -> Filters:
        """The request's, and the phrases that must or must not occur."""
        return replace(
            self.request.filters(),
            required=tuple(term.tsquery for term in self.query.required),
            excluded=tuple(term.tsquery for term in self.query.excluded),
        )


class Ranking(NamedTuple):
    """Every file found up to the depth that is read, in the order asked for, and the terms that were looked for.

    ``cut``: there are more beyond that depth.
    """

    files: Sequence[RankedFile]
    terms: Sequence[Term]
    cut: bool


async def ranked_files(asking: Asking, asked: Asked, space: Space) -> Ranking:
    """By meaning, by words or by both, as the request's mode says."""
    near: list[SemanticHit] = []
    if asked.vector is not None:
        near = await nearest(
            asking, asked.user_id, asked.filters, asked.index, space, asked.vector, asked.depth, asked.bar
        )
    said, terms, put_right = await _said(asking, asked, space.model_id)
    by_meaning_alone = asked.request.mode == Mode.SEMANTIC and not asked.degraded
    least = LEAST_COVERAGE if asked.vector is None else LEAST_BESIDE_MEANING
    # The vector is of what was typed.
    bar = replace(asked.bar, trust=asked.bar.trust * (1 - put_right))
    ranked = rank(near, said, bar, words_only_vouch=by_meaning_alone, least=least)
    cut = goes_on(near, [] if by_meaning_alone else said, asked.bar, asked.depth, least)
    if asked.request.sort == Sort.RELEVANCE:
        return Ranking(ranked, terms, cut)
    by_id = {file.upload_id: file for file in ranked}
    order = await retrieval.in_order(asking, asked.user_id, list(by_id), Sort(asked.request.sort))
    return Ranking([by_id[upload_id] for upload_id in order], terms, cut)


async def nearest(
    asking: Asking,
    user_id: str,
    filters: Filters,
    index: retrieval.Index,
    space: Space,
    vector: str,
    depth: int,
    bar: Bar,
) -> list[SemanticHit]:
    """Files by meaning, down to the lower of the two bars."""
    return await by_meaning.nearest(
        asking,
        user_id,
        filters,
        index.holdings.counts(space.model_id, space.dimensions),
        model_id=space.model_id,
        dimensions=space.dimensions,
        vector=vector,
        cut_off=bar.with_words,
        depth=depth,
    )


async def _said(asking: Asking, asked: Asked, model_id: str) -> tuple[Sequence[TextHit], Sequence[Term], float]:
    """Files by words, the terms that were looked for, and which share of them was put right."""
    if asked.query.is_empty:
        return [], [], 0.0
    user_id, filters, depth = asked.user_id, asked.filters, asked.depth
    configs = asked.index.languages
    said = await by_words.matching(asking, user_id, filters, asked.query, configs, depth, asked.index.files, model_id)
    terms = await _telling(asking, asked.query, configs)
    missing = relaxation.unmatched(terms, said)
    if not missing:
        return said, terms, 0.0
    doubted = relaxation.may_be_misspelt(missing)
    known = await names.alike(asking, user_id, doubted, relaxation.REACH) if doubted else []
    query = relaxation.relaxed(asked.query, missing, known)
    if query is None:
        return said, terms, 0.0
    wider = await by_words.matching(asking, user_id, filters, query, configs, depth, asked.index.files, model_id)
    instead = [term for term in await _telling(asking, query, configs) if term not in terms]
    put_right = sum(not term.begins for term in instead) / max(len(query.terms), 1)
    return _together(said, relaxation.discounted(wider)), [*terms, *instead], put_right


async def _telling(asking: Asking, query: Query, configs: Sequence[str]) -> list[Term]:
    return [one.term for one in await sought(asking, query, configs)]


def _together(said: Sequence[TextHit], wider: Sequence[TextHit]) -> list[TextHit]:
    """Each file once, with the better of its two coverages."""
    best = {hit.upload_id: hit for hit in said}
    for hit in wider:
        if hit.upload_id not in best or (
            hit.coverage > best[hit.upload_id].coverage and not best[hit.upload_id].literal
        ):
            best[hit.upload_id] = hit
    return sorted(best.values(), key=lambda hit: (not hit.literal, -hit.coverage, hit.upload_id))
