"""Turns text into 384-dimensional vectors on this machine: all-MiniLM-L6-v2 on ONNX Runtime, no network, no keys.

Texts run one at a time: batching gains nothing on a CPU and costs memory and padding (62/s at 64, 82/s at 1).
"""

import asyncio
from collections import abc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import numpy as np
import onnxruntime
from tokenizers import Tokenizer
from tokenizers.normalizers import NFKC, Sequence

from embeddings.encoder import Encoded, Encoder, Vector, Vectors
from embeddings.minilm import DIMENSIONS, MAX_TOKENS, WEIGHTS_SHA256, built_graph, package_file

MODEL_ID = f"all-minilm-l6-v2@{WEIGHTS_SHA256[:8]}"

_TEXTS_PER_TURN = 4

_SPIN_US = "20"
"""How long a thread without work spins before it sleeps: from one operator of the graph to the next, no longer. Without
any, waking it takes a quarter of the time of an inference; by default (1 ms) it takes a core from the other services
of a small machine: 49 ms of computing for a passage instead of 33 while both cores are busy."""


class LocalEncoder(Encoder):
    """all-MiniLM-L6-v2; reads the first 256 word pieces of a text, in English best.

    ``cache_dir`` holds the ONNX graph between starts and may be shared by processes. ``threads`` is how many cores
    one inference uses. About 80 MB more resident memory once loaded, 30 of them shared. Loading happens on first
    use or by :meth:`load` and takes 0.2 s, the very first time 2 s. Raises ``embeddings.minilm.WeightsMissing`` when
    the weights are not installed. Close it when done.
    """

    def __init__(self, cache_dir: Path, *, threads: int = 2) -> None:
        self._cache_dir = cache_dir
        self._threads = threads
        self._model: _Model | None = None
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="encoder")

    @property
    def model_id(self) -> str:
        """The model and the first digits of its weights' hash."""
        return MODEL_ID

    @property
    def dimensions(self) -> int:
        """384."""
        return DIMENSIONS

    async def load(self) -> None:
        """Loads the model now instead of at the first text."""
        await asyncio.get_running_loop().run_in_executor(self._worker, self._loaded)

    async def encode(self, texts: abc.Sequence[str]) -> Encoded:
        """Free. Callers take turns of a few texts, so that a short one never waits long."""
        loop = asyncio.get_running_loop()
        turns = [texts[i : i + _TEXTS_PER_TURN] for i in range(0, len(texts), _TEXTS_PER_TURN)]
        parts = [await loop.run_in_executor(self._worker, self._encode, turn) for turn in turns]
        return Encoded.joined([Encoded.free(part) for part in parts], DIMENSIONS)

    def close(self) -> None:
        """Ends the worker thread and frees the model."""
        self._worker.shutdown(wait=True, cancel_futures=True)
        self._model = None

    def _encode(self, texts: abc.Sequence[str]) -> Vectors:
        model = self._loaded()
        return np.stack([model.embed(text) for text in texts])

    def _loaded(self) -> "_Model":
        if self._model is None:
            self._model = _Model(built_graph(self._cache_dir), self._threads)
        return self._model


class _Model:
    """The loaded tokenizer and graph; used from one thread."""

    def __init__(self, graph: Path, threads: int) -> None:
        self._tokenizer = Tokenizer.from_file(str(package_file("tokenizer.json")))
        # It knows letters and digits in their common form only: full width and ligatures were one unknown sign.
        self._tokenizer.normalizer = Sequence([NFKC(), self._tokenizer.normalizer])
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.spin_duration_us", _SPIN_US)
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    def embed(self, text: str) -> Vector:
        # A lone surrogate is valid in JSON and in a Python string, but not in the tokenizer.
        readable = text.encode("utf-8", "replace").decode()
        ids = np.array(self._tokenizer.encode(readable).ids, np.int64)
        return cast(Vector, self._session.run(None, {"input_ids": ids})[0])
