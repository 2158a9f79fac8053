"""DrawingML, the text of shapes: paragraphs with their numbers, and tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from lxml import etree

from rag.loading.formulas import on_one_line
from rag.loading.numerals import letters, roman, whole
from rag.loading.office import ALTERNATIVES, MATHS, chosen
from rag.loading.rendering import raised, single_spaced
from rag.loading.tables import Cell

A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_NUMERALS: Mapping[str, Callable[[int], str]] = {
    "alphaLc": letters,
    "alphaUc": lambda number: letters(number).upper(),
    "arabic": str,
    "romanLc": roman,
    "romanUc": lambda number: roman(number).upper(),
}
_SCHEME = re.compile(r"(\w+?)(Plain|Period|ParenR|ParenBoth)")
_SIGNS = {"Plain": "{}", "Period": "{}.", "ParenR": "{})", "ParenBoth": "({})"}


def text_paragraphs(body: etree._Element | None) -> Iterator[str]:
    """The paragraphs of a text body, blank ones left out; numbered ones with their numbers."""
    counts: dict[int, tuple[str, int]] = {}  # by level: how it counts, and how far it has
    for paragraph in () if body is None else body.iterchildren(A + "p"):
        text = single_spaced("".join(_words(paragraph)))
        if text:
            yield _number(paragraph, counts) + text


def table_grid(table: etree._Element) -> list[list[Cell]]:
    """The rows of a table; a merged cell is the same object in each place that it covers."""
    properties = table.find(A + "tblPr")
    first_row, first_column = (
        properties is not None and properties.get(part) in ("1", "true")
        for part in ("firstRow", "firstCol")
    )
    rows: list[list[Cell]] = []
    for number, tr in enumerate(table.iterchildren(A + "tr")):
        row: list[Cell] = []
        for column, tc in enumerate(tr.iterchildren(A + "tc")):
            if tc.get("hMerge") in ("1", "true") and row:
                row.append(row[-1])
            elif tc.get("vMerge") in ("1", "true") and rows and column < len(rows[-1]):
                row.append(rows[-1][column])
            else:
                text = " ".join(" ".join(text_paragraphs(tc.find(A + "txBody"))).split())
                row.append(Cell(text, (first_row and not number) or (first_column and not column)))
        rows.append(row)
    return rows


def languages(root: etree._Element) -> Iterator[str]:
    """The languages that words are marked with, each as often as it is used."""
    for run in root.iter(A + "r"):
        properties = run.find(A + "rPr")
        if properties is not None and (language := properties.get("lang")):
            yield language


def _words(parent: etree._Element) -> Iterator[str]:
    for element in parent:
        if element.tag in (A + "r", A + "fld"):
            yield _run(element)
        elif element.tag == A + "br":
            yield "\n"
        elif element.tag == MATHS + "oMath":
            yield on_one_line(element)
        elif element.tag != ALTERNATIVES:
            yield from _words(element)
        elif (way := chosen(element)) is not None:
            yield from _words(way)


def _run(run: etree._Element) -> str:
    if run.get("type") == "slidenum":
        return ""
    text = "".join(element.text or "" for element in run.iterchildren(A + "t"))
    properties = run.find(A + "rPr")
    shift = "0" if properties is None else properties.get("baseline", "0")
    is_raised = shift.rstrip("%").isdecimal() and shift.strip("0%")
    return raised(text) if is_raised else text.replace("\v", "\n")


def _number(paragraph: etree._Element, counts: dict[int, tuple[str, int]]) -> str:
    """What stands before a paragraph; counts on, and anew after one without a number."""
    properties = paragraph.find(A + "pPr")
    level = 0 if properties is None else whole(properties.get("lvl"))
    rule = None if properties is None else properties.find(A + "buAutoNum")
    for deeper in [known for known in counts if known > level]:
        del counts[deeper]
    if rule is None:
        counts.pop(level, None)
        return ""
    scheme = rule.get("type", "")
    known, number = counts.get(level, ("", 0))
    number = number + 1 if known == scheme else whole(rule.get("startAt"), 1)
    counts[level] = scheme, number
    parts = _SCHEME.fullmatch(scheme)
    kind, sign = (parts[1], parts[2]) if parts else ("arabic", "Period")
    return _SIGNS[sign].format(_NUMERALS.get(kind, str)(number)) + " "
