"""The protocol that every embedder keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Embedder(Protocol):
    """Turns text into float32 rows of unit length, in the order given.

    `fingerprint` names everything that changes the vectors (weights, pooling, precision class,
    sequence limit): two embedders with one fingerprint may share an index. `max_tokens` is how
    much one text may hold, special tokens counted; what lies beyond would be cut silently, so
    callers check with `count_tokens` first.
    """

    @property
    def name(self) -> str: ...

    @property
    def fingerprint(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    @property
    def max_tokens(self) -> int: ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text takes, special tokens counted."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (len(texts), dimension); no texts give shape (0, dimension)."""
        ...

    def embed_question(self, text: str) -> NDArray[np.float32]:
        """Shape (dimension,)."""
        ...
