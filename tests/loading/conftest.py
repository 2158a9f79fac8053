"""What the tests of loading share: one child process, and PDFs made on the spot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from fpdf import FPDF

from rag.loading.parser import Parser


@pytest.fixture(scope="session")
def parser() -> Iterator[Parser]:
    with Parser() as shared:
        yield shared


@pytest.fixture(scope="session")
def make_pdf() -> Callable[..., bytes]:
    """Makes a PDF of pages that are lists of paragraphs; `# ` before one makes it a heading."""

    def make(*pages: Sequence[str]) -> bytes:
        pdf = FPDF()
        pdf.set_title("Untitled")
        for page in pages:
            pdf.add_page()
            for paragraph in page:
                heading = paragraph.startswith("# ")
                pdf.set_font("Helvetica", size=18 if heading else 11)
                words = paragraph.removeprefix("# ")
                pdf.multi_cell(0, 9 if heading else 6, words, new_x="LMARGIN", new_y="NEXT")
                pdf.ln(4)
        return bytes(pdf.output())

    return make
