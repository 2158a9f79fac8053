"""What pages of a PDF hold beside paragraphs: furniture, columns, tables, outlines, turned text."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import pytest
from fpdf import FPDF
from fpdf.fonts import FontFace
from pypdf import PdfReader, PdfWriter

from rag.loading.formats import parse
from rag.types import Document, Origin, Parsed
from tests.loading.texts import blocks

PROSE = "Employees book trains for trips under four hours and may book flights for longer ones. "
FIRST, SECOND = (PROSE * 3).strip(), (PROSE.replace("trains", "ships") * 3).strip()
MakePdf = Callable[..., bytes]


def read(data: bytes) -> Parsed:
    return parse("a.pdf", data)


class Printed(FPDF):
    """Pages with words at their head and foot, by page number."""

    def __init__(self, heads: Sequence[str], feet: Sequence[str]) -> None:
        super().__init__()
        self._heads, self._feet = heads, feet
        self.set_margin(25)

    def header(self) -> None:
        self._furnish(12, self._heads)
        self.set_y(30)

    def footer(self) -> None:
        self._furnish(-12, self._feet)

    def _furnish(self, y: float, words: Sequence[str]) -> None:
        self.set_font("Helvetica", size=9)
        self.set_y(y)
        if self.page_no() <= len(words):
            self.cell(0, 5, words[self.page_no() - 1], align="C")


def printed(
    *pages: Sequence[str], heads: Sequence[str] = (), feet: Sequence[str] = ()
) -> list[str]:
    pdf = Printed(heads, feet)
    for page in pages:
        pdf.add_page()
        pdf.set_font("Helvetica", size=11)
        for paragraph in page:
            pdf.multi_cell(0, 6, paragraph, new_x="LMARGIN", new_y="NEXT")
            pdf.ln(4)
    return blocks(read(bytes(pdf.output())))


OWN = [[f"Page of {name}.", FIRST.replace("hours", name)] for name in ("Ada", "Bob", "Cy", "Di")]
ALL = [paragraph for page in OWN for paragraph in page]


@pytest.mark.parametrize(
    "feet",
    [
        ["Page 1", "Page 2", "Page 3", "Page 4"],
        ["1 / 4", "2 / 4", "3 / 4", "4 / 4"],
        ["i", "ii", "iii", "iv"],
        ["- 9 -", "- 10 -", "- 11 -", "- 12 -"],
        ["", "2", "3", "4"],
        ["Draft", "Draft", "Draft", "Draft"],
        ["Survey", "Chapter 1", "Survey", "Chapter 2"],
    ],
)
def test_what_most_pages_have_at_the_same_height_is_no_text(feet: list[str]) -> None:
    assert printed(*OWN, feet=feet) == ALL
    assert printed(*OWN, heads=feet) == ALL


def test_what_one_page_alone_has_is_text() -> None:
    assert printed(OWN[0], heads=["Report"], feet=["Page 1"]) == ["Report", *OWN[0], "Page 1"]
    alone = printed(*OWN, feet=["See the annex.", "Page 2", "Page 3", "Page 4"])
    assert alone == [*OWN[0], "See the annex.", *ALL[2:]]


@pytest.mark.parametrize(
    "feet",
    [
        ["Total 45", "Total 12", "Total 99", "Total 7"],  # numbers that don't count pages
        ["Page 1", "", "", "Page 4"],  # half of the pages, not most
        ["one", "two", "three", "four"],
    ],
)
def test_what_only_looks_like_furniture_stays(feet: list[str]) -> None:
    expected = [
        text for page, foot in zip(OWN, feet, strict=True) for text in [*page, foot] if text
    ]
    assert printed(*OWN, feet=feet) == expected


def test_pages_that_are_all_alike_keep_their_text() -> None:
    pages = [["Form 7.", FIRST, "Name and date below."]] * 4
    assert printed(*pages) == pages[0] * 4


def test_a_paragraph_goes_on_over_a_page_and_each_half_has_its_page() -> None:
    pdf = Printed(["Handbook"] * 9, [f"Page {n}" for n in range(1, 9)])
    pdf.add_page()
    pdf.set_font("Helvetica", size=11)
    long = " ".join(f"Sentence {n} says what number {n} is." for n in range(300))
    pdf.multi_cell(0, 6, long)
    parsed = read(bytes(pdf.output()))
    assert blocks(parsed) == [long]
    assert len(parsed.pages) == 4
    assert all(0 < start < len(long) for start in parsed.pages[1:])
    origin = Origin("", "", "", "", "", None, None, "", "", "")
    document = Document(origin, parsed.text, pages=parsed.pages)
    for number, page in enumerate(PdfReader(io.BytesIO(bytes(pdf.output()))).pages, start=1):
        words = page.extract_text().replace("\n", " ").split("Sentence ")[2].split()[0]
        assert document.page_at(parsed.text.index(f"Sentence {words} says")) == number


def test_headings_over_two_columns_part_them() -> None:
    pdf = FPDF()
    pdf.add_page()
    expected = []
    for number in range(2):
        pdf.set_font("Helvetica", "B", 20)
        title = f"Part {number} of the report on everything that was surveyed"
        pdf.cell(0, 12, title, new_x="LMARGIN", new_y="NEXT")
        pdf.set_font("Helvetica", size=10)
        top = pdf.get_y()
        for column in range(2):
            pdf.set_xy(10 + 100 * column, top)
            pdf.multi_cell(90, 5, f"Column {number} {column}. {FIRST}")
        pdf.set_xy(10, pdf.get_y() + 15)
        expected += [title, f"Column {number} 0. {FIRST}", f"Column {number} 1. {FIRST}"]
    assert blocks(read(bytes(pdf.output()))) == expected


def table(rows: Sequence[Sequence[str]], layout: str = "ALL", head: bool = True) -> list[str]:
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", size=10)
    pdf.multi_cell(0, 6, FIRST, new_x="LMARGIN", new_y="NEXT")
    style = FontFace(emphasis="BOLD" if head else None)
    with pdf.table(rows, borders_layout=layout, headings_style=style, text_align="LEFT"):
        pass
    pdf.ln(6)
    pdf.multi_cell(0, 6, SECOND)
    first, *found, last = blocks(read(bytes(pdf.output())))
    assert (first, last) == (FIRST, SECOND)
    return found


TABLE = [["Boat", "Wind", "Waves"], ["Teal, outside the bar", "15 knots", ""],
         ["Launch that has a name which takes more than one line", "9 knots", "1 m"]]  # fmt: skip
ROWS = [
    "Boat: Teal, outside the bar; Wind: 15 knots",
    "Boat: Launch that has a name which takes more than one line; Wind: 9 knots; Waves: 1 m",
]


@pytest.mark.parametrize("layout", ["ALL", "INTERNAL"])
@pytest.mark.parametrize("head", [True, False])
def test_a_ruled_table_is_rows_that_name_their_columns(layout: str, head: bool) -> None:
    assert table(TABLE, layout, head) == ROWS


def test_two_columns_of_names_and_words_name_nothing() -> None:
    rows = [["Name", "Ada Lovelace"], ["Born in", "London"], ["Work", "notes"]]
    assert table(rows, head=False) == ["Name | Ada Lovelace", "Born in | London", "Work | notes"]


def test_clearly_aligned_parts_are_a_table_without_rules() -> None:
    rows = [
        ["Level", "Days", "Cost"],
        ["White", "12", "40"],
        ["Amber", "7", "55"],
        ["Red", "1", "9"],
    ]
    assert table(rows, "NONE") == [
        "Level: White; Days: 12; Cost: 40",
        "Level: Amber; Days: 7; Cost: 55",
        "Level: Red; Days: 1; Cost: 9",
    ]


def test_a_table_that_goes_on_keeps_the_names_of_its_columns() -> None:
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", size=10)
    rows = [["Year", "Storms", "Place"], *([str(1900 + n), str(n), "Skarn"] for n in range(60))]
    with pdf.table(rows, repeat_headings=0):
        pass
    found = blocks(read(bytes(pdf.output())))
    assert found == [f"Year: {1900 + n}; Storms: {n}; Place: Skarn" for n in range(60)]


def test_entries_of_a_table_of_contents_stand_alone_with_their_page() -> None:
    entries = [f"{n}. On ships and rails {'. ' * 40}{n * 7}" for n in range(1, 4)]
    assert printed(["Wait ....", *entries]) == [
        "Wait ....",
        "1. On ships and rails | 7",
        "2. On ships and rails | 14",
        "3. On ships and rails | 21",
    ]


def test_the_outline_names_headings_where_their_words_stand() -> None:
    pdf = FPDF()
    pdf.set_font("Helvetica", size=11)
    for name, words in (("Travel", "1. Travel"), ("Money", "2. Money"), ("Missing", "")):
        pdf.add_page()
        pdf.start_section(name)
        pdf.start_section("By ship and by rail", level=1)
        for line in (words, FIRST, "By ship and", "by rail", SECOND):
            pdf.multi_cell(0, 6, line, new_x="LMARGIN", new_y="NEXT")
    parsed = read(bytes(pdf.output()))
    found = [(heading.level, heading.text) for heading in parsed.headings]
    below = (2, "By ship and by rail")
    assert found == [(1, "1. Travel"), below, (1, "2. Money"), below, below]
    assert blocks(parsed)[:4] == ["1. Travel", FIRST, "By ship and by rail", SECOND]


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("drawn", [True, False])
def test_turned_pages_are_read_as_they_are_meant(
    make_pdf: MakePdf, degrees: int, drawn: bool
) -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(make_pdf(["# Travel", FIRST, SECOND]))))
    writer.pages[0].rotate(degrees)
    if drawn:
        writer.pages[0].transfer_rotation_to_content()
    out = io.BytesIO()
    writer.write(out)
    assert blocks(read(out.getvalue())) == ["Travel", FIRST, SECOND]


def test_an_accent_before_its_letter_becomes_one_letter_with_it() -> None:
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", size=11)
    pdf.multi_cell(0, 6, "Niels M\xa8oller, caf\xb4e, 10 \xa8 and \xa8q")
    assert read(bytes(pdf.output())).text == "Niels Möller, café, 10 ¨ and ¨q"


def test_words_up_the_side_of_a_page_stand_after_its_text() -> None:
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", size=11)
    with pdf.rotation(90, 10, 200):
        pdf.text(10, 200, "Found in the archive")
    pdf.multi_cell(0, 6, FIRST)
    assert blocks(read(bytes(pdf.output()))) == [FIRST, "Found in the archive"]
