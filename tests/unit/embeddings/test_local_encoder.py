"""The ONNX graph gives the model's own numbers, survives racing builders and refuses other weights."""

import math
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from embeddings.local import LocalEncoder
from embeddings.minilm import GRAPH_FILE, WeightsMissing, built_graph, package_file, verify_weights

TEXTS = [
    "A photo of a red car.",
    "Der Bericht über die Lagerbestände, Seite 37: 1.234,56 €",
    "The quick brown fox jumps over the lazy dog. " * 12,
    "long " * 400,
]


async def test_agrees_with_a_plain_forward_pass_over_the_same_weights(local_encoder: LocalEncoder) -> None:
    expected = np.stack([_forward(text) for text in TEXTS])
    assert await local_encoder.encode_documents(TEXTS) == pytest.approx(expected, abs=2e-6)


async def test_full_width_and_ligatures_are_read_as_common_letters(local_encoder: LocalEncoder) -> None:
    common, unlike = (
        await local_encoder.encode(["lease of flats", "\uff4c\uff45\uff41\uff53\uff45 of \ufb02ats"])
    ).vectors
    assert np.array_equal(common, unlike)


async def test_meaning_beats_shared_words(local_encoder: LocalEncoder) -> None:
    documents = await local_encoder.encode_documents(
        ["How do I reset my password?", "How do I reset the oven clock?", "I cannot log in to my account any more"]
    )
    query = await local_encoder.encode_query("forgotten login credentials")
    assert list(np.argsort(-(documents @ query)))[-1] == 1


def test_processes_may_race_to_build_the_graph(tmp_path: Path) -> None:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        paths = set(pool.map(built_graph, [tmp_path, tmp_path]))
    assert paths == {built_graph(tmp_path)}
    assert paths.pop().is_file()
    assert [p.name for p in tmp_path.iterdir()] == [built_graph(tmp_path).parent.name]


def test_a_directory_left_by_a_killed_builder_is_not_taken_for_the_graph(tmp_path: Path, graph_cache: Path) -> None:
    name = built_graph(graph_cache).parent.name
    (tmp_path / f"{name}.killed").mkdir()
    (tmp_path / f"{name}.killed" / GRAPH_FILE).write_bytes(b"half a gra")
    assert built_graph(tmp_path).read_bytes() == built_graph(graph_cache).read_bytes()


def test_other_weights_are_refused(tmp_path: Path) -> None:
    changed = tmp_path / "model.safetensors"
    changed.write_bytes(b"not the weights")
    with pytest.raises(WeightsMissing, match="sha256"):
        verify_weights(changed)


def test_a_file_the_package_has_not_is_named() -> None:
    with pytest.raises(WeightsMissing, match=r"nothing\.bin"):
        package_file("nothing.bin")


async def test_a_closed_encoder_takes_no_texts(graph_cache: Path) -> None:
    encoder = LocalEncoder(graph_cache, threads=1)
    await encoder.load()
    encoder.close()
    with pytest.raises(RuntimeError):
        await encoder.encode_query("too late")


def _forward(text: str) -> np.ndarray:
    """BERT in numpy, as its paper has it; independent of the graph."""
    weights = load_file(package_file("model.safetensors"))
    tokenizer = Tokenizer.from_file(str(package_file("tokenizer.json")))
    tokenizer.enable_truncation(256)
    tokenizer.no_padding()
    ids = tokenizer.encode(text).ids
    x = weights["embeddings.word_embeddings.weight"][ids]
    x = x + weights["embeddings.position_embeddings.weight"][: len(ids)]
    x = _norm(x + weights["embeddings.token_type_embeddings.weight"][0], weights, "embeddings.LayerNorm")
    for i in range(6):
        name = f"encoder.layer.{i}."
        q, k, v = (_dense(x, weights, f"{name}attention.self.{part}") for part in ("query", "key", "value"))
        heads = []
        for h in range(12):
            at = slice(h * 32, h * 32 + 32)
            scores = q[:, at] @ k[:, at].T / math.sqrt(32)
            odds = np.exp(scores - scores.max(axis=1, keepdims=True))
            heads.append(odds / odds.sum(axis=1, keepdims=True) @ v[:, at])
        attended = _dense(np.concatenate(heads, axis=1), weights, name + "attention.output.dense")
        x = _norm(x + attended, weights, name + "attention.output.LayerNorm")
        wide = _dense(x, weights, name + "intermediate.dense")
        wide = wide * 0.5 * (1 + np.vectorize(math.erf)(wide / math.sqrt(2)))
        x = _norm(x + _dense(wide, weights, name + "output.dense"), weights, name + "output.LayerNorm")
    mean = x.mean(axis=0)
    return mean / np.linalg.norm(mean)


def _dense(x: np.ndarray, weights: dict[str, np.ndarray], name: str) -> np.ndarray:
    return x @ weights[name + ".weight"].T + weights[name + ".bias"]


def _norm(x: np.ndarray, weights: dict[str, np.ndarray], name: str) -> np.ndarray:
    centred = x - x.mean(axis=1, keepdims=True)
    deviation = np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-12)
    return centred / deviation * weights[name + ".weight"] + weights[name + ".bias"]
