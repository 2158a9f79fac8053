"""Writes the PDF files of the sample corpus from their plain-text sources.

Run `python data/make_pdfs.py`: every `data/pdf/**/*.txt` becomes the PDF of the same relative path
under `data/corpus`. It needs fpdf2, which comes with the `dev` extra. The bytes depend on the
source and on fpdf2's version alone: fixed dates, no compression, a core font that needs no file.

A source is a header of `name: value` lines (title, author, subject, date), a blank line, and
blocks that blank lines separate:

    # Heading            ## Smaller heading        === (a new page)
    - list items, one a line
    | table | rows, the first of them the table's head |
    anything else is a paragraph, however its lines are broken
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import XPos, YPos

DATA = Path(__file__).parent
WRITTEN_WITH = "2.8.9"
"""The version of fpdf2 that wrote the committed files; another may write other bytes."""

_LINE = 5.2
_GAP = 3.4


class _Page(FPDF):
    """A4 pages with their number at the foot."""

    def footer(self) -> None:
        self.set_y(-15)
        self.set_font("Helvetica", size=8)
        self.cell(0, 8, f"Page {self.page_no()}", align="C")


def render(source: str) -> bytes:
    """The PDF for one source text."""
    header, _, body = source.partition("\n\n")
    fields = dict(line.split(": ", 1) for line in header.splitlines())
    page = _Page(format="A4")
    page.set_compression(False)
    page.set_producer("fpdf2")
    page.set_creation_date(datetime.fromisoformat(fields["date"]).replace(tzinfo=UTC))
    page.set_title(fields["title"])
    page.set_author(fields["author"])
    page.set_subject(fields["subject"])
    page.set_lang("en")
    page.set_margins(24, 22)
    page.set_auto_page_break(True, margin=24)
    page.add_page()
    _lines(page, fields["title"], style="B", size=20, height=9)
    for block in filter(None, (part.strip() for part in body.split("\n\n"))):
        _block(page, block)
    return bytes(page.output())


def _block(page: FPDF, block: str) -> None:
    if block == "===":
        page.add_page()
    elif block.startswith("## "):
        _heading(page, block.removeprefix("## "), size=12)
    elif block.startswith("# "):
        _heading(page, block.removeprefix("# "), size=15)
    elif block.startswith("- "):
        _list(page, block)
    elif block.startswith("| "):
        _table(page, block)
    else:
        _lines(page, " ".join(block.split()))


def _heading(page: FPDF, text: str, size: int) -> None:
    if page.will_page_break(28):  # a heading never stands alone at the foot of a page
        page.add_page()
    page.ln(_GAP)
    _lines(page, text, style="B", size=size, height=7)


def _lines(
    page: FPDF, text: str, style: str = "", size: int = 11, height: float = _LINE, gap: float = _GAP
) -> None:
    page.set_font("Helvetica", style, size)
    page.multi_cell(0, height, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    page.ln(gap)


def _list(page: FPDF, block: str) -> None:
    for line in block.splitlines():
        _lines(page, line, gap=1.2)
    page.ln(_GAP)


def _table(page: FPDF, block: str) -> None:
    page.set_font("Helvetica", size=10)
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in block.splitlines()]
    with page.table(rows, line_height=6.4, text_align="LEFT"):
        pass
    page.ln(_GAP)


def main() -> None:
    """Write every PDF."""
    for source in sorted((DATA / "pdf").rglob("*.txt")):
        target = DATA / "corpus" / source.relative_to(DATA / "pdf").with_suffix(".pdf")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(render(source.read_text("utf-8")))


if __name__ == "__main__":
    main()
