"""Hits made from plain text, as retrieval would hand them to a reader."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rag.text import paragraphs
from rag.types import Hit, Origin, Passage, Span

BEFORE = "Something that stands before.\n\n"


def make_hit(text: str, score: float = 0.45, title: str = "Handbook") -> Hit:
    """One passage that holds all of `text` and begins behind other words of its document."""
    blocks = tuple(block.shifted(len(BEFORE)) for block in paragraphs(text))
    passage = Passage(
        document_id=title,
        ordinal=0,
        span=Span(len(BEFORE), len(BEFORE) + len(text)),
        text=text,
        before=BEFORE,
        after="",
        paragraphs=blocks,
        paragraph=2,
    )
    origin = Origin(title, "default", "/", f"{title}.txt", title, None, None, "", "", "text/1")
    return Hit(passage, origin, score=score, among=1)


@pytest.fixture(scope="session")
def hit() -> Callable[..., Hit]:
    return make_hit
