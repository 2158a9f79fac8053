"""What every embedder does to text before it reads it."""

from __future__ import annotations

from collections.abc import Sequence


def encodable(texts: Sequence[str], prompt: str = "") -> list[str]:
    """Each text behind `prompt`, lone surrogates turned into "?": UTF-8 has no form for them."""
    return [(prompt + text).encode(errors="replace").decode() for text in texts]
