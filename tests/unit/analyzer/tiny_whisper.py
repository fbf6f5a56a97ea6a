"""A Whisper-class model of a few hundred weights: it says "loud sound" or "soft sound", in the layout of an export."""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.decoders import WordPiece
from tokenizers.models import WordLevel

WORDS = ["loud", "soft", "sound", "again"]
SPECIAL = [
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|en|>",
    "<|de|>",
    "<|transcribe|>",
    "<|nospeech|>",
    "<|notimestamps|>",
]
IDS = {token: i for i, token in enumerate([*WORDS, *SPECIAL])}
BANDS = 80


def write_tiny_whisper(directory: Path, *, looping: bool = False, silent: bool = False) -> Path:
    """``looping``: it cannot stop; ``silent``: it is sure that nobody speaks."""
    (directory / "onnx").mkdir(parents=True)
    onnx.save(_encoder(), directory / "onnx" / "encoder_model.onnx")
    onnx.save(_decoder(looping, silent), directory / "onnx" / "decoder_model.onnx")
    tokenizer = Tokenizer(WordLevel({word: IDS[word] for word in WORDS}, unk_token="loud"))
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.decoder = WordPiece()
    tokenizer.save(str(directory / "tokenizer.json"))
    (directory / "generation_config.json").write_text(json.dumps({"suppress_tokens": [IDS["again"]]}))
    return directory


def _graph(nodes: list, inputs: list, outputs: list, constants: dict[str, np.ndarray]) -> onnx.ModelProto:
    weights = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _encoder() -> onnx.ModelProto:
    nodes = [helper.make_node("ReduceMax", ["input_features"], ["last_hidden_state"], axes=[1, 2], keepdims=1)]
    given = helper.make_tensor_value_info("input_features", TensorProto.FLOAT, [1, BANDS, 3000])
    made = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [1, 1, 1])
    return _graph(nodes, [given], [made], {})


def _decoder(looping: bool, silent: bool) -> onnx.ModelProto:
    """Logits = what follows the last token + loudness × what loudness favours."""
    follows = np.zeros((len(IDS), len(IDS)), np.float32)
    favoured = np.zeros((1, 1, len(IDS)), np.float32)
    start = IDS["<|startoftranscript|>"]
    follows[start, IDS["<|en|>"]] = 5
    follows[start, IDS["<|nospeech|>"]] = 20 if silent else 0
    follows[IDS["<|notimestamps|>"], IDS["soft"]] = 20
    follows[IDS["<|notimestamps|>"], IDS["loud"]] = 10
    favoured[0, 0, IDS["loud"]] = 10
    for word in ("soft", "loud"):
        follows[IDS[word], IDS["sound"]] = 100
        follows[IDS[word], IDS["again"]] = 1000  # suppressed by the settings beside the weights
    follows[IDS["sound"], IDS["sound" if looping else "<|endoftext|>"]] = 100
    follows[:, IDS["<|de|>"]] -= 1
    nodes = [
        helper.make_node("Gather", ["follows", "input_ids"], ["base"]),
        helper.make_node("Mul", ["encoder_hidden_states", "favoured"], ["extra"]),
        helper.make_node("Add", ["base", "extra"], ["logits"]),
    ]
    tokens = helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "n"])
    hidden = helper.make_tensor_value_info("encoder_hidden_states", TensorProto.FLOAT, [1, 1, 1])
    made = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, "n", len(IDS)])
    return _graph(nodes, [tokens, hidden], [made], {"follows": follows, "favoured": favoured})
