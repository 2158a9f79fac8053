"""CSV and TSV: a row is a paragraph that names its columns.

Which character parts the cells is told from the content, not from the extension: spreadsheets of
half of Europe write semicolons into .csv. The text is our rendering, not the file's own bytes.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator

from rag.errors import FileRefused
from rag.loading.base import FormatReader
from rag.loading.decoding import decode, is_text
from rag.loading.records import is_number, lines
from rag.loading.rendering import Rendering
from rag.types import Parsed

# Those that prose holds least come first: they win where two part the rows equally well.
_DELIMITERS = "\t|;,"
_NONE = "\x1f"  # the unit separator, which people's tables do not hold
_ALONE = 0.35  # what a table of one column scores; two columns that are none score less
_SAMPLE = 1 << 16  # characters from the start in which the delimiter is looked for
_DECLARED = re.compile(r"sep=([\t|;,])\r?\n")  # Excel's own first line
_END = "\x1e"  # a line that only ends up alone where every quoted cell before it was closed


class DelimitedReader:
    """Reads .csv and .tsv by `records.lines`; quoted cells may hold line breaks."""

    loader = "csv/1"
    extensions = frozenset({".csv", ".tsv"})

    def matches(self, data: bytes) -> bool:
        return is_text(data)

    def read(self, data: bytes) -> Parsed:
        text = decode(data)
        declared = _DECLARED.match(text)
        if declared:
            text = text[declared.end() :]
        rendering = Rendering()
        for line in lines(_rows(text, declared[1] if declared else delimiter_of(text))):
            rendering.add(line)
        if not rendering.offset:
            raise FileRefused("all of its cells are empty")
        return Parsed(text=rendering.text, loader=self.loader)


def delimiter_of(text: str) -> str:
    """The character that parts the cells, or the unit separator where there is one column.

    It is the one by which most rows get the same number of cells, times the share of cells that
    look whole: a cell that begins with a space, or that holds another delimiter and is no number,
    may be the half of a sentence.
    """
    sample, whole = text[:_SAMPLE], len(text) <= _SAMPLE
    scores: dict[str, tuple[float, int]] = {}
    for delimiter in _DELIMITERS:
        rows = [row for row in _parsed(sample, delimiter) if row]
        scores[delimiter] = _score(rows if whole or len(rows) < 2 else rows[:-1], delimiter)
    scores[_NONE] = _ALONE, 1
    return max(scores, key=scores.__getitem__)  # the first of equals


def _score(rows: list[list[str]], delimiter: str) -> tuple[float, int]:
    widths = Counter(map(len, rows))
    if not widths:
        return 0.0, 0
    width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
    if width < 2:
        return 0.0, width
    others = set(_DELIMITERS) - {delimiter}
    cells = [cell for row in rows for cell in row if cell.strip()]
    whole = sum(is_number(c) or not (c[0] == " " or others & set(c)) for c in cells)
    return count / len(rows) * (1 + whole / max(1, len(cells))) / 2, width


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """Its rows; where a quote is never closed, quotes mean nothing in the file."""
    last: list[str] = []
    for last in _parsed(f"{text}\n{_END}", delimiter, skip_space=True):  # noqa: B007 - the last one
        pass
    return _parsed(text, delimiter, skip_space=True, quotes=last == [_END])


def _parsed(
    text: str, delimiter: str, *, skip_space: bool = False, quotes: bool = True
) -> Iterator[list[str]]:
    # The library's bound on a cell is one for the whole process; the file is bounded already.
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 2))
    return csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE,
        skipinitialspace=skip_space,
    )


READER: FormatReader = DelimitedReader()
