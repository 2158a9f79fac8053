"""Tables as they are printed on a page, and the lines that they become."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.loading.pdf.lines import HYPHEN, Line, Word
from rag.loading.tables import Cell, lines

_NUMBER = re.compile(r"[^A-Za-z]*\d[^A-Za-z]*")


@dataclass(frozen=True, slots=True)
class Box:
    """A cell of a printed table: its words, how they look and where the first of them stand."""

    text: str = ""
    bold: bool = False
    base: float = -math.inf
    size: float = 1.0

    @classmethod
    def of(cls, words: Sequence[Word]) -> Box:
        if not words:
            return cls()
        text = " ".join(word.text for word in words).replace(f"{HYPHEN} ", HYPHEN)
        bold = all(word.bold for word in words)
        return cls(text, bold, max(w.base for w in words), max(w.size for w in words))


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of boxes, a box that spans several places being the same object in each.

    `edges` are where its columns part, from left to right.
    `bottom` and `top` are heights.
    """

    rows: tuple[tuple[Box, ...], ...]
    edges: tuple[float, ...]
    bottom: float
    top: float

    def holds(self, word: Word) -> bool:
        middle = (word.left + word.right) / 2
        return self.edges[0] <= middle < self.edges[-1] and self.bottom <= word.base < self.top

    @property
    def names(self) -> Sequence[Box]:
        """The row of column names, or nothing where none is known to be one."""
        return self.rows[0] if _names_columns(self.rows) else ()


def _names_columns(rows: Sequence[Sequence[Box]]) -> bool:
    """Whether the first row names the columns: by its type, or by what stands under it."""
    first, *others = rows
    if not others or not all(b.text for b in first) or len({id(b) for b in first}) < len(first):
        return False
    if all(box.bold for box in first):
        return not all(box.bold for row in others for box in row if box.text)
    if any(_NUMBER.fullmatch(box.text) for box in first) or all(row[0].bold for row in others):
        return False
    last = [row[-1].text for row in others if row[-1].text]
    return len(first) > 2 or (bool(last) and all(map(_NUMBER.fullmatch, last)))


def row_lines(table: Table, names: Sequence[Box] = ()) -> Iterator[Line]:
    """A line for each row; `names` of columns are those of the table that it goes on from."""
    heads = table.names
    rows = table.rows[1:] if heads else table.rows
    first = [Cell(box.text, heads=True) for box in heads or names]
    texts = lines([*([first] if first else []), *map(_row_cells, rows)])
    base = math.inf
    for text, row in zip(texts, rows, strict=True):
        filled = [box for box in row if box.text]
        base = min(base - 1, *(box.base for box in filled))
        size = max(box.size for box in filled)
        yield Line(text, table.edges[0], table.edges[-1], base, size, 0.0, row=True)


def _row_cells(row: Sequence[Box]) -> list[Cell]:
    cells = {id(box): Cell(box.text) for box in row}
    if row[0].bold and not row[-1].bold:
        cells[id(row[0])] = Cell(row[0].text, heads=True)
    return [cells[id(box)] for box in row]
