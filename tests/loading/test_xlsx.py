"""XLSX, from workbooks that openpyxl writes here."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from rag.errors import FileRefused, TooLarge, UnsupportedFormat
from rag.loading.formats import parse
from rag.loading.parser import Parser
from rag.types import Parsed
from tests.loading.texts import blocks

Change: TypeAlias = Callable[[str, bytes], bytes | None]


def saved(book: Workbook, change: Change | None = None) -> bytes:
    """A workbook as a file; `change` may give each of its parts another content, or take it out."""
    file = io.BytesIO()
    book.save(file)
    if change is None:
        return file.getvalue()
    changed = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return changed.getvalue()


def book_of(*rows: list[Any], title: str = "Rates") -> Workbook:
    book = Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    return book


def read(book: Workbook) -> Parsed:
    return parse("a.xlsx", saved(book))


_words = st.text(st.sampled_from("abcé <&'\n\u00a0\U0001f600"), max_size=20)
_cells = st.one_of(
    st.none().map(lambda _: (None, "")),
    st.integers(-(10**9), 10**9).map(lambda value: (value, str(value))),
    st.booleans().map(lambda value: (value, str(value).upper())),
    st.dates(date(1901, 1, 1), date(2999, 1, 1)).map(lambda value: (value, value.isoformat())),
    _words.map(lambda words: (f"x{words}z", " ".join(f"x{words}z".split()))),
)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.integers(2, 5), st.lists(st.lists(_cells, min_size=4, max_size=4), max_size=6)
        ),
        min_size=1,
        max_size=3,
    )
)
def test_every_row_arrives_once_and_in_order(
    sheets: list[tuple[int, list[list[tuple[Any, str]]]]],
) -> None:
    book, expected = Workbook(), []
    for number, (width, rows) in enumerate(sheets):
        sheet = book.create_sheet(f"Sheet {number}")
        names = ["Name of a", "Name of b", "Name of c", "Name of d", "Name of e"][:width]
        sheet.append(names)
        sheet.append([f"s{number}", *["and"] * (width - 1)])
        expected += [f"Sheet {number}", "; ".join(
            f"{name}: {value}"
            for name, value in zip(names, [f"s{number}", *["and"] * width], strict=False)
        )]  # fmt: skip
        for count, row in enumerate(rows):
            cells = [(f"r{number}.{count}", f"r{number}.{count}"), *row][:width]
            sheet.append([value for value, _ in cells])
            given = zip(names, (shown for _, shown in cells), strict=True)
            expected.append("; ".join(f"{name}: {shown}" for name, shown in given if shown))
    assert blocks(read(book)) == expected


def test_sheets_are_headings_hidden_ones_too() -> None:
    book = book_of(["item", "price"], ["probe", 35])
    book.create_sheet("Empty")
    hidden = book.create_sheet("Hidden")
    hidden.sheet_state = "veryHidden"
    hidden.append(["who", "year"])
    hidden.append(["Ada", 1815])
    hidden.row_dimensions[2].hidden = True
    parsed = read(book)
    assert blocks(parsed) == ["Rates", "item: probe; price: 35", "Hidden", "who: Ada; year: 1815"]
    assert [(h.level, h.text) for h in parsed.headings] == [(1, "Rates"), (1, "Hidden")]
    assert parsed.loader == "xlsx/1"


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        (5.0, "General", "5"),
        (0.1 + 0.2, "General", "0.3"),
        (-2.5, "General", "-2.5"),
        (1234.5, "0.00", "1234.50"),
        (1234.5, "#,##0.00", "1,234.50"),
        (1234567, "#,##0", "1,234,567"),
        (2.5, "0", "3"),
        (-0.2, "0", "0"),
        (0.125, "0%", "13%"),
        (0.125, "0.0%", "12.5%"),
        (0.07, '0.0 "of all"', "0.07"),
        (True, "General", "TRUE"),
        (date(2024, 3, 5), "DD.MM.YY", "2024-03-05"),
        (datetime(2024, 3, 5), "DD.MM.YY hh:mm", "2024-03-05"),
        (datetime(2024, 3, 5, 9, 30), "DD.MM.YY hh:mm", "2024-03-05 09:30"),
        (datetime(2024, 3, 5, 9, 30, 7), "DD.MM.YY hh:mm", "2024-03-05 09:30:07"),
        (time(9, 30), "hh:mm", "09:30"),
        (timedelta(hours=30, minutes=5), "[h]:mm", "30:05"),
        ("two\n\nlines", "General", "two lines"),
    ],
)
def test_values_are_shown_as_the_program_shows_them(
    value: object, number_format: str, shown: str
) -> None:
    book = book_of(["name", "value"], ["it", value])
    book.active["B2"].number_format = number_format
    assert blocks(read(book)) == ["Rates", f"name: it; value: {shown}"]


def in_sheet(change: Callable[[bytes], bytes | None]) -> Change:
    return lambda name, content: change(content) if "sheet1.xml" in name else content


def test_formulas_are_read_by_their_stored_results() -> None:
    def compute(content: bytes) -> bytes:
        return re.sub(rb"<f>1\+1</f><v ?/>|<f>1\+1</f><v></v>", b"<f>1+1</f><v>2</v>", content)

    book = book_of(["name", "sum"], ["both", "=1+1"], ["never computed", "=2+2"])
    parsed = parse("a.xlsx", saved(book, in_sheet(compute)))
    assert blocks(parsed)[1:] == ["name: both; sum: 2", "name: never computed"]


def test_a_merged_cell_has_its_words_once() -> None:
    book = book_of(["a", "b", "c"], ["x", "wide", None], ["y", "tall", "z"], ["w", None, "v"])
    book.active.merge_cells("B2:C2")
    book.active.merge_cells("B3:B4")
    assert blocks(read(book))[1:] == ["a: x; b: wide", "a: y; b: tall; c: z", "a: w; c: v"]


def test_titles_and_gaps_around_a_table() -> None:
    book = book_of([], ["Rates of 2024"], [], [None, "item", "price"], [None, "probe", 35], [])
    book.active.append([None, "boat", 200])
    assert blocks(read(book)) == [
        "Rates", "Rates of 2024", "item: probe; price: 35", "item: boat; price: 200",
    ]  # fmt: skip


def test_cells_at_the_end_of_the_sheet_cost_little(parser: Parser) -> None:
    book = book_of(["item", "price"])
    book.active["B1000000"] = "far down"
    book.active["XFD3"] = "far right"
    assert blocks(parser.parse("a.xlsx", saved(book)))[-1] == "price: far down"


def test_title_and_day_come_from_the_properties() -> None:
    book = book_of(["a", "b"], ["x", 1])
    book.properties.title = "Rates  of 2024"
    core = "docProps/core.xml"

    def changed(name: str, content: bytes) -> bytes:
        modified = rb"(<dcterms:modified[^>]*>)[^<]*"
        return re.sub(modified, rb"\g<1>2024-03-05T09:00:00Z", content) if name == core else content

    parsed = parse("a.xlsx", saved(book, changed))
    assert (parsed.title, parsed.date) == ("Rates of 2024", "2024-03-05")
    bare = parse("a.xlsx", saved(book, lambda n, c: None if n == core else c))
    assert (bare.title, bare.date) == (None, None)


def test_a_workbook_without_a_word_is_refused() -> None:
    with pytest.raises(FileRefused, match="its cells are empty"):
        read(Workbook())


_ENTITY = b'<!DOCTYPE x [<!ENTITY a "boom"><!ENTITY f SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    "change",
    [
        in_sheet(lambda content: content[: len(content) // 2]),
        in_sheet(lambda _: None),
        in_sheet(lambda content: content.replace(b'r="A1"', b'r="?"')),
        in_sheet(lambda content: content.replace(b"<worksheet", _ENTITY + b"<worksheet", 1)),
        in_sheet(lambda _: _ENTITY + b"<worksheet>&a;&f;</worksheet>"),
        lambda name, content: None if name == "xl/workbook.xml" else content,
    ],
)
def test_a_damaged_or_hostile_workbook_is_refused(change: Change) -> None:
    with pytest.raises(FileRefused):
        parse("a.xlsx", saved(book_of(["a", "b"], ["x", 1]), change))


def test_a_workbook_that_swells_is_refused_before_it_is_read(parser: Parser) -> None:
    swell = in_sheet(lambda content: content.replace(b"<v>1</v>", b"<v>1</v>" + b" " * 60_000_000))
    with pytest.raises(TooLarge):
        parser.parse("a.xlsx", saved(book_of(["a", "b"], ["x", 1]), swell))
    assert parser.parse("a.xlsx", saved(book_of(["a", "b"], ["x", 1]))).text.endswith("a: x; b: 1")


@pytest.mark.parametrize("data", [b"a,b\n1,2\n", b"PK\x03\x04"])
def test_what_is_no_workbook_is_refused(data: bytes) -> None:
    with pytest.raises(FileRefused):
        parse("a.xlsx", data)


def test_another_container_is_no_workbook() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    with pytest.raises(UnsupportedFormat, match=r"the content is no \.xlsx"):
        parse("a.xlsx", file.getvalue())
