"""Lines of print to paragraphs and headings.

A PDF says where letters stand, not what a paragraph is: this is a guess from gaps, indents and
sizes. All thresholds are relative to the height of the letters or to the distance of the lines.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from rag.loading.pdf_lines import HYPHEN, Line

_BULLET = re.compile(r"(?:[•◦▪‣·∙●○■–—*-]|\(?\d{1,2}[.)]|\(?[a-z][.)])\s")
_SENTENCE_END = re.compile(r"[.!?:][)\"'’”]*$")
_COMPOUND = re.compile(r"(?=\b(\w+-\w+)\b)")
_BROKEN_WORD = re.compile(rf"(\w*){HYPHEN}(\w*)")
_NEW_SIZE = 0.12  # relative difference of letter heights that sets a heading off
_NEW_GAP = 1.3  # line distances; more than this much lies between paragraphs
_NEW_INDENT = 0.8  # letter heights
_SHORT = 0.35  # of the column's width; a line that leaves more than this empty ends its paragraph
_HEADING_WORDS = 25  # the most that a heading has
_LEVELS = 6


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph: its words, and the height of its letters (0 where nobody measured)."""

    text: str
    height: float = 0.0

    @property
    def size(self) -> int:
        """The height in half units, so that rounding makes no new sizes."""
        return round(self.height * 2)


def blocks(page: Sequence[Line]) -> Iterator[Block]:
    """The page's paragraphs. Words are joined by `Line.glue`: `Hyphens` mends the words."""
    distance = _line_distance(page)
    paragraph: list[Line] = []
    for line in page:
        if paragraph and _begins_anew(paragraph[-1], line, page, distance):
            yield _block(paragraph)
            paragraph = []
        paragraph.append(line)
    if paragraph:
        yield _block(paragraph)


def _block(paragraph: Sequence[Line]) -> Block:
    text = "".join(line.text + line.glue for line in paragraph[:-1]) + paragraph[-1].text
    return Block(text, median(line.height for line in paragraph))


def _line_distance(page: Sequence[Line]) -> float:
    """The usual distance between two lines of one paragraph."""
    drops = [above.bottom - below.bottom for above, below in pairwise(page)]
    height = median(line.height for line in page) if page else 1.0
    usual = [drop for drop in drops if 0.5 * height < drop < 2.5 * height]
    return median(usual) if usual else 1.2 * height


def _begins_anew(above: Line, line: Line, page: Sequence[Line], distance: float) -> bool:
    """Whether `line` begins a paragraph, seen from the line before it."""
    if above.glue == HYPHEN:
        return False
    height = above.tallest
    drop = above.bottom - line.bottom
    if abs(drop) < 0.5 * height:
        return False  # the rest of the same line
    if _sizes_differ(above, line) or above.row or line.row:
        return True
    if drop < 0:  # the next column
        return bool(_SENTENCE_END.search(above.text)) or not line.text[0].islower()
    if drop > _NEW_GAP * distance or _BULLET.match(line.text):
        return True
    if line.left - above.left > _NEW_INDENT * height and not _BULLET.match(above.text):
        return True
    return _ends_early(above, line, page)


def _sizes_differ(one: Line, other: Line) -> bool:
    factor = 1 + _NEW_SIZE
    return one.height > other.tallest * factor or other.height > one.tallest * factor


def _ends_early(above: Line, line: Line, page: Sequence[Line]) -> bool:
    """Whether the line before stops although the next word would still have found room."""
    column = [other for other in page if abs(other.left - above.left) < 3 * above.tallest]
    right = max(other.right for other in column)
    room = right - above.right
    if room > _SHORT * (right - above.left):
        return True
    word = (len(line.text.split()[0]) + 1) * line.letter
    return room > word and bool(_SENTENCE_END.search(above.text))


def heading_levels(blocks: Iterable[Block]) -> Mapping[int, int]:
    """Sizes of letters clearly larger than those of most text, the largest being level 1.

    Sizes that hardly differ are one level: fonts of one size draw letters of several heights.
    """
    letters: Counter[int] = Counter()
    for block in blocks:
        letters[block.size] += len(block.text)
    usual = max(letters, key=lambda size: letters[size], default=0)
    levels: dict[int, int] = {}
    level, largest = 0, math.inf
    for size in sorted(letters, reverse=True):
        if size <= usual * (1 + _NEW_SIZE):
            break
        if size < largest * (1 - _NEW_SIZE / 2):
            level, largest = level + 1, size
        levels[size] = min(level, _LEVELS)
    return levels


def is_short(block: Block) -> bool:
    """Whether a block could be a heading: few words, and some letters among them."""
    return len(block.text.split()) <= _HEADING_WORDS and any(map(str.isalpha, block.text))


class Hyphens:
    """Mends words that a line's end broke.

    The hyphen stays where the document writes the word with one elsewhere, or where what follows
    is no small letter; else it was put there by typesetting and goes.
    """

    def __init__(self, blocks: Iterable[Block]) -> None:
        self._compounds = {
            found[1].lower() for block in blocks for found in _COMPOUND.finditer(block.text)
        }

    def mended(self, text: str) -> str:
        return _BROKEN_WORD.sub(self._joined, text)

    def _joined(self, broken: re.Match[str]) -> str:
        before, after = broken.groups()
        with_hyphen = f"{before}-{after}"
        typeset = before[-1:].isalpha() and after[:1].islower()
        keep = not typeset or with_hyphen.lower() in self._compounds
        return with_hyphen if keep else before + after
