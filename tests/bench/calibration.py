"""Prints how near the best passage comes to true, unrelated and nonsense queries, and the cut-offs that follow.

python -m tests.bench.calibration [--openai]    (the latter with OPENAI_API_KEY set; costs less than a cent)
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analyzer.backends.local.backend import LocalBackend
from analyzer.backends.local.ocr import OcrProcess
from embeddings.encoder import Encoder, Vector, Vectors
from embeddings.local import LocalEncoder
from embeddings.openai import OpenAIEncoder
from search.cut_offs import SENTENCE, Calibration, calibration_for
from search.folding import words
from tests.bench.relevance.collection import cut_of, material_of, nothing_to_read
from tests.bench.relevance.documents import documents
from tests.bench.relevance.queries import LabelledQuery, calibration_queries, labelled_queries

NONSENSE = 400
DRAWS = 20
PERCENTILES = (0, 1, 5, 50, 95, 99, 100)
WORDLESS_KINDS = frozenset({"code", "quoted"})
"""Found because they occur literally; no cut-off applies."""

FEW_WORDS, SENTENCES, POORLY_READ = "few words", "sentence", "poorly read"

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_CONSONANTS, _VOWELS = "bcdfghjklmnpqrstvwxz", "aeiou"


def nonsense(count: int, seed: int = 7) -> list[str]:
    """Random letters, syllables, rows of the keyboard and hexadecimal digits, one to four words each."""
    chance = random.Random(seed)

    def word(kind: int) -> str:
        length = chance.randint(3, 9)
        if kind == 1:
            syllables = (chance.choice(_CONSONANTS) + chance.choice(_VOWELS) for _ in range(max(2, length // 2)))
            return "".join(syllables) + chance.choice(("", "n", "rk", "st"))
        letters = ("abcdefghijklmnopqrstuvwxyz", "", chance.choice(_ROWS), "0123456789abcdef")[kind]
        return "".join(chance.choice(letters) for _ in range(length))

    return [" ".join(word(i % 4) for _ in range(chance.randint(1, 4))) for i in range(count)]


async def passages(encoder: Encoder) -> tuple[list[str], Vectors]:
    """Every passage's file name and vector."""
    backend = LocalBackend(OcrProcess())
    names: list[str] = []
    texts: list[str] = []
    for document in documents():
        found = cut_of(document, await backend.analyze(material_of(document), nothing_to_read)).passages
        names += [document.name] * len(found)
        texts += [passage.text for passage in found]
    return names, await encoder.encode_documents(texts)


def reading(calibration: Calibration, text: str) -> str:
    """How the model reads a query: as few words or as a sentence, poorly, or not at all."""
    cutoffs = calibration.cutoffs(text)
    if cutoffs.alone == calibration.plain:
        return SENTENCES if len(words(text)) >= SENTENCE else FEW_WORDS
    return POORLY_READ if cutoffs.alone <= 1 else "other script"


@dataclass(frozen=True)
class Measured:
    """``scores``: (class of query, how it is read) → the best cosine of each; of a true query that of its own file.

    ``rises``: by how much the best cosine of what is not true rises for each time e as many passages.
    """

    scores: dict[tuple[str, str], list[float]]
    rises: float


async def measured(encoder: Encoder, calibration: Calibration) -> Measured:
    """Every query against every passage."""
    names, vectors = await passages(encoder)
    by_file: dict[str, list[int]] = defaultdict(list)
    for row, name in enumerate(names):
        by_file[name].append(row)
    queries = [q for q in (*labelled_queries(), *calibration_queries()) if q.kind not in WORDLESS_KINDS]
    queries += [LabelledQuery("nonsense", text, ()) for text in nonsense(NONSENSE)]
    scores: dict[tuple[str, str], list[float]] = defaultdict(list)
    untrue: list[Vector] = []
    for query in queries:
        cosines = vectors @ await encoder.encode_query(query.text)
        rows = [row for name in query.expected for row in by_file[name]]
        kind = "true" if rows else "nonsense" if query.kind == "nonsense" else "unrelated"
        scores[kind, reading(calibration, query.text)].append(float(cosines[rows].max() if rows else cosines.max()))
        if not rows:
            untrue.append(cosines)
    return Measured(scores, rising(np.stack(untrue)))


def rising(cosines: Vectors, seed: int = 7) -> float:
    """The slope of the mean best cosine (one row for each query) by the logarithm of the number of passages, from a
    sixteenth of them drawn at random to all.
    """
    chance = np.random.default_rng(seed)
    sizes = [cosines.shape[1] // part for part in (16, 8, 4, 2, 1)]
    best = [
        np.mean([cosines[:, chance.permutation(cosines.shape[1])[:size]].max(axis=1).mean() for _ in range(DRAWS)])
        for size in sizes
    ]
    return float(np.polyfit(np.log(sizes), best, 1)[0])


def report(found: Measured, calibration: Calibration) -> Sequence[str]:
    """A line for each class, and what the figures ask for beside what is in use."""
    scores = found.scores
    lines = [f"{'':26}{'count':>6}" + "".join(f"{f'p{p}':>8}" for p in PERCENTILES)]
    for (kind, how), values in sorted(scores.items(), reverse=True):
        percentiles = "".join(f"{value:8.3f}" for value in np.percentile(values, PERCENTILES))
        lines.append(f"{f'{kind}, {how}':26}{len(values):6}{percentiles}")
    plain = scores["true", FEW_WORDS] + scores["true", SENTENCES]
    lines.append(f"plain: true p1 {np.percentile(plain, 1):.3f}; in use {calibration.plain}")
    if scores.get(("nonsense", POORLY_READ)):
        highest = float(np.percentile(scores["nonsense", POORLY_READ], 99))
        lines.append(f"poorly read: nonsense p99 {highest:.3f}; in use {calibration.poorly_read}")
    everything = [value for (kind, _), values in scores.items() if kind == "true" for value in values]
    lines.append(f"with words: true p1 {np.percentile(everything, 1):.3f}; in use {calibration.with_words}")
    lines.append(
        f"what is not true rises by {found.rises:.3f} for each time e as many passages; in use {calibration.rises}"
    )
    thresholds = {
        FEW_WORDS: calibration.plain,
        SENTENCES: calibration.plain,
        POORLY_READ: calibration.poorly_read,
    }
    for (kind, how), values in sorted(scores.items()):
        threshold = thresholds.get(how)
        if threshold is not None:
            share = sum(value >= threshold for value in values) / len(values)
            lines.append(f"  {kind}, {how}: {share:.0%} reach the threshold of {threshold} by meaning alone")
    return lines


async def main(*, remote: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="mmsearch-bench-") as directory:
        local = LocalEncoder(Path(directory))
        encoder = OpenAIEncoder(os.environ["OPENAI_API_KEY"]) if remote else local
        calibration = calibration_for(encoder.model_id)
        lines = report(await measured(encoder, calibration), calibration)
        local.close()
    sys.stdout.write("\n".join([encoder.model_id, *lines]) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="tests.bench.calibration")
    parser.add_argument("--openai", action="store_true", help="calibrate text-embedding-3-small")
    asyncio.run(main(remote=parser.parse_args().openai))
