"""The rows of a column of print as lines; rows whose parts are clearly aligned are a table's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from rag.loading.pdf.columns import APART, Row
from rag.loading.pdf.lines import BULLET, HYPHEN, Line
from rag.loading.pdf.tables import Box, Table, row_lines

_PAGE = re.compile(r"[\w-]{1,8}$")
_DOTS = 4  # at least, between an entry of a table of contents and its page
_FEWEST_ROWS = 3
_STRAIGHT = 2.0  # points that the sides of a table's column may be off
_ALIGNED = 0.8  # of a column's cells
_EVEN = 1.3  # times the least gap; words of a justified line are no farther apart
_BELOW = 1.6  # sizes from a line of a cell to the next one


def whole_lines(rows: Sequence[Row]) -> Iterator[Line]:
    """The lines that rows make, from the top down: tables row by row, the rest put together."""
    number = 0
    while number < len(rows):
        end = _table_end(rows, number)
        table = _table(rows[number:end])
        if table:
            yield from row_lines(table)
        else:
            end = max(end, number + 1)
            yield from (_whole(row) for row in rows[number:end])
        number = end


def _whole(row: Row) -> Line:
    text = " ".join(part.text for part in row)
    title, number = _entry(text)
    if number:
        return replace(row[0], text=f"{title} | {number}", right=row[-1].right, row=True)
    if len(row) == 1:
        return row[0]
    gaps = [after.left - before.right for before, after in pairwise(row)]
    is_stretched = len(gaps) > 1 and max(gaps) < _EVEN * min(gaps)
    is_apart = max(gaps) > APART * max(part.size for part in row)
    return Line(
        text,
        left=row[0].left,
        right=row[-1].right,
        base=min(part.base for part in row),
        size=max(row, key=lambda part: len(part.text)).size,
        first=row[0].first,
        bold=all(part.bold for part in row),
        row=is_apart and not is_stretched and not _is_item(row),
    )


def _entry(text: str) -> tuple[str, str]:
    """An entry of a table of contents and its page; no page where the text is none."""
    page = _PAGE.search(text)
    start = page.start() if page else len(text)
    title = text[:start].rstrip(" .…")
    dots = text[len(title) : start]
    leads = dots.count(".") + _DOTS * dots.count("…") >= _DOTS
    return (title, text[start:]) if title and leads else (text, "")


def _is_item(row: Row) -> bool:
    return len(row) == 2 and bool(BULLET.fullmatch(f"{row[0].text} "))


def _table_end(rows: Sequence[Row], start: int) -> int:
    """The end of the rows from `start` on that have several parts, or go on with one of those."""
    end = start
    while end < len(rows) and (len(rows[end]) > 1 or (end > start and _goes_on(rows, end))):
        if _is_item(rows[end]) or any(part.row for part in rows[end]):
            break
        end += 1
    return end


def _goes_on(rows: Sequence[Row], number: int) -> bool:
    """Whether a row's only part is the next line of a cell above it that is not the row's first."""
    (part,), above = rows[number], rows[number - 1]
    starts = [one.left for one in above[1:]] if len(above) > 1 else [above[0].left]
    close = above[0].base - part.base < _BELOW * part.size
    return close and any(abs(part.left - start) <= _STRAIGHT for start in starts)


def _table(rows: Sequence[Row]) -> Table | None:
    """The table of rows whose parts stand under each other in columns, if they do."""
    columns = _columns(rows)
    first = [row for row in rows if len(row) > 1]
    if len(first) < _FEWEST_ROWS or len(columns) < 2:
        return None
    cells = [[_inside(row, column) for column in columns] for row in rows]
    if any(len(parts) > 1 for row in cells for parts in row):
        return None
    for number in range(len(columns)):
        parts = [row[number][0] for row in cells if row[number]]
        if not _is_aligned(parts):
            return None
    boxes: list[tuple[Box, ...]] = []
    for row, inside in zip(rows, cells, strict=True):
        found = tuple(_box(parts) for parts in inside)
        if len(row) > 1 or not boxes:
            boxes.append(found)
        else:
            boxes[-1] = tuple(map(_continued, boxes[-1], found))
    edges = (*(left for left, _ in columns), columns[-1][1])
    return Table(tuple(boxes), edges, rows[-1][0].base, rows[0][0].base)


def _columns(rows: Sequence[Row]) -> list[tuple[float, float]]:
    """The stretches from left to right that parts cover, with clear space between them."""
    found: list[tuple[float, float]] = []
    for part in sorted((part for row in rows for part in row), key=lambda part: part.left):
        if found and part.left < found[-1][1] + part.size / 2:
            found[-1] = (found[-1][0], max(found[-1][1], part.right))
        else:
            found.append((part.left, part.right))
    return found


def _inside(row: Row, column: tuple[float, float]) -> list[Line]:
    return [part for part in row if column[0] <= part.left <= column[1]]


def _is_aligned(parts: Sequence[Line]) -> bool:
    for side in (
        [part.left for part in parts],
        [part.right for part in parts],
        [(part.left + part.right) / 2 for part in parts],
    ):
        usual = sorted(side)[len(side) // 2]
        if sum(abs(place - usual) <= _STRAIGHT for place in side) >= _ALIGNED * len(side):
            return True
    return False


def _box(parts: Sequence[Line]) -> Box:
    return Box(parts[0].text, parts[0].bold, parts[0].base, parts[0].size) if parts else Box()


def _continued(above: Box, box: Box) -> Box:
    if not box.text:
        return above
    glue = "" if above.text.endswith(HYPHEN) else " "
    return Box(above.text + glue + box.text, above.bold, above.base, above.size)
