"""What is printed around the text of a PDF's pages: headers, footers and page numbers."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from rag.loading.pdf.lines import Line

_NUMBER = re.compile(r"\d+")
_ROMAN = re.compile(r"\W*([ivxlc]+)\W*", re.I)
_VALUES = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}
_DIGITS = 9  # of a number that are looked at
_ROWS = 4  # the most that stand above or below the text
_ROWS_ALONE = 2  # the most on a page that has nothing else
_SAME_HEIGHT = 2.0  # points
_SET_OFF = 1.15  # distances of lines; less does not part a header from the text
_COUNTED = 0.8  # of neighbouring pages, whose numbers must rise by no more than the pages do


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page: its lines, those set across it, and from where to where it reaches."""

    lines: Sequence[Line]
    across: Sequence[Line] = ()
    bottom: float = 0.0
    top: float = 0.0


@dataclass(frozen=True, slots=True)
class _Seen:
    """A line near the edge of a page, at a distance from that edge: below 0 from the lower one."""

    page: int
    line: Line
    distance: float
    words: str
    numbers: tuple[int, ...]


def without_furniture(sheets: Sequence[Sheet]) -> list[Sheet]:
    """The pages without the lines that most of them have at the same height.

    A line counts that another page has as well, but for numbers that go on with the pages. What
    stands on one page alone is never taken for furniture.
    """
    pages = [(_rows(sheet.lines), sheet) for sheet in sheets]
    edges = [seen for n, (rows, sheet) in enumerate(pages) for seen in _edges(n, rows, sheet)]
    repeated = _repeated(edges, len(sheets))
    marks = Counter(text for sheet in sheets for text in {line.text for line in sheet.across})
    bounds = [_bounds(rows, repeated) for rows, _ in pages]
    usual = [_mostly([found.parted[edge] for found in bounds if found]) for edge in (0, 1)]
    return [
        replace(
            sheet,
            lines=[line for row in _text(rows, repeated, found, usual) for line in row],
            across=[
                a for a in sheet.across if marks[a.text] < 2 or 2 * marks[a.text] <= len(pages)
            ],
        )
        for (rows, sheet), found in zip(pages, bounds, strict=True)
    ]


def _rows(lines: Sequence[Line]) -> list[list[Line]]:
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: -line.base):
        if rows and rows[-1][0].base - line.base < _SAME_HEIGHT:
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows


def _edges(page: int, rows: Sequence[Sequence[Line]], sheet: Sheet) -> Iterator[_Seen]:
    for edge, near in ((sheet.top, rows[:_ROWS]), (sheet.bottom, rows[-_ROWS:])):
        for line in (line for row in near for line in row if not line.row):
            words, numbers = _parted(line.text)
            yield _Seen(page, line, edge - line.base, words, numbers)


def _parted(text: str) -> tuple[str, tuple[int, ...]]:
    """The words of a line, and its numbers in order."""
    if alone := _ROMAN.fullmatch(text):
        values = [_VALUES[letter] for letter in alone[1].lower()]
        following = pairwise([*values, 0])
        return "#", (sum(-one if one < other else one for one, other in following),)
    return _NUMBER.sub("#", text), tuple(int(found[:_DIGITS]) for found in _NUMBER.findall(text))


def _repeated(edges: Sequence[_Seen], pages: int) -> set[int]:
    """The lines that stand at a height where most pages have one that another page has, too."""
    heights: dict[int, list[_Seen]] = defaultdict(list)
    for seen in edges:
        slot = math.floor(seen.distance / _SAME_HEIGHT)
        heights[slot].append(seen)
        heights[slot + 1].append(seen)
    found: set[int] = set()
    for at_height in heights.values():
        alike: dict[tuple[str, int], list[_Seen]] = defaultdict(list)
        for seen in at_height:
            alike[seen.words, len(seen.numbers)].append(seen)
        again = [seen for group in alike.values() if _goes_on(group) for seen in group]
        if 2 * len({seen.page for seen in again}) > pages:
            found |= {id(seen.line) for seen in again}
    return found


def _goes_on(group: Sequence[_Seen]) -> bool:
    """Whether lines alike are on several pages, and their numbers rise no faster than these."""
    if len({seen.page for seen in group}) < 2:
        return False
    steps = [
        all(0 <= after - before <= other.page - one.page
            for before, after in zip(one.numbers, other.numbers, strict=True))
        for one, other in pairwise(group)
    ]  # fmt: skip
    return sum(steps) >= _COUNTED * len(steps)


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Which rows of a page are its text: from the first to the last without a repeated line.

    `parted` says for both edges whether what is repeated there is farther from the text than its
    lines are from each other, None where nothing is repeated or the text has only one line.
    """

    first: int
    end: int
    parted: tuple[bool | None, bool | None]


def _bounds(rows: Sequence[Sequence[Line]], repeated: set[int]) -> _Bounds | None:
    """None for a page without text of its own."""
    whole = [not any(id(line) in repeated for line in row) for row in rows]
    if not any(whole):
        return None
    first, end = whole.index(True), len(rows) - whole[::-1].index(True)
    drops = [above[0].base - below[0].base for above, below in pairwise(rows)]
    if end - first < 2:
        return _Bounds(first, end, (None, None))
    usual = _SET_OFF * median(drops[first : end - 1])
    above = drops[first - 1] > usual if first else None
    below = drops[end - 1] > usual if end < len(rows) else None
    return _Bounds(first, end, (above, below))


def _mostly(parted: Sequence[bool | None]) -> bool:
    return parted.count(True) >= parted.count(False)


def _text(
    rows: Sequence[Sequence[Line]],
    repeated: set[int],
    found: _Bounds | None,
    usual: Sequence[bool],
) -> Iterator[Sequence[Line]]:
    """The rows of a page without the repeated lines at its edges.

    These are set off from the text on most pages: pages that begin or end alike, as forms do, keep
    what they have.
    """
    kept = [[line for line in row if id(line) not in repeated] for row in rows]
    if found is None:
        yield from kept if len(rows) <= _ROWS_ALONE else rows
        return
    above, below = usual
    yield from kept[: found.first] if above else rows[: found.first]
    yield from rows[found.first : found.end]
    yield from kept[found.end :] if below else rows[found.end :]
