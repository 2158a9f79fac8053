"""Blocks to one text: paragraphs joined by exactly one blank line."""

from __future__ import annotations

import re

from rag.loading.metadata import printable
from rag.text import paragraphs
from rag.types import Heading, Span

_BREAK = "\n\n"
_LINE_END = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Letters that typesetting joined: a reader types, searches and quotes them one by one.
_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
)
_EXPONENT = re.compile(r"[0-9+\-−()]+")
_RAISED = str.maketrans("0123456789+-−()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁽⁾")


def raised(text: str) -> str:
    """Superscript words: a number with raised digits, else 10 to the third would read 103."""
    return text.translate(_RAISED) if _EXPONENT.fullmatch(text) else text


def single_spaced(text: str) -> str:
    """The lines of a text without the white space around them and inside that a line shows as one
    space.
    """
    return "\n".join(" ".join(line.split()) for line in text.strip().split("\n"))


def clean(text: str) -> str:
    """What is shown of a text: one kind of line end, no controls, no joined letters."""
    return _LINE_END.sub("\n", printable(text).translate(_LIGATURES))


class Rendering:
    """A text that grows block by block.

    A block that holds a blank line of its own becomes several paragraphs, so that the paragraphs
    of the text are the blocks given.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._headings: list[Heading] = []
        self.offset = 0
        """Where the next block will begin, in code points."""

    def add(self, block: str, level: int | None = None) -> None:
        """Appends a block: a heading where it has a level, else prose; blank ones vanish."""
        block = clean(block)
        for piece in paragraphs(block):
            words = piece.of(block)
            if level is not None:
                span = Span(self.offset, self.offset + len(words))
                self._headings.append(Heading(span, level, " ".join(words.split())))
            self._parts.append(words)
            self.offset += len(words) + len(_BREAK)

    @property
    def text(self) -> str:
        return _BREAK.join(self._parts)

    @property
    def headings(self) -> tuple[Heading, ...]:
        return tuple(self._headings)
