"""Rows of tables, "Column: value; Column: value": which of their cells may answer a question.

A network that was trained on prose takes any price for the price that is asked for. A row says
which thing it is about and what each of its values is, so that can be told without guessing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass

from rag.analysis import terms
from rag.reading.overlap import question_terms
from rag.types import Hit, Span

_NAME = re.compile(r"(?:^|(?<=; ))([^:;|]{1,60}): ")
_LONGEST_VALUE = 80  # characters that are an answer as they stand


@dataclass(frozen=True, slots=True)
class Places:
    """Where an answer may stand, in order and in the passage's own offsets; some are the values of
    rows.
    """

    spans: list[Span]
    values: frozenset[Span]

    def whole(self, span: Span, text: str) -> Span:
        """A bare number out of a short value becomes the value: of "43 euros" all, not "43"."""
        if any(map(str.isalpha, span.of(text))):
            return span
        for value in self.values:
            if value.contains(span) and value.end - value.start <= _LONGEST_VALUE:
                return value
        return span


@dataclass(frozen=True, slots=True)
class _Cell:
    """A value, in its passage's offsets, with the terms of its column's name and its own."""

    value: Span
    name: Set[str]
    words: Set[str]


@dataclass(frozen=True, slots=True)
class _Row:
    """A row's cells, and how many of the question's words their values hold: the names of columns
    are every row's.
    """

    cells: Sequence[_Cell]
    shared: int

    def values(self, asked: Set[str]) -> list[Span]:
        """The values that may answer, if the row may."""
        unsaid = [cell for cell in self.cells if not cell.words or not cell.words <= asked]
        named = [cell for cell in unsaid if cell.name & asked]
        return [cell.value for cell in named or unsaid]


def answerable(question: str, hits: Sequence[Hit]) -> list[Places]:
    """Where an answer to the question may stand in each hit's passage.

    Prose may answer anywhere. Of all rows only those may that share most of the question's words;
    of these the values under a column that the question names, else every value, and never one
    that the question itself holds.
    """
    asked = set(question_terms(question))
    cut = [_cut(hit, asked) for hit in hits]
    most = max((row.shared for passage in cut for _, row in passage if row), default=0)
    return [_places(passage, asked, most) for passage in cut]


def _places(passage: Sequence[tuple[Span, _Row | None]], asked: Set[str], most: int) -> Places:
    spans: list[Span] = []
    values: list[Span] = []
    for paragraph, row in passage:
        if row is None:
            spans.append(paragraph)
        elif row.shared == most:
            values += (found := row.values(asked))
            spans += found
    return Places(spans, frozenset(values))


def _cut(hit: Hit, asked: Set[str]) -> list[tuple[Span, _Row | None]]:
    """The paragraphs of a hit's passage, each with its row if it is one."""
    paragraphs = (p.shifted(-hit.passage.span.start) for p in hit.passage.paragraphs)
    return [(paragraph, _row(hit.passage.text, paragraph, asked)) for paragraph in paragraphs]


def _row(text: str, paragraph: Span, asked: Set[str]) -> _Row | None:
    if (cells := _cells(text, paragraph)) is None:
        return None
    return _Row(cells, len(asked & {word for cell in cells for word in cell.words}))


def _cells(text: str, paragraph: Span) -> list[_Cell] | None:
    line = paragraph.of(text)
    names = list(_NAME.finditer(line))
    if len(names) < 2 or names[0].start() or "\n" in line.strip():
        return None
    ends = [name.start() - len("; ") for name in names[1:]] + [len(line.rstrip())]
    return [
        _Cell(
            Span(name.end(), end).shifted(paragraph.start),
            set(terms(name[1])),
            set(terms(line[name.end() : end])),
        )
        for name, end in zip(names, ends, strict=True)
        if name.end() < end
    ]
