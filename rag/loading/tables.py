"""Tables of every format as lines: a row is one paragraph that names its columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """The words of a cell on one line, and whether it names a column or a row.

    A cell that spans several columns or rows is the same object in each place.
    """

    text: str
    heads: bool = False


def lines(rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """A line for each row, in order; the rows of column names only where nothing else is there.

    Rows without words vanish. The rows at the top in which every cell heads name the columns.
    """
    grid = [row for row in rows if any(cell.text for cell in row)]
    heads = next((n for n, row in enumerate(grid) if not all(c.heads for c in row)), len(grid))
    if heads == len(grid):
        heads = 0
    names = [_column(grid[:heads], number) for number in range(max(map(len, grid), default=0))]
    for row in grid[heads:]:
        yield _line(row, names)


def named(values: Iterable[tuple[str, str]]) -> str:
    """One row of (column, value); a column without a name adds none, an empty value is left out."""
    return "; ".join(f"{name}: {value}" if name else value for name, value in values if value)


def _column(heads: Sequence[Sequence[Cell]], number: int) -> str:
    parts = [row[number].text for row in heads if number < len(row) and row[number].text]
    return " ".join(dict.fromkeys(parts)).rstrip(": ")


def _line(row: Sequence[Cell], names: list[str]) -> str:
    cells: list[tuple[Cell, str]] = []
    for cell, name in zip(row, names, strict=False):
        if cell.text and not (cells and cell is cells[-1][0]):
            cells.append((cell, name))
    if len(cells) == 1:
        return cells[0][0].text
    if any(names):
        return named((name, cell.text) for cell, name in cells)
    first, *others = (cell for cell, _ in cells)
    values = " | ".join(cell.text for cell in others)
    names_its_row = first.heads and not others[0].heads
    return f"{first.text.rstrip(': ')}: {values}" if names_its_row else f"{first.text} | {values}"
