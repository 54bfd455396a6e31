"""Small real models in ONNX with their tokenizers, of which a test changes what it is about."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WORDS = [
    "[UNK]",
    "[PAD]",
    "disk",
    "full",
    "memory",
    "out",
    "of",
    "pod",
    "killed",
    "because",
    "it",
    "ran",
    "was",
    "a",
]
DIMENSIONS = 6
SHAPE_PER_TOKEN: list[Any] = ["batch", "tokens", DIMENSIONS]


def table() -> np.ndarray:
    """The vector of each word."""
    return np.random.default_rng(11).normal(size=(len(WORDS), DIMENSIONS)).astype(np.float32)


def write_tokenizer(folder: Path, **settings: Any) -> None:
    """Words apart at white space; `settings` are members of tokenizer.json, such as `truncation`."""
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "WordLevel",
            "vocab": {word: number for number, word in enumerate(WORDS)},
            "unk_token": "[UNK]",
        },
        **settings,
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))


def write_model(
    folder: Path,
    *,
    inputs: tuple[str, ...] = ("input_ids", "attention_mask", "token_type_ids"),
    kind: int = TensorProto.INT64,
    output: str = "last_hidden_state",
    pooled: bool = False,
    values: np.ndarray | None = None,
) -> None:
    """Looks each token up in `table`; `pooled`: adds them up to one vector per text, padding included."""
    nodes = [helper.make_node("Gather", ["table", "input_ids"], [output if not pooled else "looked_up"])]
    if pooled:
        nodes.append(helper.make_node("ReduceSum", ["looked_up", "axes"], [output], keepdims=0))
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, kind, ["batch", "tokens"]) for name in inputs],
        [
            helper.make_tensor_value_info(
                output, TensorProto.FLOAT, ["batch", DIMENSIONS] if pooled else SHAPE_PER_TOKEN
            )
        ],
        [
            numpy_helper.from_array(table() if values is None else values, "table"),
            *([numpy_helper.from_array(np.array([1], np.int64), "axes")] if pooled else []),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, str(folder / "model.onnx"))


def write_flat_model(folder: Path) -> None:
    """Gives one number per token, which is no vector of anything."""
    graph = helper.make_graph(
        [helper.make_node("Identity", ["input_ids"], ["flat"])],
        "flat",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch"])],
        [helper.make_tensor_value_info("flat", TensorProto.INT64, ["batch"])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(folder / "model.onnx"))
