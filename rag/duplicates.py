"""Which passages say the same: pure functions."""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import pairwise

from rag.types import Passage, Span

_WORD = re.compile(r"\w+")
_ALIKE = 0.9  # Jaccard similarity of word pairs; the figures must agree besides


def words_of(text: str) -> tuple[str, ...]:
    """The words without case and punctuation: equal where two texts differ in form alone."""
    return tuple(word.casefold() for word in _WORD.findall(text))


def near_identical(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two texts, given by their words, may be shown once.

    A text with another figure is another text, however much of the rest agrees.
    """
    if one == other:
        return True
    if _figures(one) != _figures(other):
        return False
    ours, theirs = set(pairwise(one)), set(pairwise(other))
    return len(ours & theirs) > _ALIKE * len(ours | theirs)


def _figures(words: tuple[str, ...]) -> list[str]:
    return [word for word in words if any(character.isdigit() for character in word)]


def same_span(passage: Passage, span: Span, copy: Passage) -> Span:
    """Where the words of `span` stand in a copy that has the same words in the same order.

    Punctuation around them is taken in where the copy has the same.
    """
    start, end = span.start - passage.span.start, span.end - passage.span.start
    here, there = list(_WORD.finditer(passage.text)), list(_WORD.finditer(copy.text))
    last = max(0, bisect_left(here, end, key=re.Match.start) - 1)
    first = min(bisect_left(here, start, key=re.Match.start), last)
    lead = passage.text[start : here[first].start()]
    tail = passage.text[here[last].end() : end]
    found = Span(there[first].start(), there[last].end())
    if copy.text.endswith(lead, 0, found.start):
        found = Span(found.start - len(lead), found.end)
    if copy.text.startswith(tail, found.end):
        found = Span(found.start, found.end + len(tail))
    return found.shifted(copy.span.start)
