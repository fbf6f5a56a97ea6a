"""Fuses semantic and textual hits into one order of files, each with its best moments. Pure.

Reciprocal rank fusion (Cormack, Clarke, Büttcher 2009): each list votes for a file with 1 / (60 + rank), times the
square of how well the file matches; without that factor one word in common would outweigh the nearest meaning. Files
with a literal match (quoted phrase, code, file name) come before all others. Figures: ``python -m
tests.bench.relevance``.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from search.cut_offs import Cutoffs

RRF_K = 60
MOMENTS = 3
"""Passages shown of a file."""

CANDIDATES = 5
"""Passages read of a file: those that repeat a better one, such as its summary, are not shown."""

LEAST_COVERAGE = 0.4
"""Minimum coverage (weighted share of the query's words) for a file found by words only: one word of two is enough."""

LEAST_BESIDE_MEANING = 0.5
"""Minimum coverage of a file that is no semantic hit although vectors were searched: of two words the rarer one."""

SUPPORTING_COVERAGE = 0.15
"""Minimum coverage for words to support a file that is a semantic hit as well."""

_SURE = 1.6
"""Times the lower threshold from which on the nearest meaning votes fully: a chance nearness must not outvote words."""

TIERS = (50, 200, 2000, 20_000)
"""How many files are read of each list: the smallest tier that covers the requested page."""


COUNTED_WHOLE = TIERS[1]
"""Files of a user below which every search reads all that match: total and facets are then the same on each page."""

MOST_SORTED = TIERS[2]
"""How many of the most relevant files an order by date, size or name sorts: the same ones on every page."""


class MatchReason(StrEnum):
    """Why a file or a moment was found: the values of ``matched`` in answers."""

    SEMANTIC = "semantic"
    TEXT = "text"
    NAME = "name"
    QUOTED = "quoted"
    LOOKS = "looks"


_BY_MEANING = frozenset({MatchReason.SEMANTIC})
_BY_WORDS = {
    (False, False): frozenset({MatchReason.TEXT}),
    (False, True): frozenset({MatchReason.TEXT}),
    (True, False): frozenset({MatchReason.QUOTED}),
    (True, True): frozenset({MatchReason.QUOTED, MatchReason.TEXT}),
}
"""(a quoted phrase occurs, other words occur) → reasons."""
_BOTH_WAYS = {which: _BY_MEANING | by_words for which, by_words in _BY_WORDS.items()}


class PassageKey(NamedTuple):
    """Identifies a passage inside its file."""

    model_id: str
    ordinal: int


class PassageHit(NamedTuple):
    """A passage and how well it matches, 0 to 1. Textual: ``quoted`` phrases occur in it, ``others`` words do."""

    key: PassageKey
    score: float
    quoted: bool = False
    others: bool = False


Passages = Callable[[], Sequence[PassageHit]]
"""Lazy: computed only for the files of the returned page."""


def no_passages() -> Sequence[PassageHit]:
    """The passages of a file that is not in a list of hits."""
    return ()


class SemanticHit(NamedTuple):
    """A file found by meaning; ``similarity`` is the cosine of its nearest passage, above the model's threshold."""

    upload_id: str
    similarity: float
    passages: Passages


class TextHit(NamedTuple):
    """A file found by words; ``coverage`` is the share of the query it holds, rare words weighing more, 0 to 1.

    ``literal``: a code, file name or quoted phrase occurs in it. ``found``: the words of the query that occur in it.
    """

    upload_id: str
    coverage: float
    literal: bool
    matched: frozenset[MatchReason]
    passages: Passages
    found: frozenset[str] = frozenset()


class Moment(NamedTuple):
    """A passage shown for a file; ``score`` is 0 to 1."""

    key: PassageKey
    score: float
    matched: frozenset[MatchReason]


@dataclass(frozen=True)
class RankedFile:
    """A file in the fused order; ``score`` is what it is ordered by, ``similarity`` (0 to 1) what people see.

    ``vector_passages`` and ``text_passages`` are those found by meaning and by words.
    """

    upload_id: str
    score: float
    similarity: float
    literal: bool
    matched: frozenset[MatchReason]
    vector_passages: Passages = no_passages
    text_passages: Passages = no_passages

    @cached_property
    def moments(self) -> tuple[Moment, ...]:
        """The best of its passages; computed only for the files of the returned page."""
        return best_moments(self.vector_passages(), self.text_passages())


def tier_for(last: int) -> int:
    """Returns how many files of each list to read so that results up to number ``last`` can be shown."""
    return next((depth for depth in TIERS if last < depth), TIERS[-1])


def tiers_to(depth: int) -> tuple[int, ...]:
    """Returns the tiers smaller than ``depth``, then ``depth``: read in this order, reading deeper only appends."""
    return (*(tier for tier in TIERS if tier < depth), depth)


def rank(
    semantic: Sequence[SemanticHit],
    textual: Sequence[TextHit],
    cutoffs: Cutoffs,
    *,
    words_only_vouch: bool = False,
    least: float = LEAST_COVERAGE,
) -> list[RankedFile]:
    """Returns all files of both lists in one order. Reading deeper only appends, so pages never overlap.

    Files that need both signals to qualify are taken from the first tier only, so the total does not change with the
    page. ``words_only_vouch``: words only lower the threshold of semantic hits; no file is found by its words.
    """
    ranked: list[RankedFile] = []
    placed: set[str] = set()
    for depth in TIERS:
        vector_hits, text_hits = _enough(semantic[:depth], textual[:depth], cutoffs, least, alone=depth > TIERS[0])
        for file in _fuse(vector_hits, [] if words_only_vouch else text_hits, cutoffs):
            if file.upload_id not in placed:
                placed.add(file.upload_id)
                ranked.append(file)
        if depth >= max(len(semantic), len(textual)):
            break
    return ranked


def goes_on(
    semantic: Sequence[SemanticHit],
    textual: Sequence[TextHit],
    cutoffs: Cutoffs,
    depth: int,
    least: float = LEAST_COVERAGE,
) -> bool:
    """True if a list that was read down to ``depth`` ends in a hit that qualifies: more files probably match."""
    return (len(semantic) >= depth and semantic[-1].similarity >= cutoffs.alone) or (
        len(textual) >= depth and _suffices(textual[-1], least)
    )


def _enough(
    semantic: Sequence[SemanticHit], textual: Sequence[TextHit], cutoffs: Cutoffs, least: float, *, alone: bool
) -> tuple[list[SemanticHit], list[tuple[int, TextHit]]]:
    """Returns the hits that pass the thresholds: semantic ones (a lower threshold if words of the query occur too) and
    textual ones with their rank. ``alone`` leaves out hits that need both signals.
    """
    helped = {hit.upload_id for hit in textual if _suffices(hit, least) or not alone}
    vector_hits = [
        hit for hit in semantic if hit.similarity >= (cutoffs.with_words if hit.upload_id in helped else cutoffs.alone)
    ]
    near = {hit.upload_id for hit in vector_hits}
    text_hits = [(n, hit) for n, hit in enumerate(textual, 1) if _suffices(hit, least) or hit.upload_id in near]
    return vector_hits, text_hits


def _suffices(hit: TextHit, least: float) -> bool:
    return hit.literal or hit.coverage >= least


def _fuse(
    vector_hits: Sequence[SemanticHit], text_hits: Sequence[tuple[int, TextHit]], cutoffs: Cutoffs
) -> list[RankedFile]:
    by_meaning = {hit.upload_id: (place, hit) for place, hit in enumerate(vector_hits, 1)}
    by_words = {hit.upload_id: (place, hit) for place, hit in text_hits}
    nearest = max(vector_hits[0].similarity, _SURE * cutoffs.with_words) if vector_hits else 1.0
    files = [
        _file(u, by_meaning.get(u), by_words.get(u), nearest, cutoffs.trust)
        for u in by_meaning.keys() | by_words.keys()
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
    matched: set[MatchReason] = set()
    if meaning:
        place, vector_hit = meaning
        score += trust * (vector_hit.similarity / nearest) ** 2 / (RRF_K + place)
        similarity = vector_hit.similarity
        matched.add(MatchReason.SEMANTIC)
    if words:
        place, text_hit = words
        score += text_hit.coverage**2 / (RRF_K + place)
        similarity = max(similarity, text_hit.coverage)
        matched |= text_hit.matched
    return RankedFile(
        upload_id,
        score,
        min(max(similarity, 0.0), 1.0),
        literal=words is not None and words[1].literal,
        matched=frozenset(matched),
        vector_passages=meaning[1].passages if meaning else no_passages,
        text_passages=words[1].passages if words else no_passages,
    )


def best_moments(by_meaning: Iterable[PassageHit], by_words: Iterable[PassageHit]) -> tuple[Moment, ...]:
    """Returns the best passages. Scores of one found both ways add up, so it precedes equals found one way."""
    near = {hit.key: hit.score for hit in by_meaning}
    best = {key: (False, score, _moment(key, score, _BY_MEANING)) for key, score in near.items()}
    for key, score, quoted, others in by_words:
        found_near = near.get(key)
        if found_near is None:
            best[key] = (quoted, score, _moment(key, score, _BY_WORDS[quoted, others]))
        else:
            best[key] = (quoted, score + found_near, _moment(key, max(score, found_near), _BOTH_WAYS[quoted, others]))
    ordered = sorted(best.values(), key=lambda w: (not w[0], -w[1], w[2].key))
    return tuple([moment for _, _, moment in ordered[:CANDIDATES]])


def _moment(key: PassageKey, score: float, matched: frozenset[MatchReason]) -> Moment:
    return Moment(key, min(max(score, 0.0), 1.0), matched)
