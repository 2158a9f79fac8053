"""Writes a Hugging Face reader as a graph: `python -m rag.reading.export MODEL FOLDER`.

A process of its own, so that the server never holds torch.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from embeddings.runtime import openvino
from rag.reading.span_reader import EXPORTED, TOKENIZER


def export(model: Path, folder: Path) -> None:
    """Writes graph and tokenizer of an extractive reader into `folder`, an existing one."""
    os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1")
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer  # noqa: PLC0415

    reader = AutoModelForQuestionAnswering.from_pretrained(
        model, local_files_only=True, trust_remote_code=False, use_safetensors=True
    )
    ov = openvino()
    rows = ov.Tensor(np.ones((2, 16), dtype=np.int64))
    names = ["input_ids", "attention_mask"]
    if getattr(reader.config, "type_vocab_size", 0) > 1:
        names.append("token_type_ids")
    graph = ov.convert_model(_logits(reader), example_input=dict.fromkeys(names, rows))
    ov.save_model(graph, str(folder / EXPORTED), compress_to_fp16=False)
    tokenizer = AutoTokenizer.from_pretrained(model, local_files_only=True, trust_remote_code=False)
    tokenizer.backend_tokenizer.save(str(folder / TOKENIZER))


def _logits(reader: Any) -> Any:
    """A torch module for the converter: ids, mask and types in, start and end logits out."""
    import torch  # noqa: PLC0415

    class Logits(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.reader = reader

        def forward(
            self,
            input_ids: torch.Tensor,
            attention_mask: torch.Tensor,
            token_type_ids: torch.Tensor | None = None,
        ) -> Any:
            types = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
            logits = self.reader(input_ids=input_ids, attention_mask=attention_mask, **types)
            return logits.start_logits, logits.end_logits

    return Logits().eval()


if __name__ == "__main__":
    export(Path(sys.argv[1]), Path(sys.argv[2]))
