"""The tables of an OpenDocument text as a grid of cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lxml import etree

from rag.loading.numerals import whole
from rag.loading.odt.styles import TABLE, TEXT
from rag.loading.table_looks import CellText, with_heads
from rag.loading.tables import Cell

_WIDEST = 63  # columns that a cell may span or be repeated in; as in Word
_BLANK = CellText("", bold=False)
_COVERED = TABLE + "covered-table-cell"
_GROUPS = frozenset(TABLE + name for name in ("table-header-rows", "table-row-group", "table-rows"))


def table_rows(table: etree._Element) -> Iterator[etree._Element]:
    """The rows, those in groups among them."""
    for element in table:
        if element.tag in _GROUPS:
            yield from table_rows(element)
        elif element.tag == TABLE + "table-row":
            yield element


def table_cells(row: etree._Element) -> Iterator[tuple[etree._Element, int]]:
    """The cells of a row, covered ones among them, and in how many columns each is repeated."""
    for cell in row.iterchildren(TABLE + "table-cell", _COVERED):
        times = whole(cell.get(TABLE + "number-columns-repeated"), 1)
        yield cell, min(times, _WIDEST)


def arranges(table: etree._Element) -> bool:
    """Whether a table only arranges the page: it has one column, or tables or headed text in it."""
    widest = 0
    for row in table_rows(table):
        cells = [(cell, times) for cell, times in table_cells(row) if cell.tag != _COVERED]
        widest = max(widest, sum(times for _, times in cells))
        if any(_holds_blocks(cell) for cell, _ in cells):
            return True
    return widest < 2


def grid(table: etree._Element, words_of: Callable[[etree._Element], CellText]) -> list[list[Cell]]:
    """The rows of a table; a merged cell is the same object in each place that it covers."""
    rows: list[list[CellText]] = []
    covering: dict[int, CellText] = {}  # by column: the last cell that reached into it
    headers = 0
    for tr in table_rows(table):
        parent = tr.getparent()
        headers += parent is not None and parent.tag == TABLE + "table-header-rows"
        row: list[CellText] = []
        for cell, times in table_cells(tr):
            for _ in range(times):
                if cell.tag != _COVERED:
                    words = words_of(cell)
                    across = min(whole(cell.get(TABLE + "number-columns-spanned"), 1), _WIDEST)
                    covering.update(dict.fromkeys(range(len(row), len(row) + across), words))
                row.append(covering.get(len(row), _BLANK))
        rows.append(row)
    return with_heads(rows, headers)


def _holds_blocks(cell: etree._Element) -> bool:
    inner = list(cell)
    if next(cell.iter(TABLE + "table"), None) is not None:
        return True
    return len(inner) > 1 and any(element.tag == TEXT + "h" for element in inner)
