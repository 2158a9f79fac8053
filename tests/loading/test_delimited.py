"""CSV and TSV."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import FileRefused, TooLarge, UnsupportedFormat
from rag.loading.formats import parse
from rag.loading.limits import Limits
from rag.loading.parser import Parser
from rag.text import paragraphs


def read(text: str, name: str = "a.csv") -> list[str]:
    parsed = parse(name, text.encode())
    assert parsed.loader == "csv/1"
    found = [span.of(parsed.text) for span in paragraphs(parsed.text)]
    assert "\n\n".join(found) == parsed.text
    return found


_words = st.text(st.sampled_from("abcé \",;|\t\n\r'&:\U0001f600"), max_size=20)


@st.composite
def _tables(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A file, and the lines that it must come out as; a number makes each of them unique."""
    delimiter = draw(st.sampled_from(",;\t|"))
    width = draw(st.integers(2, 6))
    names = [f"Name of {letter}" for letter in "abcdef"[:width]]
    cell = st.one_of(st.just(""), _words.map(lambda words: f"x{words}z"))
    rows = [
        [f"r{number}", *draw(st.lists(cell, min_size=width - 1, max_size=width - 1))]
        for number in range(draw(st.integers(1, 8)))
    ]
    file = io.StringIO()
    ends = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator=ends)
    writer.writerows([names, *rows])
    lines = []
    for row in rows:
        values = zip(names, (" ".join(value.split()) for value in row), strict=True)
        lines.append("; ".join(f"{name}: {value}" for name, value in values if value))
    return file.getvalue(), lines


@settings(deadline=None)
@given(_tables(), st.sampled_from(["a.csv", "a.tsv"]))
def test_every_row_arrives_once_and_in_order(table: tuple[str, list[str]], name: str) -> None:
    text, expected = table
    assert read(text, name) == expected


@pytest.mark.parametrize("delimiter", list(",;\t|"))
def test_the_delimiter_is_told_from_the_content(delimiter: str) -> None:
    rows = [["room", "seats", "note"], ["Elm", "12", "by the door"], ["Oak", "40", ""]]
    text = "\n".join(delimiter.join(row) for row in rows)
    expected = ["room: Elm; seats: 12; note: by the door", "room: Oak; seats: 40"]
    assert read(text) == read(text, "a.tsv") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("item;price\nchair;1,50\ntable;22,00", ["item: chair; price: 1,50", "item: table; "
                                                 "price: 22,00"]),
        ("1,5;2,5\n3,5;4,5\n2,1;9,9", ["Column 1: 1,5; Column 2: 2,5", "Column 1: 3,5; Column 2: "
                                       "4,5", "Column 1: 2,1; Column 2: 9,9"]),
        ("who;likes\nAda;tea, milk\nBob;cake, pie", ["who: Ada; likes: tea, milk",
                                                     "who: Bob; likes: cake, pie"]),
        ("who\tnote\nSmith, J\tx;y|z\nLee, K\tx;y|z", ["who: Smith, J; note: x;y|z",
                                                       "who: Lee, K; note: x;y|z"]),
        ('who, why\nAda, "tea, milk"\nBob, "cake"', ["who: Ada; why: tea, milk",
                                                     "who: Bob; why: cake"]),
        ("sep=;\na;b\nx;1", ["a: x; b: 1"]),
    ],
)  # fmt: skip
def test_commas_and_semicolons_inside_cells_part_none(text: str, expected: list[str]) -> None:
    assert read(text) == expected


def test_prose_is_one_column() -> None:
    lines = ["One sentence, with a comma.", "And another one.", "A third; the last."]
    assert read("\n".join(lines)) == lines


