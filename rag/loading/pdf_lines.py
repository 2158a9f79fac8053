"""The lines of print on a PDF page: their words, and where they stand.

Positions are in the page's own units, 1/72 inch, counted from its lower left corner.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pypdfium2 as pdfium
from pypdfium2 import raw

HYPHEN = "\x02"
"""What pdfium writes for a hyphen that ends a line, the line's end swallowed."""

_CELL_GAP = 1.4  # letter heights between two words; more than this lies between table cells


@dataclass(frozen=True, slots=True)
class Line:
    """One line of print: its words, its box, and what joins it to the next line's words.

    `height` is that of the smaller of its first and last letter, `tallest` that of the larger: a
    footnote's mark must not make a line small, nor a word in another font a heading.
    """

    text: str
    left: float
    right: float
    bottom: float
    height: float
    tallest: float
    row: bool
    glue: str

    @property
    def letter(self) -> float:
        """The mean width of a letter."""
        return (self.right - self.left) / max(1, len(self.text))


def lines(page: pdfium.PdfTextPage) -> Iterator[Line]:
    """The page's lines in the order of its content. Raises `PdfiumError`."""
    codes = [raw.FPDFText_GetUnicode(page.raw, n) for n in range(page.count_chars())]
    characters = [chr(code) if code <= 0x10FFFF else "" for code in codes]
    first = 0
    for last, character in enumerate([*characters, "\n"]):
        if character in ("\r", "\n", HYPHEN):
            inked = [n for n in range(first, last) if characters[n].strip()]
            if inked:
                text = "".join(characters[inked[0] : inked[-1] + 1])
                yield _line(page, inked, text, HYPHEN if character == HYPHEN else " ")
            first = last + 1


def _line(page: pdfium.PdfTextPage, inked: Sequence[int], text: str, glue: str) -> Line:
    left, bottom, right, top = page.get_charbox(inked[0], loose=True)
    _, low, end, high = page.get_charbox(inked[-1], loose=True)
    heights = max(1.0, top - bottom), max(1.0, high - low)
    if text.endswith("\xad") or (text.endswith("-") and text[-2:-1].isalnum()):
        glue = ""
    return Line(
        text,
        left=left,
        right=max(right, end),
        bottom=bottom,
        height=min(heights),
        tallest=max(heights),
        row=_row(page, inked, max(heights)),
        glue=glue,
    )


def _row(page: pdfium.PdfTextPage, inked: Sequence[int], height: float) -> bool:
    """Whether two neighbouring words stand as far apart as only table cells do."""
    for before, after in pairwise(inked):
        if after - before > 1:
            gap = page.get_charbox(after)[0] - page.get_charbox(before)[2]
            if gap > _CELL_GAP * height:
                return True
    return False
