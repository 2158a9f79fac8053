"""HTML tables: which hold data, and their cells as a grid."""

from __future__ import annotations

from collections.abc import Iterator

from selectolax.lexbor import LexborNode

from rag.loading.html.tree import words
from rag.loading.tables import Cell, lines

_LAYOUT = "table, h1, h2, h3, h4, h5, h6, p + p, pre, blockquote"
_WIDEST = 1000  # the most columns or rows that HTML lets one cell span


def is_data(table: LexborNode) -> bool:
    """Whether a table holds cells of data; one that only arranges a page has blocks in it."""
    layout = (table.attributes.get("role") or "") in ("presentation", "none")
    return not layout and all(not cell.css(_LAYOUT) for cell in table.css("td, th"))


def captions(table: LexborNode) -> Iterator[str]:
    """The words above a table, where it has any."""
    return (words(caption) for caption in table.css("caption"))


def rows(table: LexborNode) -> Iterator[str]:
    """A line for each row, as `tables.lines` makes them.

    A cell that spans several rows stands in each of them.
    """
    return lines(_grid(table))


def _grid(table: LexborNode) -> Iterator[list[Cell]]:
    hanging: dict[int, tuple[int, Cell]] = {}  # column: rows still to fill, and with what
    for tr in table.css("tr"):
        row: list[Cell] = []
        for node in tr.css("td, th"):
            _fill(row, hanging)
            cell = Cell(words(node), node.tag == "th")
            down = _number(node, "rowspan")
            for _ in range(_number(node, "colspan")):
                if down > 1:
                    hanging[len(row)] = (down - 1, cell)
                row.append(cell)
        _fill(row, hanging)
        yield row


def _fill(row: list[Cell], hanging: dict[int, tuple[int, Cell]]) -> None:
    while len(row) in hanging:
        left, cell = hanging.pop(len(row))
        if left > 1:
            hanging[len(row)] = (left - 1, cell)
        row.append(cell)


def _number(node: LexborNode, attribute: str) -> int:
    value = (node.attributes.get(attribute) or "").strip()
    return min(int(value), _WIDEST) if value.isdecimal() and len(value) < 5 and int(value) else 1
