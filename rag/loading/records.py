"""Rows of plain cells, as spreadsheets have them, to lines: titles above, column names, records."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from rag.loading.tables import named

_SAMPLE = 200  # rows with words from which the column names are told
_LONGEST_NAME = 200  # characters of a column's name, which every row repeats
_LONGEST_NUMBER = 100  # characters; no longer cell is a number, a date or an address
_SENTENCE = re.compile(r"(?:\S+\s+){3,}\S+\.")
_YEAR = re.compile(r"(?:19|20)\d\d")
_NUMBER = re.compile(r"[-+(]?\s?[$€£¥]?\s?\d[\d.,' \u00a0\u202f]*(?:e[-+]?\d+)?\s?[%$€£¥)]?", re.I)
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ]\d.*)?|\d{1,2}:\d\d(?::\d\d.*)?")
_ADDRESS = re.compile(r"\S+@\S+|\w+://\S+")
_KINDS = (("year", _YEAR), ("date", _DATE), ("number", _NUMBER), ("address", _ADDRESS))
_TEXT = "text"

Row = Sequence[str]


def lines(rows: Iterable[Row]) -> Iterator[str]:
    """A line for each row with words, in order: "Column: value; Column: value" without empty cells.

    The first row that is more than half as full as most gives the names, where it reads like names
    and not like the rows below it; else they are "Column 1" and so on. What stands above it is a
    title. A table of one column has no names: its rows are its lines. Rows that each begin with a
    name and a colon are "Name: value".
    """
    words = ([" ".join(cell.split()) for cell in row] for row in rows)
    full = (row for row in words if any(row))
    sample = list(islice(full, _SAMPLE))
    if not sample:
        return
    top = _first_of_table(sample)
    for row in sample[:top]:
        yield " | ".join(filter(None, row))
    table = sample[top:]
    if all(row[0].endswith(":") for row in table):
        yield from map(_labelled, chain(table, full))
        return
    names: Row = ()
    unnamed = "Column {}" if any(any(row[1:]) for row in sample) else ""
    if names_columns(table[0], table[1:]):
        names, unnamed, table = [name.rstrip(": ") for name in table[0]], "", table[1:]
    for row in chain(table, full):
        numbers = enumerate(row, start=1)
        yield named(
            (names[n - 1] if n <= len(names) else unnamed.format(n), value) for n, value in numbers
        )


def _first_of_table(rows: Sequence[Row]) -> int:
    """The number of the first row that is more than half as full as most."""
    filled = [sum(map(bool, row)) for row in rows]
    usual, _ = max(Counter(filled).items(), key=lambda item: (item[1], item[0]))
    return next(number for number, count in enumerate(filled) if 2 * count > usual)


def _labelled(row: Row) -> str:
    label, *values = filter(None, row)
    return f"{label} {' | '.join(values)}"


def names_columns(row: Row, below: Sequence[Row]) -> bool:
    """Whether a row names the columns of those below it.

    It does unless something speaks against it: only one cell, a cell of the kind that its column
    holds (a number above numbers), a value that its column holds once more, words that are too
    long; or repeated names or a sentence, where no column below is of another kind than its name.
    """
    below = [other for other in below if list(other) != list(row)]
    given = [(number, name) for number, name in enumerate(row) if name]
    if len(given) < 2 or not below or max(map(len, row)) > _LONGEST_NAME:
        return False
    differs = False
    for number, name in given:
        values = [other[number] for other in below if len(other) > number and other[number]]
        kinds = Counter(map(_kind, values)).most_common(1)
        usual = kinds[0][0] if kinds else _TEXT
        if name in values or (_kind(name) == usual and usual != _TEXT):
            return False
        differs = differs or (_kind(name) == _TEXT and usual != _TEXT)
    distinct = len({name.casefold() for _, name in given}) == len(given)
    return differs or (distinct and not any(_SENTENCE.fullmatch(name) for _, name in given))


def is_number(value: str) -> bool:
    """Whether a cell is a number or a date as people write them."""
    return _kind(value) in ("year", "date", "number")


def _kind(value: str) -> str:
    if len(value) > _LONGEST_NUMBER:
        return _TEXT
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(value)), _TEXT)