@pytest.mark.parametrize(
    ("first", "is_header"),
    [
        ("name,age,city", True),
        ("Country,2019,2020", True),
        (",age,city", True),
        ("How old are you?,Age,Where do you live?", True),
        ("Bea,33,Bonn", False),
        ("Bea,n/a,Rome", False),
        ("bea@example.org,,", False),
    ],
)
def test_the_first_row_names_the_columns_unless_it_is_like_the_others(
    first: str, is_header: bool
) -> None:
    given = f"{first}\nAda,36.5,Rome\nada@example.org,41.5,Paris\neve@example.org,1.5,Oslo"
    assert len(read(given)) == (3 if is_header else 4)
    assert read(given)[-1].startswith("Column 1: eve") is not is_header


def test_titles_above_the_names_stay_and_name_nothing() -> None:
    text = "Sales of 2024,,,\nAll in euros,,,\n,,,\nRegion:,Q1,Q2,Q3\nNorth,1,2,3\nSouth,4,,6\n"
    assert read(text) == [
        "Sales of 2024",
        "All in euros",
        "Region: North; Q1: 1; Q2: 2; Q3: 3",
        "Region: South; Q1: 4; Q3: 6",
    ]


def test_rows_that_begin_with_a_name_of_their_own() -> None:
    text = "Our room,,\nName:,Elm,\nSeats:,12,with beamer\nNote:,,\nPhone:,x,\n"
    assert read(text) == ["Our room", "Name: Elm", "Seats: 12 | with beamer", "Note:", "Phone: x"]


def test_a_row_of_another_length_keeps_all_its_cells() -> None:
    assert read("a,b\n1,2,more\n3\n\n4,5\n") == ["a: 1; b: 2; more", "a: 3", "a: 4; b: 5"]


def test_line_breaks_in_a_quoted_cell_end_no_row() -> None:
    text = 'q,a\r\n"How\r\n\r\nlong?","28 ""days"""\r\nWho?,me\r\n'
    assert read(text) == ['q: How long?; a: 28 "days"', "q: Who?; a: me"]


def test_a_quote_that_is_never_closed_is_a_character_like_any_other() -> None:
    assert read('size\tqty\n"5 inch\t1\n3"\t2\n"x\t3') == [
        'size: "5 inch; qty: 1',
        'size: 3"; qty: 2',
        'size: "x; qty: 3',
    ]


def test_a_cell_of_megabytes_and_a_row_of_thousands(parser: Parser) -> None:
    cell = "word " * 400_000
    assert parser.parse("a.csv", f'a,b\n1,"{cell}"'.encode()).text == f"a: 1; b: {cell.strip()}"
    wide = ",".join(f"c{n}" for n in range(20_000))
    text = parser.parse("a.csv", f"{wide}\n{','.join(['v'] * 20_000)}".encode()).text
    assert text.count("; ") == 19_999
    assert text.endswith("c19999: v")


def test_a_table_that_swells_beyond_the_limits_is_refused() -> None:
    name = "x" * 199
    data = "\n".join([f"{name},{name}y", *["1,2"] * 3_000]).encode()
    with Parser(Limits(output_chars=1_000_000)) as parser:
        with pytest.raises(TooLarge, match="more than 1,000,000 characters; split it"):
            parser.parse("a.csv", data)
        assert parser.parse("a.csv", b"a,b\nx,1").text == "a: x; b: 1"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings_of_spreadsheets(encoding: str) -> None:
    text = "Größe;Preis\n" + "für Mädchen;5\nfür Jungen schön;7\n" * 3
    assert parse("a.csv", text.encode(encoding)).text.startswith("Größe: für Mädchen; Preis: 5\n\n")


@pytest.mark.parametrize("data", [b",,,\n,,,\n", b'"",""\n'])
def test_a_table_without_a_word_is_refused(data: bytes) -> None:
    with pytest.raises(FileRefused, match="all of its cells are empty"):
        parse("a.csv", data)


def test_binary_content_is_refused() -> None:
    with pytest.raises(UnsupportedFormat, match=r"the content is no \.csv"):
        parse("a.csv", b"PK\x03\x04\0\0")
