"""Ruled tables of a PDF page: words put into the cells that rules draw."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from rag.loading.pdf.lines import Word
from rag.loading.pdf.rules import NEAR, Rule, merged, positions
from rag.loading.pdf.tables import Box, Table

_MOST_CROSSINGS = 250_000  # pairs of rules; a page with more is a drawing
_MOST_CELLS = 20_000
_FILLED = 0.4  # of a table's cells; a diagram's frames are emptier
_WORDIEST = 300  # characters in the mean cell; frames with more hold columns of a page
_ALONG = 0.6  # of a table's height or width; rules shorter than that part no columns or rows
_PADDING = 0.4  # sizes that words on both sides of a column's edge are apart at least
_ALIKE = 0.8  # of the lines of a row that each cell must have, for these to be rows themselves
_FEWEST_UNFOLDED = 6  # cells

Place = tuple[int, int]
"""A row and a column of a grid."""


def ruled(words: Sequence[Word], level: Sequence[Rule], upright: Sequence[Rule]) -> Iterator[Table]:
    """The tables that rules part into two rows and two columns at least."""
    level, upright = merged(level), merged(upright)
    if len(level) * len(upright) > _MOST_CROSSINGS:
        return
    for across, down in _joined(level, upright):
        heights = _drawn(across, down)
        inside = [word for word in words if heights[0] <= word.base < heights[-1]]
        edges = [edge for edge in _drawn(down, across) if _is_clear(edge, inside)]
        if len(edges) < 3 or len(heights) < 3 or len(edges) * len(heights) > _MOST_CELLS:
            continue
        table = _filled(inside, edges, heights[::-1], across, down)
        if table:
            yield table
            words = [word for word in words if not table.holds(word)]


def _joined(
    level: Sequence[Rule], upright: Sequence[Rule]
) -> Iterator[tuple[list[Rule], list[Rule]]]:
    """The rules that touch each other, directly or by others."""
    left = set(range(len(upright)))
    touching = {
        one: {
            other
            for other, down in enumerate(upright)
            if across.start - NEAR <= down.at <= across.end + NEAR
            and down.start - NEAR <= across.at <= down.end + NEAR
        }
        for one, across in enumerate(level)
    }
    while left:
        across: set[int] = set()
        down = new = {left.pop()}
        while new:
            rows = {one for one, others in touching.items() if others & new} - across
            across |= rows
            new = {other for one in rows for other in touching[one]} - down
            down |= new
        left -= down
        if across:
            yield [level[one] for one in across], [upright[one] for one in down]


def _drawn(rules: Sequence[Rule], others: Sequence[Rule]) -> list[float]:
    """Where rules part a table from one side to the other: both sides, and between them what is
    drawn along most of it. Words on a ground of another colour have sides, too, but short ones.
    """
    ends = [end for rule in others for end in (rule.start, rule.end)]
    found = positions([*(rule.at for rule in rules), *ends])
    sides = [rule.at for rule in others]
    length = max(sides) - min(sides)
    drawn = {
        place: sum(r.end - r.start for r in rules if abs(r.at - place) <= NEAR) for place in found
    }
    inner = [place for place in found[1:-1] if drawn[place] > _ALONG * length]
    return [found[0], *inner, found[-1]]


def _is_clear(edge: float, words: Sequence[Word]) -> bool:
    """Whether no word stands over the edge, and no two as close to it as in one sentence."""
    nearest: dict[float, tuple[float, float]] = {}
    for word in words:
        if word.left < edge - 1 and word.right > edge + 1:
            return False
        left, right = nearest.get(word.base, (-math.inf, math.inf))
        if (word.left + word.right) / 2 < edge:
            nearest[word.base] = max(left, word.right), right
        else:
            nearest[word.base] = left, min(right, word.left)
    size = max((word.size for word in words), default=0)
    return all(right - left > _PADDING * size for left, right in nearest.values())


def _filled(
    words: Sequence[Word],
    edges: Sequence[float],
    heights: Sequence[float],
    across: Sequence[Rule],
    down: Sequence[Rule],
) -> Table | None:
    """The table of a grid whose `heights` go down, if enough of its cells hold words."""
    owners = _cells(edges, heights, across, down)
    held: dict[Place, list[Word]] = {owner: [] for owner in owners.values()}
    low = [-height for height in heights]
    for word in words:
        row = bisect_right(low, -word.base - word.size / 3) - 1
        column = bisect_right(edges, (word.left + word.right) / 2) - 1
        if (row, column) in owners:
            held[owners[row, column]].append(word)
    filled = [inside for inside in held.values() if inside]
    letters = sum(len(word.text) + 1 for inside in filled for word in inside)
    if len(filled) < _FILLED * len(held) or letters > _WORDIEST * len(filled) or _sprawls(owners):
        return None
    columns = range(len(edges) - 1)
    rows = [[owners[row, column] for column in columns] for row in range(len(heights) - 1)]
    boxes = [boxed for row in rows for boxed in _boxed(row, held)]
    if sum(len({id(box) for box in row if box.text}) > 1 for row in boxes) < 2:
        return None
    return Table(tuple(boxes), tuple(edges), heights[-1], heights[0])


def _boxed(row: Sequence[Place], held: Mapping[Place, Sequence[Word]]) -> Iterator[tuple[Box, ...]]:
    """The rows of boxes that a row of the grid is: often rules stand between columns alone."""
    bases = {round(word.base) for owner in row for word in held[owner]}
    alike = all(
        len({round(word.base) for word in held[owner]}) >= _ALIKE * len(bases) for owner in row
    )
    if not alike or len(bases) * len(set(row)) < _FEWEST_UNFOLDED:
        boxes = {owner: Box.of(held[owner]) for owner in row}
        if any(box.text for box in boxes.values()):
            yield tuple(boxes[owner] for owner in row)
        return
    for base in sorted(bases, reverse=True):
        boxes = {o: Box.of([w for w in held[o] if round(w.base) == base]) for o in row}
        yield tuple(boxes[owner] for owner in row)


def _cells(
    edges: Sequence[float], heights: Sequence[float], across: Sequence[Rule], down: Sequence[Rule]
) -> dict[Place, Place]:
    """For each place of the grid the first place of the cell that covers it."""
    owners: dict[Place, Place] = {}
    for row, (top, bottom) in enumerate(pairwise(heights)):
        for column, (left, right) in enumerate(pairwise(edges)):
            place = (row, column)
            if column and not _parted(down, left, (top + bottom) / 2):
                owners[place] = owners[row, column - 1]
            elif row and not _parted(across, top, (left + right) / 2):
                owners[place] = owners[row - 1, column]
            else:
                owners[place] = place
    return owners


def _sprawls(owners: Mapping[Place, Place]) -> bool:
    """Whether a cell stands in several rows and in several columns: then it is a diagram."""
    rows: dict[Place, set[int]] = defaultdict(set)
    columns: dict[Place, set[int]] = defaultdict(set)
    for (row, column), owner in owners.items():
        rows[owner].add(row)
        columns[owner].add(column)
    return any(len(rows[owner]) > 1 and len(columns[owner]) > 1 for owner in rows)


def _parted(rules: Sequence[Rule], at: float, middle: float) -> bool:
    return any(abs(rule.at - at) <= NEAR and rule.start <= middle <= rule.end for rule in rules)
