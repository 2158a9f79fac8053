"""Writes a model as a compiled graph: `python -m embeddings.export MODEL FOLDER`.

A process of its own, so that the server never holds torch. The graph covers everything from
token ids to unit vectors, as the model's own modules define it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from embeddings.compiled import GRAPH, SETTINGS, TOKENIZER, CompiledEmbedder
from embeddings.errors import NotCompilable
from embeddings.runtime import openvino
from embeddings.sentence_transformer import SentenceTransformerEmbedder

LEAST_COSINE = 0.9999
_PROBES = (
    "Leave",
    "How many days of leave do I get?",
    "Ünïcode — naïve café, 北京, Ελλάδα, 😀 and (odd) punctuation; 3.14 % of $1,000.",
    "The meeting was held in a country that neither side had named, and both left early. " * 60,
)


def export(model: str, folder: Path) -> None:
    """Writes graph, tokenizer and settings into `folder`, an existing one.

    Raises NotCompilable where the result doesn't agree with sentence-transformers.
    """
    source = SentenceTransformerEmbedder(model)
    ov = openvino()
    ids = np.array([[1, 2, 3, 4], [1, 2, 3, 0]], dtype=np.int64)
    mask = np.array([[1, 1, 1, 1], [1, 1, 1, 0]], dtype=np.int64)
    example = {"input_ids": ov.Tensor(ids), "attention_mask": ov.Tensor(mask)}
    graph = ov.convert_model(source.traceable(), example_input=example)
    # Weights in 16 bits: the same vectors (`_check`), half the file and 65 MB less to hold.
    ov.save_model(graph, str(folder / GRAPH), compress_to_fp16=True)
    source.model.tokenizer.backend_tokenizer.save(str(folder / TOKENIZER))
    settings = {
        "dimension": source.dimension,
        "max_tokens": source.max_tokens,
        "question_prompt": source.question_prompt,
        "passage_prompt": source.passage_prompt,
    }
    (folder / SETTINGS).write_text(json.dumps(settings), encoding="utf-8")
    _check(source, CompiledEmbedder(source.name, source.fingerprint, folder, exact=True))


def _check(source: SentenceTransformerEmbedder, compiled: CompiledEmbedder) -> None:
    passages = (source.embed_passages(_PROBES) * compiled.embed_passages(_PROBES)).sum(axis=1)
    question = source.embed_question(_PROBES[1]) @ compiled.embed_question(_PROBES[1])
    least = min(question, *passages)
    if not least >= LEAST_COSINE:
        raise NotCompilable(f"its graph gives other vectors (cosine {least:.4f})")


if __name__ == "__main__":
    export(sys.argv[1], Path(sys.argv[2]))
