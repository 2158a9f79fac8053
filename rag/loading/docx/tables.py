"""The tables of a DOCX as a grid of cells, with those that name columns and rows told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import takewhile

from lxml import etree

from rag.loading.docx.styles import Styles
from rag.loading.docx.xml import W, child, is_on, shown, value
from rag.loading.numerals import whole
from rag.loading.table_looks import CellText, with_heads
from rag.loading.tables import Cell

_WIDEST = 63  # the most columns of a table in Word


def table_rows(table: etree._Element) -> list[etree._Element]:
    """The rows that are shown."""
    rows = (element for element in shown(table) if element.tag == W + "tr")
    return [row for row in rows if child(row, "trPr", "del") is None]


def row_cells(row: etree._Element) -> list[etree._Element]:
    """The cells that a row is made of; those that a merged one covers are among them."""
    return [element for element in shown(row) if element.tag == W + "tc"]


def arranges(table: etree._Element, styles: Styles) -> bool:
    """Whether a table only arranges the page: it has one column, or tables or headed text in it."""
    cells = [row_cells(row) for row in table_rows(table)]
    if max(map(len, cells), default=0) < 2:
        return True
    return any(_holds_blocks(cell, styles) for row in cells for cell in row)


def grid(
    table: etree._Element, styles: Styles, words_of: Callable[[etree._Element], CellText]
) -> list[list[Cell]]:
    """The rows of a table; a merged cell is the same object in each place that it covers."""
    rows = table_rows(table)
    found = list(_rows(rows, words_of))
    headers = sum(1 for _ in takewhile(lambda row: is_on(row, "trPr", "tblHeader"), rows))
    headers = headers or int(styles.sets_off(table, "firstRow"))
    return with_heads(found, headers, styles.sets_off(table, "firstColumn"))


def _rows(
    rows: list[etree._Element], words_of: Callable[[etree._Element], CellText]
) -> Iterator[list[CellText]]:
    above: list[CellText] = []
    for tr in rows:
        before = min(whole(value(tr, "trPr", "gridBefore")), _WIDEST)
        row = [CellText("", bold=False)] * before
        for tc in row_cells(tr):
            merged = child(tc, "tcPr", "vMerge")
            if merged is None or merged.get(W + "val") == "restart" or len(row) >= len(above):
                words = words_of(tc)
            else:
                words = above[len(row)]
            span = whole(value(tc, "tcPr", "gridSpan"), 1) or 1
            row += [words] * min(span, _WIDEST)
        above = row
        yield row


def _holds_blocks(cell: etree._Element, styles: Styles) -> bool:
    inner = list(shown(cell))
    if any(element.tag == W + "tbl" for element in inner):
        return True
    paragraphs = [p for p in inner if p.tag == W + "p" and any(t.text for t in p.iter(W + "t"))]
    return len(paragraphs) > 1 and any(styles.heading_level(p) for p in paragraphs)
