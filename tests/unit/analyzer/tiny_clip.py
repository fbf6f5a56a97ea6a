"""An image-text model of a few weights that knows three colours, in the layout of an export."""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

CONCEPTS = ("red", "green", "blue")
VOCABULARY = {word: i for i, word in enumerate(["?", "a", "photo", "of", *CONCEPTS])}
SIDE = 8


def write_tiny_clip(directory: Path, *, masked: bool = False) -> Path:
    """``masked``: the text model also wants an attention mask, as some exports do."""
    directory.mkdir(parents=True, exist_ok=True)
    onnx.save(_vision(), directory / "vision_model.onnx")
    onnx.save(_text(masked), directory / "text_model.onnx")
    tokenizer = Tokenizer(WordLevel(VOCABULARY, unk_token="?"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(directory / "tokenizer.json"))
    preparation = {"size": {"shortest_edge": SIDE}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "do_resize": True}
    (directory / "preprocessor_config.json").write_text(json.dumps(preparation))
    return directory


def _model(nodes: list, inputs: list, output: str, weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    made = helper.make_tensor_value_info(output, TensorProto.FLOAT, [1, 3])
    constants = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "tiny", inputs, [made], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _vision() -> onnx.ModelProto:
    """A picture's direction is its mean colour."""
    node = helper.make_node("ReduceMean", ["pixel_values"], ["image_embeds"], axes=[2, 3], keepdims=0)
    given = helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, [1, 3, SIDE, SIDE])
    return _model([node], [given], "image_embeds", {})


def _text(masked: bool) -> onnx.ModelProto:
    """A text's direction is the sum of its words', and only colours have one."""
    table = np.zeros((len(VOCABULARY), 3), np.float32)
    table[[VOCABULARY[colour] for colour in CONCEPTS]] = 2 * np.eye(3) - 1
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["words"])]
    inputs = [helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "n"])]
    if masked:
        inputs.append(helper.make_tensor_value_info("attention_mask", TensorProto.INT64, [1, "n"]))
        nodes.append(helper.make_node("Cast", ["attention_mask"], ["kept"], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Unsqueeze", ["kept", "last"], ["column"]))
        nodes.append(helper.make_node("Mul", ["words", "column"], ["counted"]))
    nodes.append(
        helper.make_node("ReduceSum", ["counted" if masked else "words", "along"], ["text_embeds"], keepdims=0)
    )
    weights = {"table": table, "along": np.array([1]), "last": np.array([2])}
    return _model(nodes, inputs, "text_embeds", weights if masked else {k: weights[k] for k in ("table", "along")})
