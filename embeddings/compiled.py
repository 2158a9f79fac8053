"""A sentence encoder run as a compiled graph: near-identical vectors, and no torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from embeddings.runtime import Graph, batches, padded
from embeddings.text import encodable

GRAPH = "graph.xml"
TOKENIZER = "tokenizer.json"
SETTINGS = "settings.json"

_WINDOW = 2048  # texts tokenized and sorted together: bounds memory


class CompiledEmbedder:
    """Runs the files that `embeddings.export` wrote into `folder`."""

    def __init__(self, name: str, fingerprint: str, folder: Path, exact: bool = False) -> None:
        settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        self.name = name
        self.fingerprint = fingerprint
        self.dimension: int = settings["dimension"]
        self.max_tokens: int = settings["max_tokens"]
        self._question_prompt: str = settings["question_prompt"]
        self._passage_prompt: str = settings["passage_prompt"]
        self._whole = _tokenizer(folder)
        self._cut = _tokenizer(folder)
        self._cut.enable_truncation(self.max_tokens)
        self._graph = Graph(folder / GRAPH, exact)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as a passage: prompt and special tokens counted."""
        encoded = self._whole.encode_batch_fast(encodable(texts, self._passage_prompt))
        return [len(encoding) for encoding in encoded]

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (len(texts), dimension); encoded longest first, so that little is padded."""
        rows = np.empty((len(texts), self.dimension), dtype=np.float32)
        with ThreadPoolExecutor(self._graph.streams) as pool:
            for start in range(0, len(texts), _WINDOW):
                window = encodable(texts[start : start + _WINDOW], self._passage_prompt)
                encoded = self._cut.encode_batch_fast(window)
                lengths = [len(encoding) for encoding in encoded]
                places = list(batches(lengths, self._graph.streams))
                inputs = ([encoded[place] for place in batch] for batch in places)
                for batch, vectors in zip(places, pool.map(self._encode, inputs), strict=True):
                    rows[[start + place for place in batch]] = vectors
        return rows

    def embed_question(self, text: str) -> NDArray[np.float32]:
        """Shape (dimension,)."""
        (question,) = encodable([text], self._question_prompt)
        rows = self._encode([self._cut.encode(question)])
        return rows.reshape(self.dimension)

    def _encode(self, batch: Sequence[Encoding]) -> NDArray[np.float32]:
        ids = padded([encoding.ids for encoding in batch])
        mask = padded([encoding.attention_mask for encoding in batch])
        return self._graph.run(ids, mask)[0]


def _tokenizer(folder: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
