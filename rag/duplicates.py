"""Which passages say the same: pure functions."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import cached_property
from itertools import pairwise

from rag.types import Passage, Span

_WORD = re.compile(r"\w+")
_ALIKE = 0.9  # Jaccard similarity of word pairs; the figures must agree besides


def words_of(text: str) -> tuple[str, ...]:
    """The words without case and punctuation: equal where two texts differ in form alone."""
    return tuple(map(str.casefold, _WORD.findall(text)))


class Wording:
    """A text as others are compared with it; what that takes is worked out once."""

    def __init__(self, text: str) -> None:
        self.words = words_of(text)

    @cached_property
    def figures(self) -> list[str]:
        """The words that hold a digit, in order."""
        return [w for w in self.words if not w.isalpha() and any(map(str.isdigit, w))]

    @cached_property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """Words with the word after them."""
        return frozenset(pairwise(self.words))


def near_identical(one: Wording, other: Wording) -> bool:
    """Whether two texts may be shown once.

    A text with another figure is another text, however much of the rest agrees.
    """
    if one.words == other.words:
        return True
    if one.figures != other.figures:
        return False
    return len(one.pairs & other.pairs) > _ALIKE * len(one.pairs | other.pairs)


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
