"""Which cells of a table name its columns and rows, told by how they look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.loading.tables import Cell

_TELLING = 3  # rows; in two the second may have its figure by chance


@dataclass(frozen=True, slots=True, eq=False)
class CellText:
    """A cell's words on one line, and whether all of them are bold.

    A cell that spans several columns or rows is the same object in each place.
    """

    text: str
    bold: bool


def with_heads(
    rows: Sequence[Sequence[CellText]], headers: int = 0, sides: bool = False
) -> list[list[Cell]]:
    """The rows with the cells that head others: the first `headers` rows and, with `sides`, the
    first column, where the file says so; else those that stand out.
    """
    headers = headers or int(_first_stands_out(rows))
    sides = sides or _side_stands_out(rows[headers:])
    made: dict[int, Cell] = {}
    for number, row in enumerate(rows):
        for column, words in enumerate(row):
            heads = number < headers or (sides and column == 0)
            made.setdefault(id(words), Cell(words.text, heads))
    return [[made[id(words)] for words in row] for row in rows]


def _first_stands_out(rows: Sequence[Sequence[CellText]]) -> bool:
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


def _side_stands_out(rows: Sequence[Sequence[CellText]]) -> bool:
    """Whether the first column is bold, and the second is not."""
    wide = [row for row in rows if len(row) > 1 and row[0] is not row[1]]
    return _all_bold([row[0] for row in wide]) and not _all_bold([row[1] for row in wide])


def _all_bold(cells: Sequence[CellText]) -> bool:
    given = [cell.bold for cell in cells if cell.text]
    return bool(given) and all(given)


def _has_digit(words: CellText) -> bool:
    return any(letter.isdigit() for letter in words.text)
