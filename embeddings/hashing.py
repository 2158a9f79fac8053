"""A weight-free embedder: similar wording gives near vectors. The fast double for tests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"\w{1,40}")  # longer runs fall into pieces: each word's features are cached
_DIMENSION = 256
_GRAM = 3
_SPECIAL_TOKENS = 2  # counted as a transformer would


class HashingEmbedder:
    """Signed feature hashing of words and their character trigrams (Weinberger et al., 2009).

    Each distinct word of a text counts once, and a long word weighs more than a short one because
    it has more trigrams. The hash is BLAKE2b, so vectors are the same in every process and on
    every platform. A text without words gets the first axis.
    """

    name = "hashing"
    fingerprint = "hashing-1"
    dimension = _DIMENSION
    max_tokens = 256

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Words, and two special tokens."""
        return [len(_WORD.findall(text)) + _SPECIAL_TOKENS for text in texts]

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (len(texts), 256)."""
        rows = np.empty((len(texts), _DIMENSION), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[:] = self.embed_question(text)
        return rows

    def embed_question(self, text: str) -> NDArray[np.float32]:
        """Shape (256,)."""
        words = _WORD.findall(text.lower())[: self.max_tokens - _SPECIAL_TOKENS]
        features = [feature for word in sorted(set(words)) for feature in _features(word)]
        counts = np.bincount(np.array(features, dtype=np.intp), minlength=2 * _DIMENSION)
        vector = (counts[:_DIMENSION] - counts[_DIMENSION:]).astype(np.float32)
        if not vector.any():
            vector[0] = 1
        unit: NDArray[np.float32] = vector / np.linalg.norm(vector)
        return unit


@lru_cache(maxsize=1 << 14)
def _features(word: str) -> tuple[int, ...]:
    """Where a word and its trigrams fall: below 256 they add to that axis, above they subtract."""
    marked = f"<{word}>"
    grams = [marked[start : start + _GRAM] for start in range(len(marked) - _GRAM + 1)]
    return tuple(
        int.from_bytes(blake2b(gram.encode(), digest_size=8).digest(), "little") % (2 * _DIMENSION)
        for gram in (word, *grams)
    )
