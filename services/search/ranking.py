"""Fuses what was found by meaning and by words into one order of files, each with its best moments. Pure.

Reciprocal rank fusion (Cormack, Clarke, Büttcher 2009): 1 / (60 + rank) from each list, and each vote counts by the
square of how well the file fits, or one word in common would outweigh the nearest meaning. What occurs literally (a
quoted phrase, a code, a file name) comes before what does not. Figures: ``python -m tests.bench.relevance``.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from search.cut_offs import Bar

RRF_K = 60
MOMENTS = 3

LEAST_COVERAGE = 0.4
"""Files that cover less of the query, by weight of its words, are not shown for them alone: one of two is enough."""

LEAST_BESIDE_MEANING = 0.5
"""The same where meaning was looked for as well and does not speak for the file: of two words the rarer one."""

SUPPORTING_COVERAGE = 0.15
"""So much of the query speaks for a file that is near in meaning as well."""

TIERS = (50, 200, 2000, 20_000)
"""How many files of each list are looked at, for the first pages and for those far behind them."""


MOST_SORTED = TIERS[2]
"""Of the most relevant so many are put in another order: the same ones on every page."""


class Why(StrEnum):
    """Why a file or a moment was found."""

    SEMANTIC = "semantic"
    TEXT = "text"
    NAME = "name"
    QUOTED = "quoted"
    LOOKS = "looks"


_BY_MEANING = frozenset({Why.SEMANTIC})
_BY_WORDS = {
    (False, False): frozenset({Why.TEXT}),
    (False, True): frozenset({Why.TEXT}),
    (True, False): frozenset({Why.QUOTED}),
    (True, True): frozenset({Why.QUOTED, Why.TEXT}),
}
"""By whether a quoted phrase occurs, and other words beside it."""
_BOTH_WAYS = {which: _BY_MEANING | by_words for which, by_words in _BY_WORDS.items()}


class PassageKey(NamedTuple):
    """A passage inside its file."""

    model_id: str
    ordinal: int


class PassageHit(NamedTuple):
    """A passage and how well it fits, 0 to 1; by words: what is ``quoted`` occurs in it, and ``others`` do."""

    key: PassageKey
    score: float
    quoted: bool = False
    others: bool = False


Passages = Callable[[], Sequence[PassageHit]]
"""Made when they are asked for: of the files that are found, those of one page are shown."""


def no_passages() -> Sequence[PassageHit]:
    """Of a file that was not found this way."""
    return ()


class SemanticHit(NamedTuple):
    """A file by its passage nearest in meaning; ``similarity`` is a cosine above the model's cut-off."""

    upload_id: str
    similarity: float
    passages: Passages


class TextHit(NamedTuple):
    """A file by its words; ``coverage`` is how much of the query they make up, rare words counting more, 0 to 1.

    ``found`` are the words of the query that occur in it.
    """

    upload_id: str
    coverage: float
    literal: bool
    matched: frozenset[Why]
    passages: Passages
    found: frozenset[str] = frozenset()


class Moment(NamedTuple):
    """A passage worth showing."""

    key: PassageKey
    score: float
    matched: frozenset[Why]


@dataclass(frozen=True)
class RankedFile:
    """A file in its place; ``score`` orders, ``similarity`` (0 to 1) is for people.

    ``near`` and ``said`` are its passages by meaning and by words.
    """

    upload_id: str
    score: float
    similarity: float
    literal: bool
    matched: frozenset[Why]
    near: Passages = no_passages
    said: Passages = no_passages

    @cached_property
    def moments(self) -> tuple[Moment, ...]:
        """The best of its passages; weighed only for the files of the page that is shown."""
        return best_moments(self.near(), self.said())


def tier_for(last: int) -> int:
    """How deep the lists must be read to show results up to number ``last``."""
    return next((depth for depth in TIERS if last < depth), TIERS[-1])


def tiers_to(depth: int) -> tuple[int, ...]:
    """The tiers above ``depth``, and then ``depth``: what is read one after the other, so that deeper only appends."""
    return (*(tier for tier in TIERS if tier < depth), depth)


