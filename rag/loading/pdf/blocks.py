"""Lines of print to paragraphs, over the columns and pages of a document.

A PDF says where letters stand, not what a paragraph is: this is a guess from gaps, indents, sizes
and lines that end early. All thresholds are relative to the size of the type.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.loading.pdf.lines import BULLET, HYPHEN, Line
from rag.loading.pdf.spacing import (
    INDENT,
    NEW_SIZE,
    SPACE,
    Region,
    Style,
    ends_sentence,
    is_indented,
    sizes_differ,
)

PAGE = "\f"
"""Stands in a block's text where a page begins within it."""

_PAUSE = re.compile(r"[.!?:;,][)\]\"'’”»]?$")
_ATTACHED = re.compile(r"(?<=\w)[-\xad‐]$")
_UNSPACED = re.compile(r"\d–$|\w[—/_]$")
_EVEN = 0.04  # relative difference of line distances that are meant to be equal
_SHORT = 0.35  # of the column's width; a line that leaves more than this empty ends its paragraph
_SAME_WIDTH = 0.25  # relative difference in width of columns that a paragraph may run through
_NOTES = 8  # blocks of smaller type that may stand between the halves of a paragraph


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading or row: its words, the size of its type, the page where it begins.

    `text` holds `PAGE` where later pages begin, and `HYPHEN` where a line's end broke a word.
    """

    text: str
    page: int = 0
    size: float = 0.0
    row: bool = False
    heading: tuple[int, int] | None = None


@dataclass(slots=True)
class _Paragraph:
    """Lines that belong together, each with its page, and the region of the last one."""

    lines: list[Line]
    pages: list[int]
    region: Region

    def add(self, line: Line, region: Region) -> None:
        self.lines.append(line)
        self.pages.append(region.page)
        self.region = region

    def block(self) -> Block:
        parts = [self.lines[0].text]
        for line, (before, page) in zip(self.lines[1:], pairwise(self.pages), strict=True):
            parts[-1:] = [_open(parts[-1]), PAGE * (page - before), line.text]
        most = max(self.lines, key=lambda line: len(line.text))
        return Block(
            "".join(parts),
            self.pages[0],
            size=most.size,
            row=most.row,
            heading=most.heading,
        )


def _open(text: str) -> str:
    """A line's words as they stand before those of the next line."""
    text = _ATTACHED.sub(HYPHEN, text)
    return text if text.endswith(HYPHEN) or _UNSPACED.search(text) else f"{text} "


def _breaks_word(line: Line) -> bool:
    return _open(line.text).endswith(HYPHEN)


def blocks(regions: Sequence[Region]) -> list[Block]:
    """The paragraphs of a document whose columns are given in the order of reading."""
    style = Style(regions)
    found: list[_Paragraph] = []
    for region in regions:
        for number, line in enumerate(region.lines):
            if number:
                goes_on = not _begins_anew(
                    found[-1], line, region.lines[number + 1 : number + 2], style
                )
            else:
                goes_on = _goes_on(found, line, region, style)
            if goes_on:
                found[-1].add(line, region)
            else:
                found.append(_Paragraph([line], [region.page], region))
    return [paragraph.block() for paragraph in found]


def _begins_anew(
    paragraph: _Paragraph, line: Line, following: Sequence[Line], style: Style
) -> bool:
    """Whether `line` begins a paragraph, seen from the one that the lines above it make."""
    above, region = paragraph.lines[-1], paragraph.region
    if above.row or line.row or above.heading != line.heading:
        return True
    if line.heading or _breaks_word(above):
        return False
    if sizes_differ(above, line) or _is_item(paragraph, line, region):
        return True
    if style.is_large(line):
        return above.bold != line.bold or style.has_gap(above, line)
    if is_indented(region, above, line):
        return True
    has_room = style.has_room(paragraph.region, paragraph.lines, line)
    if style.has_gap(above, line) and (has_room or not _is_even(paragraph, line, following)):
        return True
    if len(paragraph.lines) > 1 and above.left - line.left > INDENT * line.size:
        return True  # the lines of the item before it hang
    if not has_room:
        return False
    if above.bold != line.bold or region.room(above) > _SHORT * region.width:
        return True
    is_marked = style.marks_all and not BULLET.match(paragraph.lines[0].text)
    return ends_sentence(above) and not is_marked


def _is_item(paragraph: _Paragraph, line: Line, region: Region) -> bool:
    """Whether a line begins an item of a list: a number or dash alone may stand in a sentence."""
    if not BULLET.match(line.text):
        return False
    first, above = paragraph.lines[0], paragraph.lines[-1]
    starts = not line.text[0].isalnum() and line.text[0] not in "-–—(*"
    inset = (line.left - region.left - above.left + paragraph.region.left) / line.size
    set_off = inset > SPACE or (inset < -SPACE and len(paragraph.lines) > 1)
    return starts or set_off or bool(BULLET.match(first.text) or _PAUSE.search(above.text))


def _is_even(paragraph: _Paragraph, line: Line, following: Sequence[Line]) -> bool:
    """Whether a line is as far from the one above it as its neighbours are from each other."""
    above = paragraph.lines[-1]
    drop = above.base - line.base
    others = [line.base - one.base for one in following]
    if len(paragraph.lines) > 1:
        others = [paragraph.lines[-2].base - above.base]
    return any(abs(other - drop) < _EVEN * drop for other in others)


def _goes_on(found: list[_Paragraph], line: Line, region: Region, style: Style) -> bool:
    """Whether a column's first line goes on with a paragraph, which is made the last one found.

    Footnotes that stand between its halves then come before it.
    """
    for back, paragraph in enumerate(reversed(found[-_NOTES:]), start=1):
        is_last = paragraph.pages[-1] == found[-1].pages[-1]
        if is_last and _runs_on(paragraph, line, region, style):
            found.append(found.pop(-back))
            return True
        note = paragraph.lines[-1]
        if style.is_large(line) or note.row or note.size * (1 + NEW_SIZE) > line.size:
            return False
    return False


def _runs_on(paragraph: _Paragraph, line: Line, region: Region, style: Style) -> bool:
    above = paragraph.lines[-1]
    if above.row or line.row or above.heading or line.heading:
        return False
    if region.page > paragraph.pages[-1] + 1:  # a picture is between them
        return False
    if above.bold != line.bold or sizes_differ(above, line):
        return False
    if _breaks_word(above):
        return line.text[0].isalnum()
    small = line.text[0].islower()
    set_in = line.left - region.left > INDENT * line.size
    if _is_item(paragraph, line, region) or (set_in and not _hangs(paragraph, line, region)):
        return False
    ends = ends_sentence(above)
    if abs(paragraph.region.width - region.width) > _SAME_WIDTH * region.width and ends:
        return False
    if style.has_room(paragraph.region, paragraph.lines, line):
        return small and not ends
    return True


def _hangs(paragraph: _Paragraph, line: Line, region: Region) -> bool:
    """Whether a line is set in as the lines under an item's mark are."""
    if not BULLET.match(paragraph.lines[0].text):
        return False
    inset = paragraph.lines[-1].left - paragraph.region.left
    as_above = abs(line.left - region.left - inset) < SPACE * line.size
    return as_above or len(paragraph.lines) == 1
