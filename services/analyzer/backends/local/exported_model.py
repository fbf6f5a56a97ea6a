"""Turns a directory with a model exported to ONNX into sessions, a tokenizer and the digest of its weights."""

import hashlib
from pathlib import Path

import onnxruntime
from tokenizers import Tokenizer

_THREADS = 2


class ModelInvalid(ValueError):
    """The directory does not hold what its reader needs; the message says what."""


def weights(directory: Path, name: str) -> Path:
    """``<name>.onnx`` in the directory or below its ``onnx/``. Raises :class:`ModelInvalid`."""
    candidates = [directory / f"{name}.onnx", directory / "onnx" / f"{name}.onnx"]
    found = next((path for path in candidates if path.is_file()), None)
    if found is None:
        raise ModelInvalid(f"{name}.onnx is not in {directory}")
    return found


def digest(*paths: Path) -> str:
    """Eight hex digits over the files' contents."""
    total = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()[:8]


def tokenizer(directory: Path) -> Tokenizer:
    """From ``tokenizer.json``. Raises :class:`ModelInvalid`."""
    try:
        return Tokenizer.from_file(str(directory / "tokenizer.json"))
    except Exception as error:  # the library raises nothing more exact
        raise ModelInvalid(f"tokenizer.json of {directory} cannot be read: {error}") from error


def session(graph: Path) -> onnxruntime.InferenceSession:
    """On the CPU, without spinning threads. Raises :class:`ModelInvalid`."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _THREADS
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's own exceptions have no common base
        raise ModelInvalid(f"{graph.name} cannot be loaded: {type(error).__name__}") from error
