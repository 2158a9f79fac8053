"""What a reader made of a file, as its tests compare it."""

from __future__ import annotations

from rag.text import paragraphs
from rag.types import Parsed


def blocks(parsed: Parsed) -> list[str]:
    """The paragraphs of its text, which nothing but a blank line parts."""
    found = [span.of(parsed.text) for span in paragraphs(parsed.text)]
    assert "\n\n".join(found) == parsed.text
    return found
