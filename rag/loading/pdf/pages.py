"""The pages of a PDF to the blocks of its text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pypdfium2 as pdfium

from rag.loading.pdf.aligned import whole_lines
from rag.loading.pdf.blocks import Block, blocks
from rag.loading.pdf.columns import regions, usual_gutter
from rag.loading.pdf.furniture import Sheet, without_furniture
from rag.loading.pdf.headings import marked, outline
from rag.loading.pdf.lines import Line, line_of, print_of
from rag.loading.pdf.ruled import ruled
from rag.loading.pdf.rules import rules
from rag.loading.pdf.spacing import Region
from rag.loading.pdf.tables import Box, Table, row_lines


def blocks_of(document: pdfium.PdfDocument) -> list[Block]:
    """The paragraphs, headings and rows of tables in the order of reading.

    Raises `PdfiumError`.
    """
    sheets = without_furniture(list(_sheets(document)))
    usual = usual_gutter([sheet.lines for sheet in sheets])
    entries = outline(document)
    found: list[Region] = []
    for number, sheet in enumerate(sheets):
        columns = [list(whole_lines(rows)) for rows in regions(sheet.lines, usual)]
        lines = iter(
            marked([line for column in columns for line in column], entries.get(number, ()))
        )
        found += [Region(number, [next(lines) for _ in column]) for column in columns]
        found += [Region(number, [line]) for line in sheet.across]
    return blocks(found)


def _sheets(document: pdfium.PdfDocument) -> Iterator[Sheet]:
    tables: list[Table] = []
    names: Sequence[Box] = ()
    for page in document:
        printed = print_of(page)
        words = [word for part in printed.parts for word in part]
        before = tables[-1:]
        tables = list(ruled(words, *rules(page, printed.turn))) if words else []
        tables.sort(key=lambda table: -table.top)
        page.close()
        lines: list[Line] = []
        for number, table in enumerate(tables):
            goes_on = number == 0 and bool(before) and _same_columns(before[0], table)
            names = table.names or (names if goes_on else ())
            lines += row_lines(table, names)
        for part in printed.parts:
            left = [word for word in part if not any(table.holds(word) for table in tables)]
            if left:
                lines.append(line_of(left))
        across = [replace(line_of(words), row=True) for words in printed.across]
        yield Sheet(lines, across, printed.bottom, printed.top)


def _same_columns(one: Table, other: Table) -> bool:
    """Whether a table goes on with the one at the end of the page before."""
    if len(one.edges) != len(other.edges):
        return False
    return all(abs(a - b) < 2 for a, b in zip(one.edges, other.edges, strict=True))
