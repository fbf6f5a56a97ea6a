"""The results of a search as JSON: files with their best moments, facets, and how complete the index is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from pydantic import BaseModel

from contracts.artifacts import Kind, TextSource
from search.cues import start_of
from search.ranking import MOMENTS, MatchReason, Moment, PassageKey, RankedFile
from search.repetition import Shown, repeats
from search.snippets import Highlighter, Highlighters
from search.store.retrieval import FacetCounts, FoundFile, FoundPassage

_BY_WORDS = frozenset({MatchReason.TEXT, MatchReason.QUOTED})
_OF_THE_WHOLE = (TextSource.SUMMARY, TextSource.METADATA)


@dataclass(slots=True)
class MomentAnswer:
    """A place inside a file. ``highlights`` are [start, end) in Unicode code points of ``text``.

    ``start_s``: the second at which the line with the query's words is spoken, or the first line if none has them.
    ``thumbnail_url``: a picture of the page or of the scene shown at ``start_s``, if the file has such pictures.
    """

    text: str
    score: float
    matched: list[MatchReason]
    source: str
    highlights: list[tuple[int, int]]
    page: int | None = None
    start_s: float | None = None
    end_s: float | None = None
    section: str | None = None
    thumbnail_url: str | None = None


@dataclass(slots=True)
class FileAnswer:
    """A file that was found; ``flagged``: moderation objects to showing it.

    ``status``: ``complete``, ``processing`` or ``failed``; files of the latter two are found by a part of their
    contents only.
    """

    upload_id: str
    filename: str
    file_type: Kind
    media_type: str
    language: str | None
    status: str
    size_bytes: int
    created_at: datetime
    title: str | None
    summary: str | None
    similarity_score: float
    matched: list[MatchReason]
    thumbnail_url: str | None
    flagged: bool
    moments: list[MomentAnswer]


class Facets(BaseModel):
    """Number of found files by type, month (``2026-11``, UTC), language as far as it is known, size in MB (``1-10``:
    from 1 MB to below 10 MB), whether there is text inside (``true``, ``false``), and status.
    """

    file_types: dict[str, int]
    months: dict[str, int]
    languages: dict[str, int]
    sizes: dict[str, int]
    has_text: dict[str, int]
    statuses: dict[str, int]


class SearchAnswer(BaseModel):
    """``processing``: how many of the user's files cannot be found by meaning yet. ``degraded``: the query could not be
    encoded, so only words were compared. ``cached``: the answer of an earlier equal request; the index is unchanged.
    ``corrections``: word of the query that occurs nowhere → what it was taken for, both as words are indexed.

    ``total_relation``: ``gte`` if more files match than ``total`` and the facets count; further pages count deeper.
    """

    results: list[FileAnswer]
    facets: Facets
    total: int
    total_relation: Literal["eq", "gte"] = "eq"
    processing: int
    degraded: bool
    cached: bool = False
    corrections: dict[str, str]
    search_id: UUID
    processing_time_ms: float


class SimilarAnswer(BaseModel):
    """Files that are near another one in meaning."""

    results: list[FileAnswer]
    processing: int


class ImageAnswer(BaseModel):
    """Files that look like a picture. ``compared``: what was compared; so far only looks (docs/decisions/0011)."""

    results: list[FileAnswer]
    total: int
    compared: Literal["looks"] = "looks"


def file_answer(file: FoundFile, ranked: RankedFile, highlighters: Highlighters) -> FileAnswer:
    """Returns a found file as JSON, with its moments that still exist."""
    return FileAnswer(
        upload_id=file.upload_id,
        filename=file.filename,
        file_type=Kind(file.kind),
        media_type=file.media_type,
        language=file.language,
        status=file.status,
        size_bytes=file.size_bytes,
        created_at=file.created_at,
        title=file.title,
        summary=file.summary,
        similarity_score=round(ranked.similarity, 4),
        matched=sorted(ranked.matched),
        thumbnail_url=_thumbnail_url(file) if file.has_thumbnail and not file.flagged else None,
        flagged=bool(file.flagged),
        moments=_moments(file, ranked, highlighters.for_language(file.language)),
    )


def page_meta(limit: int, offset: int, shown: int, total: int) -> dict[str, object]:
    """Returns the ``meta`` of a page with ``shown`` of ``total`` results."""
    return {"limit": limit, "offset": offset, "total": total, "has_more": bool(shown) and offset + shown < total}


def _moments(file: FoundFile, ranked: RankedFile, highlighter: Highlighter) -> list[MomentAnswer]:
    """Returns the best ``MOMENTS`` that do not repeat a better one, best first."""
    passages = [(moment, file.passages[moment.key]) for moment in ranked.moments if moment.key in file.passages]
    # A summary points to no place inside the file, so it comes after the moments that do.
    passages.sort(key=lambda found: found[1].source in _OF_THE_WHOLE)
    shown: list[tuple[_Found, Shown]] = []
    for moment, passage in passages:
        one = _Found(moment.key, _moment(file, moment, passage, highlighter))
        text = Shown(one.answer.text, one.answer.highlights)
        if not any(_may_overlap(one, better) and repeats(text, better_text) for better, better_text in shown):
            shown.append((one, text))
        if len(shown) == MOMENTS:
            break
    return [one.answer for one, _ in shown]


class _Found(NamedTuple):
    key: PassageKey
    answer: MomentAnswer


def _may_overlap(one: _Found, better: _Found) -> bool:
    """True for neighbouring passages, passages that two models cut (same page, section and time), and for a summary,
    which is about every place.
    """
    here, there = one.answer, better.answer
    if here.source in _OF_THE_WHOLE:
        return True
    apart = abs(one.key.ordinal - better.key.ordinal) > 1 and one.key.model_id == better.key.model_id
    if apart or (here.page, here.section) != (there.page, there.section):
        return False
    if here.start_s is None or there.start_s is None or here.start_s == there.start_s:
        return here.start_s == there.start_s
    return here.start_s < (there.end_s or there.start_s) and there.start_s < (here.end_s or here.start_s)


def _moment(file: FoundFile, moment: Moment, passage: FoundPassage, highlighter: Highlighter) -> MomentAnswer:
    shown = highlighter.snippet(passage.text, holds_words=not _BY_WORDS.isdisjoint(moment.matched))
    line = start_of(passage.cues, shown.found) if passage.cues else None
    start_s = passage.start_s if line is None else line
    return MomentAnswer(
        text=shown.text,
        score=round(moment.score, 4),
        matched=sorted(moment.matched),
        source=passage.source,
        highlights=shown.highlights,
        page=passage.page,
        start_s=start_s,
        end_s=passage.end_s,
        section=passage.section,
        thumbnail_url=_place_url(file, passage.page, start_s),
    )


def _thumbnail_url(file: FoundFile) -> str:
    return f"/api/v1/file/{file.upload_id}/thumbnail"


def _place_url(file: FoundFile, page: int | None, start_s: float | None) -> str | None:
    if not file.has_storyboard or file.flagged:
        return None
    if page is not None:
        return f"{_thumbnail_url(file)}?page={page}"
    return None if start_s is None else f"{_thumbnail_url(file)}?start_s={start_s:.3f}"


def facets(counts: FacetCounts) -> Facets:
    """Returns the counts as JSON, by name, months newest first; files of unknown language are in no language."""
    known = {language: files for language, files in counts.languages.items() if language}
    return Facets(
        file_types=_sorted(counts.kinds),
        months=_sorted(counts.months, newest_first=True),
        languages=_sorted(known),
        sizes=_sorted(counts.sizes),
        has_text=_sorted(counts.has_text),
        statuses=_sorted(counts.statuses),
    )


def _sorted(counts: Mapping[str, int], *, newest_first: bool = False) -> dict[str, int]:
    return dict(sorted(counts.items(), reverse=newest_first))
