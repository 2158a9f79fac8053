"""Which blocks of a PDF are headings: those that its outline names, and those in larger type."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import pypdfium2 as pdfium

from rag.loading.pdf.blocks import Block
from rag.loading.pdf.lines import Line

_LARGER = 0.12  # relative difference of sizes from most of the text, for type to be a heading's
_SAME = 0.05  # relative difference of sizes within one level
_MOST_WORDS = 25
_LEVELS = 6
_MOST_ENTRIES = 10_000
_MOST_LINES = 4  # of one heading
_LETTERS = re.compile(r"[^\W\d_]{2}")
_NUMBER = re.compile(r"(?:chapter|part|section|appendix)?(?:[a-z]?\d*|[ivxlc]+)")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the outline: its level from 1, and its words as `_bare` has them."""

    level: int
    words: str


def outline(document: pdfium.PdfDocument) -> Mapping[int, Sequence[Entry]]:
    """The entries of the outline by the page that they point to, from 0."""
    found: dict[int, list[Entry]] = defaultdict(list)
    for mark in islice(document.get_toc(), _MOST_ENTRIES):
        target = mark.get_dest()
        page = target.get_index() if target else None
        words = _bare(mark.get_title())
        if page is not None and words:
            found[page].append(Entry(min(mark.level + 1, _LEVELS), words))
    return found


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def marked(lines: Sequence[Line], entries: Sequence[Entry]) -> list[Line]:
    """The lines of a page, those that make an entry of the outline marked as its heading.

    An entry is looked for from the one before it on, and then from the top.
    """
    marked = list(lines)
    bare = [_bare(line.text) for line in lines]
    start = 0
    for number, entry in enumerate(entries):
        places = [*range(start, len(lines)), *range(start)]
        for place in places:
            end = _end(bare, place, entry.words)
            if end and marked[place].heading is None:
                for at in range(place, end):
                    marked[at] = replace(marked[at], heading=(entry.level, number), row=False)
                start = end
                break
    return marked


def _end(bare: Sequence[str], place: int, words: str) -> int | None:
    """The end of the lines from `place` on that are just these words, or number them."""
    text = ""
    if not bare[place]:
        return None
    for end in range(place, min(place + _MOST_LINES, len(bare))):
        text += bare[end]
        if text.endswith(words) and _NUMBER.fullmatch(text.removesuffix(words)):
            return end + 1
        if len(text) > len(words) + 20:
            return None
    return None


def levels(blocks: Iterable[Block]) -> list[int | None]:
    """The level of each block that is a heading, None for the others.

    Sizes larger than most of the text are levels, the largest being 1. Where the outline names
    headings of a size it also says the level of that size; what it leaves out lies below.
    """
    blocks = list(blocks)
    letters: Counter[float] = Counter()
    for block in blocks:
        letters[block.size] += len(block.text) if block.size else 0
    usual = max(letters, key=lambda size: letters[size], default=0.0)
    known: dict[float, int] = {}
    for block in blocks:
        if block.heading:
            known[block.size] = min(block.heading[0], known.get(block.size, _LEVELS))
    by_size: dict[float, int] = {}
    level, largest = 0, math.inf
    for size in sorted({b.size for b in blocks if not b.row and _is_short(b)}, reverse=True):
        if size <= usual * (1 + _LARGER):
            break
        if size in known:
            level, largest = known[size], size
        elif size < largest * (1 - _SAME):
            level, largest = level + 1, size
        by_size[size] = min(level, _LEVELS)
    return [_level(block, by_size) for block in blocks]


def _level(block: Block, by_size: Mapping[float, int]) -> int | None:
    if block.heading:
        return block.heading[0]
    is_heading = not block.row and _is_short(block)
    return by_size.get(block.size) if is_heading else None


def _is_short(block: Block) -> bool:
    """Whether a block could be a heading: few words, and no formula."""
    return len(block.text.split()) <= _MOST_WORDS and bool(_LETTERS.search(block.text))
