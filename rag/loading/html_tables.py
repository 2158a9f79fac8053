"""HTML tables as lines: a row is one paragraph, and names its columns where the table does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborNode

from rag.loading.html_tree import words

_LAYOUT = "table, h1, h2, h3, h4, h5, h6, p + p, pre, blockquote"
_WIDEST = 1000  # the most columns or rows that HTML lets one cell span


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    heads: bool


def is_data(table: LexborNode) -> bool:
    """Whether a table holds cells of data; one that only arranges a page has blocks in it."""
    layout = (table.attributes.get("role") or "") in ("presentation", "none")
    return not layout and all(not cell.css(_LAYOUT) for cell in table.css("td, th"))


def captions(table: LexborNode) -> Iterator[str]:
    """The words above a table, where it has any."""
    return (words(caption) for caption in table.css("caption"))


def rows(table: LexborNode) -> Iterator[str]:
    """A line for each row, in order; the rows of column names only where nothing else is there.

    A cell that spans several rows stands in each of them.
    """
    grid = [row for row in _grid(table) if any(cell.text for cell in row)]
    heads = next((n for n, row in enumerate(grid) if not all(c.heads for c in row)), len(grid))
    if heads == len(grid):
        heads = 0
    names = [_column(grid[:heads], number) for number in range(max(map(len, grid), default=0))]
    for row in grid[heads:]:
        yield _line(row, names)


def _grid(table: LexborNode) -> Iterator[list[_Cell]]:
    hanging: dict[int, tuple[int, _Cell]] = {}  # column: rows still to fill, and with what
    for tr in table.css("tr"):
        row: list[_Cell] = []
        for node in tr.css("td, th"):
            _fill(row, hanging)
            cell = _Cell(words(node), node.tag == "th")
            down = _number(node, "rowspan")
            for _ in range(_number(node, "colspan")):
                if down > 1:
                    hanging[len(row)] = (down - 1, cell)
                row.append(cell)
        _fill(row, hanging)
        yield row


def _fill(row: list[_Cell], hanging: dict[int, tuple[int, _Cell]]) -> None:
    while len(row) in hanging:
        left, cell = hanging.pop(len(row))
        if left > 1:
            hanging[len(row)] = (left - 1, cell)
        row.append(cell)


def _number(node: LexborNode, attribute: str) -> int:
    value = (node.attributes.get(attribute) or "").strip()
    return min(int(value), _WIDEST) if value.isdecimal() and len(value) < 5 and int(value) else 1


def _column(heads: list[list[_Cell]], number: int) -> str:
    parts = [row[number].text for row in heads if number < len(row) and row[number].text]
    return " ".join(dict.fromkeys(parts)).rstrip(": ")


def _line(row: list[_Cell], names: list[str]) -> str:
    cells: list[tuple[_Cell, str]] = []
    for cell, name in zip(row, names, strict=False):
        if cell.text and not (cells and cell is cells[-1][0]):
            cells.append((cell, name))
    if len(cells) == 1:
        return cells[0][0].text
    if any(names):
        return "; ".join(f"{name}: {cell.text}" if name else cell.text for cell, name in cells)
    first, *others = (cell for cell, _ in cells)
    values = " | ".join(cell.text for cell in others)
    names_its_row = first.heads and not others[0].heads
    return f"{first.text.rstrip(': ')}: {values}" if names_its_row else f"{first.text} | {values}"
