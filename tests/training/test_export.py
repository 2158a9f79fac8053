"""From the trained network to the file that ships, and what runs it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from embeddings import model_folder
from embeddings.runtime import Graph
from rag.training.export import quantize, write_onnx
from rag.training.model import SpanModel

pytestmark = [
    pytest.mark.model,
    # What torch's exporter says of its own parts.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


def test_the_graph_says_what_the_network_says(tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = SpanModel(model_folder.find("all-MiniLM-L6-v2")).eval()
    write_onnx(model, tmp_path / "float32.onnx")
    quantize(tmp_path / "float32.onnx", tmp_path / "model.onnx")
    assert (tmp_path / "model.onnx").stat().st_size < 30_000_000

    rng = np.random.default_rng(1)
    for rows, tokens in ((3, 40), (1, 7)):  # any shape, not that of the export
        ids = rng.integers(1000, 20_000, (rows, tokens))
        types = np.repeat([[0, 1]], rows, axis=0).repeat([4, tokens - 4], axis=1)
        mask = np.ones_like(ids)
        with torch.inference_mode():
            said = model(torch.from_numpy(ids), torch.from_numpy(mask), torch.from_numpy(types))
        expected = [said.start.numpy(), said.end.numpy()]
        whole = Graph(tmp_path / "float32.onnx", exact=True).run(ids, mask, types)
        short = Graph(tmp_path / "model.onnx").run(ids, mask, types)
        for logits, close, near in zip(expected, whole, short, strict=True):
            spread = logits.std()
            assert np.abs(close - logits).max() < 0.1 * spread
            assert np.abs(near - logits).mean() < 0.2 * spread
