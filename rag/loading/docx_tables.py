"""The tables of a DOCX as a grid of cells, with those that name columns and rows told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from lxml import etree

from rag.loading.docx_styles import Styles
from rag.loading.docx_xml import W, child, is_on, shown, value
from rag.loading.numerals import whole
from rag.loading.tables import Cell

_TELLING = 3  # rows; in two the second may have its figure by chance
_WIDEST = 63  # the most columns of a table in Word


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """A cell's words on one line, and whether all of them are bold."""

    text: str
    bold: bool


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
    table: etree._Element, styles: Styles, words_of: Callable[[etree._Element], Words]
) -> list[list[Cell]]:
    """The rows of a table; a merged cell is the same object in each place that it covers."""
    rows = table_rows(table)
    found = list(_rows(rows, words_of))
    headers = sum(1 for _ in takewhile(lambda row: is_on(row, "trPr", "tblHeader"), rows))
    if not headers:
        headers = int(styles.sets_off(table, "firstRow") or _first_stands_out(found))
    sides = styles.sets_off(table, "firstColumn") or _side_stands_out(found[headers:])
    made: dict[int, Cell] = {}
    for number, row in enumerate(found):
        for column, words in enumerate(row):
            heads = number < headers or (sides and column == 0)
            made.setdefault(id(words), Cell(words.text, heads))
    return [[made[id(words)] for words in row] for row in found]


def _rows(
    rows: list[etree._Element], words_of: Callable[[etree._Element], Words]
) -> Iterator[list[Words]]:
    above: list[Words] = []
    for tr in rows:
        before = min(whole(value(tr, "trPr", "gridBefore")), _WIDEST)
        row = [Words("", bold=False)] * before
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
    paragraphs = [element for element in inner if element.tag == W + "p"]
    return len(paragraphs) > 1 and any(styles.heading_level(p) for p in paragraphs)


def _first_stands_out(rows: Sequence[Sequence[Words]]) -> bool:
    """Whether the first row is bold, and the second is not; or has no figure above a column of
    them.
    """
    if len(rows) < 2:
        return False
    first, *others = rows
    if _all_bold(first):
        return not _all_bold(others[0])
    if len(rows) < _TELLING or any(not w.text or _has_digit(w) for w in first):
        return False
    columns = zip(*others, strict=False)
    return any(all(_has_digit(words) for words in column) for column in columns)


def _side_stands_out(rows: Sequence[Sequence[Words]]) -> bool:
    """Whether the first column is bold, and the second is not."""
    wide = [row for row in rows if len(row) > 1 and row[0] is not row[1]]
    return _all_bold([row[0] for row in wide]) and not _all_bold([row[1] for row in wide])


def _all_bold(cells: Sequence[Words]) -> bool:
    given = [cell.bold for cell in cells if cell.text]
    return bool(given) and all(given)


def _has_digit(words: Words) -> bool:
    return any(letter.isdigit() for letter in words.text)
