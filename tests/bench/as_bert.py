"""The shipped reader as Hugging Face's `BertForQuestionAnswering`, for others to run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from transformers import AutoTokenizer, BertConfig, BertForQuestionAnswering

from embeddings import model_folder
from rag.reading.models import WEIGHTS
from rag.reading.span_reader import GRAPH

_WORDS = "encoder.embeddings.word_embeddings"
_LONGEST = 512


def write(folder: Path) -> None:
    """Writes weights in float32, as their 8 bits say, and the tokenizer."""
    encoder = model_folder.find("all-MiniLM-L6-v2")
    model = BertForQuestionAnswering(BertConfig.from_pretrained(encoder))
    model.load_state_dict(
        {_name(name): torch.from_numpy(values.copy()) for name, values in _weights().items()}
    )
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(encoder, model_max_length=_LONGEST).save_pretrained(folder)


def _name(name: str) -> str:
    head, _, rest = name.partition(".")
    return f"qa_outputs.{rest}" if head == "span" else f"bert.{rest}"


def _weights() -> dict[str, NDArray[np.float32]]:
    """Each weight by its name in `rag.training.model.SpanModel`."""
    graph = onnx.load(WEIGHTS / GRAPH).graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    named = {
        name: values
        for name, values in stored.items()
        if name.endswith((".weight", ".bias")) and name.startswith(("encoder.", "span."))
    }
    named[f"{_WORDS}.weight"] = stored[f"{_WORDS}.rows"] * stored[f"{_WORDS}.scale"]
    return named | {
        bias.removesuffix("bias") + "weight": _restored(stored, product).T
        for bias, product in _products(graph)
    }


def _products(graph: Any) -> list[tuple[str, str]]:
    """The names of the bias and the weight of every linear layer: weights have lost theirs."""
    makers = {output: node for node in graph.node for output in node.output}
    products = (
        (bias, makers[name])
        for node in graph.node
        for bias in node.input
        for name in node.input
        if bias.endswith(".bias") and name in makers
    )
    return [(bias, maker.input[1]) for bias, maker in products if maker.op_type == "MatMul"]


def _restored(stored: dict[str, NDArray[Any]], name: str) -> NDArray[np.float32]:
    whole: NDArray[np.float32] = stored[f"{name}.bytes"] * stored[f"{name}.scale"]
    return whole
