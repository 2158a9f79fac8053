"""Where paragraphs stand in a text: pure functions over code points."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.types import Span

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")


def paragraphs(text: str) -> list[Span]:
    """The blocks that blank lines separate, in order, without the white space around them.

    A line ends in LF, CR LF or CR and in nothing else; a blank line holds white space only. A
    paragraph's number is its place in this list, counted from 1.
    """
    return [trimmed(text, block) for block in _blocks(text)]


def _blocks(text: str) -> Iterator[Span]:
    start: int | None = None
    end = 0
    for line in _LINE.finditer(text):
        if not line.group() or line.group().isspace():
            if start is not None:
                yield Span(start, end)
                start = None
        else:
            start = line.start() if start is None else start
            end = line.end()
    if start is not None:
        yield Span(start, end)


def trimmed(text: str, span: Span) -> Span:
    """The span without white space at either end; empty where there is nothing else."""
    covered = span.of(text)
    start = span.start + len(covered) - len(covered.lstrip())
    return Span(start, max(start, span.start + len(covered.rstrip())))
