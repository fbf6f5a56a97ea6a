"""Asks the service's own store by meaning and by words; turns the answers into milliseconds of SQL and recall."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from database.engine import Database
from database.reading import Reading
from embeddings.local import MODEL_ID
from search import halfvec
from search.cut_offs import calibration_for
from search.planner import ScanMethod
from search.query import parse
from search.ranking import TextHit
from search.request import Filters
from search.store import by_meaning, by_words, retrieval
from tests.bench.search.clock import Clocked, SqlClock
from tests.bench.search.corpus import Matrix, Sentences, rotation, unit
from tests.bench.search.filling import DAYS, FIRST_DAY, MODEL, File, Stored

TOP = 20
DEPTH = 50
"""Files a first page reads of each list (``search.ranking.TIERS``)."""


EVERYTHING = -1.0
"""A cut-off that every passage passes."""

_ROUNDING = 0.001
"""Of a cosine, by float16: what is nearer than this to the cut-off may be found or not."""

ROUNDS = 2
"""Of all questions, the last one timed: who asks first would pay for what the server has to fetch from the disk."""


@dataclass(frozen=True)
class Selection:
    """A filter and the same thing said of a file of the plan."""

    name: str
    filters: Filters
    first_day: float = 0.0

    def keeps(self, file: File) -> bool:
        """True when the filter lets the file through."""
        return file.day >= self.first_day


def keeping(share: float) -> Selection:
    """The newest ``share`` of all files."""
    if share >= 1:
        return Selection("all", Filters())
    first = DAYS * (1 - share)
    return Selection(f"{share:.0%}", Filters(created_from=FIRST_DAY + timedelta(days=first)), first)


@dataclass(frozen=True)
class Timing:
    """Milliseconds of each query, and recall@20 in files."""

    milliseconds: Sequence[float]
    recall: float
    fewest_missing: int

    @property
    def p50(self) -> float:
        """The median."""
        return float(np.percentile(self.milliseconds, 50))

    @property
    def p95(self) -> float:
        """19 of 20 are faster."""
        return float(np.percentile(self.milliseconds, 95))


class Bench:
    """One filled database, the questions, and what exact search finds outside the database."""

    def __init__(self, database: Database, stored: Stored, source: Sentences, dimensions: int, questions: int) -> None:
        self.clock = SqlClock()
        self.database = database
        self._clocked = Clocked(database, self.clock)
        self.stored = stored
        self.dimensions = dimensions
        picked = np.random.default_rng(1).permutation(len(source.questions))[:questions]
        self.questions = [source.questions[i] for i in picked]
        vectors = unit(source.question_vectors[picked] @ rotation(source.question_vectors.shape[1], dimensions))
        self.vectors: Matrix = vectors
        self.packed = halfvec.packed(vectors)
        self._nearest: dict[tuple[str, str, int, float], list[str]] = {}
        self.calibration = calibration_for(MODEL_ID)

    @asynccontextmanager
    async def transaction(self, user_id: str) -> AsyncGenerator[Reading, None]:
        """A transaction set up as the service's searches are, by the clock."""
        async with self._clocked.reading(user_id, retrieval.SEARCH_TERMS) as reading:
            yield reading

    def cutoff(self, user_id: str, question: int) -> float:
        """The cosine from which on a search shows a passage, as calibrated for the model of the vectors."""
        passages = len(self.stored.file_of[user_id])
        return self.calibration.cutoffs(self.questions[question], passages).with_words

    def nearest_files(self, user_id: str, selection: Selection, question: int, cutoff: float = EVERYTHING) -> list[str]:
        """By exact search in numpy: the best passage counts for its file."""
        key = (user_id, selection.name, question, cutoff)
        if key not in self._nearest:
            self._nearest[key] = self._exactly(user_id, selection, question, cutoff + _ROUNDING)
        return self._nearest[key]

    def _exactly(self, user_id: str, selection: Selection, question: int, least: float) -> list[str]:
        files = self.stored.file_of[user_id]
        scores = self.stored.vectors[user_id] @ self.vectors[question]
        wanted = np.array([selection.keeps(file) for file in files]) & (scores >= least)
        scores = np.where(wanted, scores, -np.inf)
        found: dict[str, None] = {}
        for i in np.argsort(-scores, kind="stable"):
            if not np.isfinite(scores[i]) or len(found) == TOP:
                break
            found.setdefault(files[i].upload_id)
        return list(found)

    async def by_meaning(
        self, user_id: str, selection: Selection, method: ScanMethod | None = None, *, as_searched: bool = False
    ) -> Timing:
        """Every question, after all of them once; ``method`` overrules the planner.

        ``as_searched``: with the cut-off, as a search asks; otherwise whatever is nearest counts.
        """
        times: list[float] = []
        hit = sought = missing = 0
        for question in [*range(len(self.questions))] * ROUNDS:
            cutoff = self.cutoff(user_id, question) if as_searched else EVERYTHING
            async with self.transaction(user_id) as reading:
                index = await retrieval.index_state(reading, user_id, MODEL)
                self.clock.take()
                found = await by_meaning.nearest(
                    reading,
                    user_id,
                    selection.filters,
                    index.holdings.counts(MODEL, self.dimensions),
                    model_id=MODEL,
                    dimensions=self.dimensions,
                    vector=self.packed[question],
                    cutoff=cutoff,
                    depth=DEPTH,
                    method=method,
                )
                times.append(self.clock.take()[0])
            truth = self.nearest_files(user_id, selection, question, cutoff)
            ids = [hit.upload_id for hit in found[:TOP]]
            hit, sought = hit + len(set(ids) & set(truth)), sought + len(truth)
            missing = max(missing, len(truth) - len(ids))
        return Timing(times[-len(self.questions) :], hit / sought if sought else 1.0, missing)

    async def by_words(self, user_id: str, selection: Selection) -> tuple[Timing, list[TextHit]]:
        """Full text alone; recall has no meaning here."""
        times: list[float] = []
        found: list[TextHit] = []
        for question in self.questions * ROUNDS:
            async with self.transaction(user_id) as reading:
                index = await retrieval.index_state(reading, user_id, MODEL)
                self.clock.take()
                found = await by_words.matching(
                    reading, user_id, selection.filters, parse(question), index.languages, DEPTH, index.files, MODEL
                )
                times.append(self.clock.take()[0])
        return Timing(times[-len(self.questions) :], 1.0, 0), found
