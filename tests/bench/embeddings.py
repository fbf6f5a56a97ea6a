"""``python -m tests.bench.embeddings``: segments a second of the local encoder at batch 1, 16 and 64, beside a bare
onnxruntime loop of the same run.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from embeddings.local import LocalEncoder
from embeddings.minilm import MAX_TOKENS, built_graph, package_file

BATCHES = (1, 16, 64)
TEXTS = 64
THREADS = 2
WORDS = ("keeper", "climbs", "stairs", "lighthouse", "lights", "lamp", "before", "storm", "reaches", "harbour", "ship")


def passages(count: int) -> list[str]:
    """About 200 tokens each, every one another text."""
    return [" ".join(WORDS[(i * 7 + j * (i + 3)) % len(WORDS)] for j in range(190)) for i in range(count)]


class BareLoop:
    """Tokenizer and session without anything around them, with the session's defaults but for its threads."""

    def __init__(self, graph: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(package_file("tokenizer.json")))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    def run(self, texts: Sequence[str]) -> None:
        for text in texts:
            ids = np.array(self._tokenizer.encode(text).ids, np.int64)
            self._session.run(None, {"input_ids": ids})


async def measured(encoder: LocalEncoder, bare: BareLoop, batch: int, passes: int) -> tuple[float, float]:
    """Median seconds for one text: the encoder's and the bare loop's, pass after pass in turns.

    Not text after text: the bare session's threads go on spinning after a run and would slow the encoder's next one.
    """
    texts = passages(TEXTS)
    groups = [texts[i : i + batch] for i in range(0, TEXTS, batch)]
    ours: list[float] = []
    bares: list[float] = []
    for _ in range(passes):
        start = time.perf_counter()
        for group in groups:
            await encoder.encode_documents(group)
        middle = time.perf_counter()
        for group in groups:
            bare.run(group)
        ours.append((middle - start) / TEXTS)
        bares.append((time.perf_counter() - middle) / TEXTS)
    return statistics.median(ours), statistics.median(bares)


async def bench(passes: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        graph = built_graph(Path(directory))
        encoder = LocalEncoder(Path(directory), threads=THREADS)
        await encoder.load()
        bare = BareLoop(graph)
        print(f"local encoder, {TEXTS} passages of about 200 tokens, {THREADS} threads, median of {passes} passes")
        for batch in BATCHES:
            ours, bares = await measured(encoder, bare, batch, passes)
            print(f"batch {batch:>2}: {1 / ours:6.1f} segments/s, bare {1 / bares:6.1f}, ratio {bares / ours:.2f}")
        encoder.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.embeddings")
    parser.add_argument("passes", nargs="?", type=int, default=5, help="over all passages; 5 unless told")
    asyncio.run(bench(parser.parse_args().passes))


if __name__ == "__main__":
    main()
