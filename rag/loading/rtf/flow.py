"""Paragraphs and rows as RTF gives them: pieces of text, each ended by a mark."""

from __future__ import annotations

from dataclasses import dataclass, field

from rag.loading.rendering import single_spaced
from rag.loading.rtf.charsets import whole
from rag.loading.table_looks import CellText, with_heads
from rag.loading.tables import lines

Block = tuple[str, int | None]
"""A paragraph, and how deep a heading it is, None where it is none."""


@dataclass(slots=True)
class RowRules:
    """What a row says of its cells: `merged` has "left" or "above" where one is part of another."""

    heads: bool = False
    merged: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _CellBlocks:
    blocks: list[Block]
    bold: bool

    def on_one_line(self) -> CellText:
        return CellText(" ".join(" ".join(text.split()) for text, _ in self.blocks), self.bold)


class Flow:
    """One text: the body, a note or a text box. What hangs on a block comes after it."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._pieces: list[str] = []
        self._bold = True
        self._cell: list[Block] = []
        self._row: list[_CellBlocks] = []
        self._rows: list[list[_CellBlocks]] = []
        self._rules: list[RowRules] = []
        self._hanging: list[Block] = []
        self._after_table: list[Block] = []

    def add(self, text: str, bold: bool) -> None:
        if text.strip():
            self._bold = self._bold and bold
        self._pieces.append(text)

    def hang(self, blocks: list[Block]) -> None:
        """Has blocks follow the one that is being read."""
        self._hanging += blocks

    def end_paragraph(self, level: int | None, in_table: bool) -> None:
        text = single_spaced(whole("".join(self._pieces)))
        self._pieces.clear()
        if in_table:
            self._cell += [(text, level)] if text else []
            self._after_table += self._hanging
            self._hanging = []
            return
        self.end_row(RowRules())
        self._end_table()
        self._bold = True
        self.blocks += [(text, level)] if text else []
        self.blocks += self._hanging
        self._hanging = []

    def drop_paragraph(self) -> None:
        self._pieces.clear()

    def end_cell(self, level: int | None) -> None:
        self.end_paragraph(level, in_table=True)
        self._row.append(_CellBlocks(self._cell, self._bold))
        self._cell, self._bold = [], True

    def end_row(self, rules: RowRules) -> None:
        if self._row:
            self._rows.append(self._row)
            self._rules.append(rules)
            self._row = []

    def end(self) -> None:
        """Adds what no mark has ended."""
        if self._cell:
            self.end_cell(None)
        self.end_paragraph(None, in_table=False)

    def _end_table(self) -> None:
        self._add_rows(self._rows, self._rules)
        self.blocks += self._after_table
        self._rows, self._rules, self._after_table = [], [], []

    def _add_rows(self, rows: list[list[_CellBlocks]], rules: list[RowRules]) -> None:
        if max(map(len, rows), default=0) < 2:  # a frame around paragraphs
            self.blocks += [block for row in rows for cell in row for block in cell.blocks]
            return
        made: list[list[CellText]] = []
        for row, rule in zip(rows, rules, strict=True):
            above = made[-1] if made else []
            made.append(_merged([cell.on_one_line() for cell in row], rule.merged, above))
        headers = next((n for n, rule in enumerate(rules) if not rule.heads), len(rules))
        self.blocks += [(line, None) for line in lines(with_heads(made, headers))]


def _merged(row: list[CellText], merged: list[str], above: list[CellText]) -> list[CellText]:
    found: list[CellText] = []
    for column, cell in enumerate(row):
        how = merged[column] if column < len(merged) else ""
        if how == "left" and found:
            found.append(found[-1])
        elif how == "above" and column < len(above):
            found.append(above[column])
        else:
            found.append(cell)
    return found
