from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from fpdf import FPDF
from pypdf import PdfReader, PdfWriter
from pypdf.constants import PageLabelStyle
from pypdf.generic import DictionaryObject, NameObject

from rag.errors import FileRefused, UnsupportedFormat
from rag.loading.formats import parse
from rag.loading.pdf.reader import _by_pypdf
from rag.types import Parsed
from tests.loading.texts import blocks

MakePdf = Callable[..., bytes]
FIRST = (
    "Employees book trains for trips under four hours and may book flights for longer ones. " * 3
)
SECOND = "The desk keeps a list of who is where, which matters when something has gone wrong. " * 2
THIRD = "Nobody flies in business class. Whoever has a doctor's letter may do so all the same. " * 2


def read(data: bytes) -> Parsed:
    return parse("a.pdf", data)


def rewritten(data: bytes, change: Callable[[PdfWriter], object]) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_paragraphs_headings_and_pages(make_pdf: MakePdf) -> None:
    first, second, third = (words.strip() for words in (FIRST, SECOND, THIRD))
    parsed = read(make_pdf(["# Travel", first, second], [], [third, "# Money", first], []))
    assert blocks(parsed) == ["Travel", first, second, third, "Money", first]
    assert parsed.text == "\n\n".join(blocks(parsed))
    assert [(h.level, h.text) for h in parsed.headings] == [(1, "Travel"), (1, "Money")]
    assert [h.span.of(parsed.text) for h in parsed.headings] == ["Travel", "Money"]
    start = parsed.text.index(third)
    assert parsed.pages == (0, start, start, len(parsed.text))
    assert (parsed.title, parsed.page_labels) == ("Travel", ())
    assert parsed.note == "2 of 4 pages have no text: 2, 4"


@pytest.mark.parametrize(
    ("empty", "note"),
    [
        (0, None),
        (1, "1 of 2 pages has no text: 2"),
        (11, "11 of 12 pages have no text: 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …"),
    ],
)
def test_pages_without_text_are_named(make_pdf: MakePdf, empty: int, note: str | None) -> None:
    assert read(make_pdf([FIRST], *[[]] * empty)).note == note


def test_what_the_file_says_about_itself(make_pdf: MakePdf) -> None:
    pdf = FPDF()
    pdf.set_title("Grüße\u200b  an alle")
    pdf.set_lang("de-DE")
    pdf.set_creation_date(datetime(2024, 3, 1, 23, 59, tzinfo=UTC))
    pdf.add_page()
    pdf.set_font("Helvetica", size=11)
    pdf.cell(text="Text")
    parsed = read(bytes(pdf.output()))
    assert (parsed.title, parsed.date, parsed.language) == ("Grüße an alle", "2024-03-01", "de-DE")
    assert read(make_pdf(["Text"])).title is None  # "Untitled" is what a program wrote


def test_page_labels(make_pdf: MakePdf) -> None:
    def label(writer: PdfWriter) -> None:
        writer.set_page_label(0, 1, style=PageLabelStyle.LOWERCASE_ROMAN)
        writer.set_page_label(2, 2, style=PageLabelStyle.DECIMAL, prefix="A-")

    data = rewritten(make_pdf(["a"], ["b"], ["c"]), label)
    assert read(data).page_labels == ("i", "ii", "A-1")


def test_list_items_rows_and_indented_paragraphs_stand_alone() -> None:
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", size=11)
    for item in ("1. Keep the receipts", "2. Claim within thirty days"):
        pdf.multi_cell(0, 5, item, new_x="LMARGIN", new_y="NEXT")
    for cells in (("Probe", "35 euros"), ("Gauge", "20 euros")):
        for cell in cells:
            pdf.cell(60, 5, cell)
        pdf.ln(5)
    pdf.write(5, "      " + FIRST.strip() + "\n      " + SECOND.strip())
    expected = ["1. Keep the receipts", "2. Claim within thirty days", "Probe 35 euros"]
    expected += ["Gauge 20 euros", FIRST.strip(), SECOND.strip()]
    assert blocks(read(bytes(pdf.output()))) == expected