def rank(
    semantic: Sequence[SemanticHit],
    textual: Sequence[TextHit],
    bar: Bar,
    *,
    words_only_vouch: bool = False,
    least: float = LEAST_COVERAGE,
) -> list[RankedFile]:
    """All files of both lists in one order. Reading deeper only appends, so pages never overlap.

    What neither meaning nor words alone speak for is taken from the first tier only: how much is found in all must not
    depend on how deep somebody reads. ``words_only_vouch`` for what is near: none is found by its words.
    """
    ranked: list[RankedFile] = []
    placed: set[str] = set()
    for depth in TIERS:
        near, said = _enough(semantic[:depth], textual[:depth], bar, least, alone=depth > TIERS[0])
        for file in _fuse(near, [] if words_only_vouch else said, bar):
            if file.upload_id not in placed:
                placed.add(file.upload_id)
                ranked.append(file)
        if depth >= max(len(semantic), len(textual)):
            break
    return ranked


def goes_on(
    semantic: Sequence[SemanticHit], textual: Sequence[TextHit], bar: Bar, depth: int, least: float = LEAST_COVERAGE
) -> bool:
    """True when lists read to ``depth`` were cut where :func:`rank` would have placed more of them."""
    return (len(semantic) >= depth and semantic[-1].similarity >= bar.alone) or (
        len(textual) >= depth and _tells_alone(textual[-1], least)
    )


def _enough(
    semantic: Sequence[SemanticHit], textual: Sequence[TextHit], bar: Bar, least: float, *, alone: bool
) -> tuple[list[SemanticHit], list[tuple[int, TextHit]]]:
    """What reaches the bar, lower where words of the query occur in the file too, and what its words speak for, with
    its place; ``alone``: only where one of them would do without the other.
    """
    helped = {hit.upload_id for hit in textual if _tells_alone(hit, least) or not alone}
    near = [hit for hit in semantic if hit.similarity >= (bar.with_words if hit.upload_id in helped else bar.alone)]
    near_by = {hit.upload_id for hit in near}
    said = [(n, hit) for n, hit in enumerate(textual, 1) if _tells_alone(hit, least) or hit.upload_id in near_by]
    return near, said


def _tells_alone(hit: TextHit, least: float) -> bool:
    return hit.literal or hit.coverage >= least


def _fuse(near: Sequence[SemanticHit], said: Sequence[tuple[int, TextHit]], bar: Bar) -> list[RankedFile]:
    by_meaning = {hit.upload_id: (place, hit) for place, hit in enumerate(near, 1)}
    by_words = {hit.upload_id: (place, hit) for place, hit in said}
    nearest = near[0].similarity if near else 1.0
    files = [
        _file(u, by_meaning.get(u), by_words.get(u), nearest, bar.trust) for u in by_meaning.keys() | by_words.keys()
    ]
    return sorted(files, key=lambda f: (not f.literal, -f.score, -f.similarity, f.upload_id))


def _file(
    upload_id: str,
    meaning: tuple[int, SemanticHit] | None,
    words: tuple[int, TextHit] | None,
    nearest: float,
    trust: float,
) -> RankedFile:
    score = similarity = 0.0
    matched: set[Why] = set()
    if meaning:
        place, near = meaning
        score += trust * (near.similarity / nearest) ** 2 / (RRF_K + place)
        similarity = near.similarity
        matched.add(Why.SEMANTIC)
    if words:
        place, found = words
        score += found.coverage**2 / (RRF_K + place)
        similarity = max(similarity, found.coverage)
        matched |= found.matched
    return RankedFile(
        upload_id,
        score,
        min(max(similarity, 0.0), 1.0),
        literal=words is not None and words[1].literal,
        matched=frozenset(matched),
        near=meaning[1].passages if meaning else no_passages,
        said=words[1].passages if words else no_passages,
    )


def best_moments(by_meaning: Iterable[PassageHit], by_words: Iterable[PassageHit]) -> tuple[Moment, ...]:
    """Up to three passages; one found both ways comes before one found as well one way."""
    near = {hit.key: hit.score for hit in by_meaning}
    best = {key: (False, score, _moment(key, score, _BY_MEANING)) for key, score in near.items()}
    for key, score, quoted, others in by_words:
        found_near = near.get(key)
        if found_near is None:
            best[key] = (quoted, score, _moment(key, score, _BY_WORDS[quoted, others]))
        else:
            best[key] = (quoted, score + found_near, _moment(key, max(score, found_near), _BOTH_WAYS[quoted, others]))
    ordered = sorted(best.values(), key=lambda w: (not w[0], -w[1], w[2].key))
    return tuple([moment for _, _, moment in ordered[:MOMENTS]])


def _moment(key: PassageKey, score: float, matched: frozenset[Why]) -> Moment:
    return Moment(key, min(max(score, 0.0), 1.0), matched)
