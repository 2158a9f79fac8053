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


def answerable(question: str, hits: Sequence[Hit]) -> list[Places]:
    """Where an answer to the question may stand in each hit's passage.

    Prose may answer anywhere. Of all rows only those may that share most of the question's words;
    of these the values under a column that the question names, else every value, and never one
    that the question itself holds.
    """
    asked = set(question_terms(question))
    cut = [_cut(hit) for hit in hits]
    rows = [cells for passage in cut for _, cells in passage if cells is not None]
    most = max((_shared(cells, asked) for cells in rows), default=0)
    return [_places(passage, asked, most) for passage in cut]


def _places(
    passage: Sequence[tuple[Span, list[_Cell] | None]], asked: Set[str], most: int
) -> Places:
    spans: list[Span] = []
    values: list[Span] = []
    for paragraph, cells in passage:
        if cells is None:
            spans.append(paragraph)
        elif _shared(cells, asked) == most:
            values += (found := _values(cells, asked))
            spans += found
    return Places(spans, frozenset(values))


def _cut(hit: Hit) -> list[tuple[Span, list[_Cell] | None]]:
    """The paragraphs of a hit's passage, each with its cells if it is a row."""
    paragraphs = (p.shifted(-hit.passage.span.start) for p in hit.passage.paragraphs)
    return [(paragraph, _cells(hit.passage.text, paragraph)) for paragraph in paragraphs]


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


def _shared(cells: Sequence[_Cell], asked: Set[str]) -> int:
    """How many of the question's words the values hold: names of columns are every row's."""
    return len(asked & {word for cell in cells for word in cell.words})


def _values(cells: Sequence[_Cell], asked: Set[str]) -> list[Span]:
    unsaid = [cell for cell in cells if not cell.words or not cell.words <= asked]
    named = [cell for cell in unsaid if cell.name & asked]
    return [cell.value for cell in named or unsaid]