def test_a_footnote_mark_at_the_end_of_a_line_does_not_end_the_paragraph() -> None:
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", size=11)
    pdf.write(
        5, "The allowance for a day away is paid in euros and never in advance to staff abroad"
    )
    pdf.char_vpos = "SUP"
    pdf.write(5, "7")
    pdf.char_vpos = "LINE"
    pdf.write(
        5, " unless the head of department agrees to it in writing before the journey begins."
    )
    (block,) = blocks(read(bytes(pdf.output())))
    assert block.startswith("The allowance")
    assert block.endswith("journey begins.")


def test_one_large_word_makes_no_heading() -> None:
    pdf = FPDF()
    pdf.add_page()
    for size, words in ((11, FIRST), (11, "\n\nIn an emergency call "), (18, "4444")):
        pdf.set_font("Helvetica", size=size)
        pdf.write(5, words)
    assert read(bytes(pdf.output())).headings == ()


def test_columns_are_read_one_after_the_other() -> None:
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", size=11)
    with pdf.text_columns(ncols=2, gutter=10) as columns:
        columns.write(FIRST * 9 + "The end.")
    assert blocks(read(bytes(pdf.output()))) == [" ".join((FIRST * 9 + "The end.").split())]


def test_a_word_broken_by_a_hyphen_is_whole_again(make_pdf: MakePdf) -> None:
    data = make_pdf(["A line that ends in the middle of a long ex-\nample goes on here."])
    assert blocks(read(data)) == ["A line that ends in the middle of a long example goes on here."]


def test_encrypted_is_refused_unless_anybody_may_open_it(make_pdf: MakePdf) -> None:
    data = make_pdf(["Text"])
    closed = rewritten(data, lambda writer: writer.encrypt("secret", algorithm="RC4-128"))
    with pytest.raises(FileRefused, match="encrypted PDF: remove the password and add it again"):
        read(closed)
    owned = rewritten(data, lambda writer: writer.encrypt("", "owner", algorithm="RC4-128"))
    assert read(owned).text == "Text"


@pytest.mark.parametrize(("pages", "words"), [(1, "1 page;"), (3, "3 pages;")])
def test_pictures_of_text_are_refused(make_pdf: MakePdf, pages: int, words: str) -> None:
    with pytest.raises(FileRefused, match=f"no text came out of {words} is it a scan"):
        read(make_pdf(*[[]] * pages))


@pytest.mark.parametrize("percent", [10, 50, 90, 99])
def test_a_broken_copy_is_refused_and_not_read_in_part(make_pdf: MakePdf, percent: int) -> None:
    data = make_pdf(*[[FIRST]] * 5)
    with pytest.raises(FileRefused, match="the end of the PDF is missing"):
        read(data[: len(data) * percent // 100])


def test_another_format_under_this_name_is_refused() -> None:
    with pytest.raises(UnsupportedFormat, match=r"the content is no \.pdf"):
        read(b"PK\x03\x04" + bytes(100))


def test_the_second_library_reads_the_same_words(make_pdf: MakePdf) -> None:
    contents = _by_pypdf(make_pdf(["# Travel", FIRST], [SECOND]))
    found = " ".join(block.text for block in contents.blocks)
    assert found.split() == f"Travel {FIRST} {SECOND}".split()
    assert (contents.pages, [block.page for block in contents.blocks]) == (2, [0, 1])


def test_what_neither_library_reads_is_damaged(make_pdf: MakePdf) -> None:
    def cycle(writer: PdfWriter) -> None:
        pages = writer.root_object["/Pages"]
        assert isinstance(pages, DictionaryObject)
        pages[NameObject("/Kids")] = writer.root_object.raw_get("/Pages")

    with pytest.raises(FileRefused):
        read(rewritten(make_pdf(["Text"]), cycle))
