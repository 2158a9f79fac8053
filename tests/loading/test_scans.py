"""Pictures of text in a PDF: left unread and told, or read by tesseract where it is installed."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from fpdf import FPDF

from rag.errors import FileRefused
from rag.loading import ocr
from rag.loading.formats import parse
from rag.loading.parser import Parser
from tests.loading.texts import blocks

FIRST = "The ferry to the island leaves at seven every morning of the week."
SECOND = "Nobody may take a bicycle along without paying for it at the counter beforehand."
MakePdf = Callable[..., bytes]

needs_tesseract = pytest.mark.skipif(
    shutil.which("tesseract") is None, reason="needs tesseract: install tesseract-ocr"
)


def scanned(*pages: Sequence[str], text: str = "") -> bytes:
    """A PDF of pictures of pages; with `text` a last page that has words."""
    pdf = FPDF()
    for page in pages:
        words = FPDF()
        words.add_page()
        words.set_font("Helvetica", size=14)
        for paragraph in page:
            words.multi_cell(0, 8, paragraph, new_x="LMARGIN", new_y="NEXT")
            words.ln(12)
        with pdfium.PdfDocument(bytes(words.output())) as document:
            picture = document[0].render(scale=2).to_pil()
        pdf.add_page()
        pdf.image(picture, x=0, y=0, w=pdf.w)
    if text:
        pdf.add_page()
        pdf.set_font("Helvetica", size=11)
        pdf.multi_cell(0, 6, text)
    return bytes(pdf.output())


@pytest.fixture
def wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "languages", "eng")


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Puts a script in the place of tesseract."""

    def put(script: str) -> None:
        file = tmp_path / "tesseract"
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    return put


def row(paragraph: int, line: int, confidence: float, word: str) -> str:
    return f"5\t1\t1\t{paragraph}\t{line}\t1\t0\t0\t9\t9\t{confidence}\t{word}"


TABLE = "\n".join(
    ["level\tpage_num", "4\t1\t1\t1\t1\t0\t0\t0\t9\t9\t-1\t",
     row(1, 1, 90, "The"), row(1, 1, 95, "exam-"),
     row(1, 2, 85, "ple"), row(1, 2, 90, "well-"), row(1, 3, 90, "known"), row(2, 1, 50, "Next")]
)  # fmt: skip


@pytest.mark.usefixtures("wanted")
def test_words_of_the_program_become_paragraphs_and_its_confidence_is_told(
    program: Callable[[str], None],
) -> None:
    program(f"cat > /dev/null; cat <<'END'\n{TABLE}\nEND")
    parsed = parse("a.pdf", scanned([FIRST], [SECOND], text="Here are words."))
    page = ["The example well-known", "Next"]
    assert blocks(parsed) == [*page, *page, "Here are words."]
    assert parsed.pages == (0, 30, 60)
    # 3, 5, 3, 5 and 5 letters, and 4 of the word that is unsure: 2,070 / 25
    assert parsed.note == "2 of 3 pages were read by OCR, 84 % sure: 1, 2"


@pytest.mark.usefixtures("wanted")
@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exit 1", "tesseract failed; does it have RAG_OCR=eng? install its data"),
        ("cat > /dev/null", None),
        ("kill -9 $$", "tesseract failed; does it have RAG_OCR=eng? install its data"),
    ],
)
def test_a_page_that_stays_unread_is_told_with_the_reason(
    program: Callable[[str], None], script: str, why: str | None
) -> None:
    program(script)
    parsed = parse("a.pdf", scanned([FIRST], text="Here are words."))
    assert parsed.text == "Here are words."
    assert parsed.note == "1 of 2 pages has no text: 1" + (f"; {why}" if why else "")


@pytest.mark.usefixtures("wanted")
def test_a_missing_program_is_told_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = "the program tesseract is missing: install tesseract-ocr"
    with pytest.raises(FileRefused, match=f"no text came out of 1 page; {missing}"):
        parse("a.pdf", scanned([FIRST]))
    note = parse("a.pdf", scanned([FIRST], text="Here are words.")).note
    assert note == f"1 of 2 pages has no text: 1; {missing}"


def test_nothing_is_run_unless_it_is_wanted(program: Callable[[str], None]) -> None:
    program(f"cat <<'END'\n{TABLE}\nEND")
    with Parser() as parser, pytest.raises(FileRefused, match="is it a scan"):
        parser.parse("a.pdf", scanned([FIRST]))
    with Parser(ocr="eng") as parser:
        assert parser.parse("a.pdf", scanned([FIRST])).text == "The example well-known\n\nNext"


@needs_tesseract
def test_pages_that_are_pictures_are_read_by_the_real_program() -> None:
    with Parser(ocr="eng") as parser:
        parsed = parser.parse("a.pdf", scanned([FIRST, SECOND], text="Here are words."))
    assert blocks(parsed) == [FIRST, SECOND, "Here are words."]
    assert parsed.note is not None
    assert parsed.note.startswith("1 of 2 pages was read by OCR, 9")
