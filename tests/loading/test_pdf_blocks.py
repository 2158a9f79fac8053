from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from rag.loading.pdf.blocks import PAGE, Block, blocks
from rag.loading.pdf.headings import levels
from rag.loading.pdf.hyphens import Hyphens
from rag.loading.pdf.lines import HYPHEN, Line
from rag.loading.pdf.spacing import Region

FULL = Line("some words", 50, 500, 0, size=12, first=22)


def column(*lines: Line, page: int = 0, left: float = 0) -> Region:
    """Lines 14 points apart, moved to the right by `left`."""
    return Region(
        page,
        [
            replace(line, base=700 - 14 * n, left=line.left + left, right=line.right + left)
            for n, line in enumerate(lines)
        ],
    )


def texts(*regions: Region) -> list[str]:
    return [block.text for block in blocks(regions)]


def count(*lines: Line) -> int:
    return len(texts(Region(0, lines)))


def after(line: Line, above: Line = FULL) -> int:
    """How many paragraphs a page has whose last line is `line`, 14 units under `above`."""
    lines = [replace(FULL, base=base) for base in (728, 714, 700)]
    return count(*lines, replace(above, base=686), line)


def test_full_lines_one_distance_apart_are_one_paragraph() -> None:
    (block,) = blocks([column(FULL, FULL, FULL)])
    assert block == Block("some words some words some words", size=12)


@pytest.mark.parametrize(("base", "paragraphs"), [(669, 1), (667, 2), (600, 2)])
def test_a_gap_begins_a_paragraph(base: float, paragraphs: int) -> None:
    assert after(replace(FULL, base=base)) == paragraphs


@pytest.mark.parametrize(("text", "paragraphs"), [("an end.", 2), ("no end", 1)])
def test_a_little_more_space_after_a_sentence_is_enough_where_lines_are_even(
    text: str, paragraphs: int
) -> None:
    assert after(replace(FULL, base=670), replace(FULL, text=text)) == paragraphs


def test_lines_evenly_far_apart_are_one_paragraph_where_they_are_full() -> None:
    wide = [replace(FULL, base=base) for base in (600, 579, 558)]
    assert after(replace(FULL, base=672)) == 1
    assert count(*(replace(FULL, base=b) for b in range(800, 700, -14)), *wide) == 2


@pytest.mark.parametrize(("left", "paragraphs"), [(55, 1), (70, 2), (45, 1), (30, 2)])
def test_an_indent_begins_a_paragraph(left: float, paragraphs: int) -> None:
    assert after(replace(FULL, base=672, left=left)) == paragraphs


@pytest.mark.parametrize("mark", ["• ", "- ", "3. ", "(12) ", "b) "])
def test_a_bullet_begins_a_paragraph_and_its_lines_may_hang(mark: str) -> None:
    above, item = replace(FULL, text="as follows:"), replace(FULL, base=672, text=f"{mark}an item")
    assert after(item, above) == 2
    first, second = replace(FULL, base=700), replace(above, base=686)
    assert count(first, second, item, replace(FULL, base=658, left=70)) == 2
    assert after(replace(item, text="-item 3.14 (all) -"), replace(FULL, text="as follows,")) == 1


@pytest.mark.parametrize("mark", ["- ", "3. "])
def test_a_number_or_a_dash_within_a_sentence_begins_nothing(mark: str) -> None:
    assert after(replace(FULL, base=672, text=f"{mark}it says"), replace(FULL, text="no")) == 1


@pytest.mark.parametrize("row", [0, 1])
def test_a_row_of_a_table_stands_alone(row: int) -> None:
    assert len(texts(column(*(replace(FULL, row=row == n) for n in (0, 1))))) == 2


@pytest.mark.parametrize(
    ("text", "right", "paragraphs"),
    [("no end", 400, 1), ("an end.", 400, 2), ("an end.", 480, 1), ("no end", 300, 2)],
)
def test_a_line_with_room_for_the_next_word_ends_its_paragraph(
    text: str, right: float, paragraphs: int
) -> None:
    # Ragged lines; the next word takes 22 points and a space 3.
    above = replace(FULL, text=text, right=right, base=672)
    ragged = [replace(FULL, base=b, right=r) for b, r in ((714, 500), (700, 485), (686, 490))]
    assert count(*ragged, above, replace(FULL, base=658, right=480)) == paragraphs


def test_a_justified_line_that_stops_short_of_the_margin_ends_its_paragraph() -> None:
    last = replace(FULL, text="an end.", right=490)
    assert len(texts(column(FULL, FULL, FULL, last, FULL))) == 2


@pytest.mark.parametrize(("size", "paragraphs"), [(18, 2), (8, 2), (12.5, 1)])
def test_another_size_begins_a_paragraph(size: float, paragraphs: int) -> None:
    assert after(replace(FULL, base=672, size=size)) == paragraphs


def test_a_broken_word_is_never_parted() -> None:
    above = replace(FULL, text=f"ex{HYPHEN}", base=686)
    (block,) = blocks([Region(0, [above, replace(FULL, base=600, text="ample", left=70)])])
    assert block.text == f"ex{HYPHEN}ample"


@pytest.mark.parametrize(
    ("above", "below", "joined"),
    [
        ("it was ex-", "ample", f"it was ex{HYPHEN}ample"),
        ("from 2010–", "2012 on", "from 2010–2012 on"),
        ("north —", "south", "north — south"),
        ("north—", "south", "north—south"),
        ("set_", "key", "set_key"),
        ("a -", "b", "a - b"),
    ],
)
def test_what_a_line_ends_with_says_how_the_next_is_joined(
    above: str, below: str, joined: str
) -> None:
    lines = [replace(FULL, text=above), replace(FULL, text=below)]
    assert texts(column(*lines)) == [joined]


@pytest.mark.parametrize(
    ("above", "right", "below", "paragraphs"),
    [
        ("runs", 500, "on", 1),
        ("ends.", 500, "On", 1),  # a full line: most pages end within a paragraph
        ("ends.", 400, "On", 2),
        ("runs", 400, "on", 1),
        ("runs", 400, "On", 2),
    ],
)
def test_a_paragraph_may_run_on_in_the_next_column_or_page(
    above: str, right: float, below: str, paragraphs: int
) -> None:
    first = column(FULL, FULL, FULL, replace(FULL, text=above, right=right))
    second = column(replace(FULL, text=below), FULL, page=1, left=500)
    found = texts(first, second)
    assert len(found) == paragraphs
    assert (PAGE in "".join(found)) == (paragraphs == 1)


@pytest.mark.parametrize(
    "line",
    [
        replace(FULL, left=70),
        replace(FULL, size=18),
        replace(FULL, bold=True),
        replace(FULL, row=True),
        replace(FULL, heading=(1, 0)),
        replace(FULL, text="• an item"),
    ],
)
def test_what_begins_otherwise_does_not_go_on_from_the_page_before(line: Line) -> None:
    assert len(texts(column(FULL, FULL), column(line, FULL, FULL, page=1))) > 1


def test_a_footnote_between_the_halves_of_a_paragraph_comes_before_it() -> None:
    note = replace(FULL, text="1 A note.", size=9)
    first = column(replace(FULL, text="The end"), note)
    second = column(replace(FULL, text="of it."), page=1)
    found = blocks([first, second])
    assert [(block.text, block.page) for block in found] == [
        ("1 A note.", 0), (f"The end {PAGE}of it.", 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        ("ex\x02ample", "example"),  # nothing else in the document: typesetting's
        ("well\x02known", "well-known"),
        ("the\x02art", "the-art"),
        ("call\x02outs", "callouts"),  # the document has "callouts"
        ("cast\x02iron", "cast-iron"),  # and "cast" and "iron" on their own, not "castiron"
        ("1914\x021918", "1914-1918"),
        ("North\x02South", "North-South"),
        ("DIS\x02CLAIMED", "DISCLAIMED"),
        ("two\x02year", "two-year"),
        ("four\x02teen", "fourteen"),
        ("e\x02mail", "e-mail"),
        ("pre\x02 and", "pre- and"),
        ("pre\x02and", "pre- and"),
        ("thous\x02and", "thousand"),
        ("exam\x02\fple", "exam\fple"),
    ],
)
def test_hyphens_go_unless_they_belong_to_the_word(broken: str, whole: str) -> None:
    known = "a well-known and state-of-the-art case of callouts in cast and other iron, pre 1900"
    assert Hyphens([known, broken]).mended(broken) == whole


def test_half_of_a_broken_word_proves_nothing() -> None:
    text = "cast\x02iron and iron\x02cast"
    assert Hyphens([text]).mended(text) == "castiron and ironcast"


def levels_of(*sizes: float, entries: Sequence[tuple[float, int]] = ()) -> list[int | None]:
    page = [Block("word " * 100, size=12), *(Block("word", size=size) for size in sizes)]
    page += [
        Block("entry", size=size, heading=(level, n)) for n, (size, level) in enumerate(entries)
    ]
    return levels(page)[1:]


def test_sizes_larger_than_the_text_are_levels() -> None:
    assert levels_of(12.5, 24, 18, 17.5, 14, 8) == [None, 1, 2, 2, 3, None]
    assert levels([]) == []
    assert levels([Block("words")]) == [None]


def test_formulas_and_rows_are_no_headings() -> None:
    text = Block("word " * 100, size=12)
    assert levels([text, Block("X−1", size=24), Block("A word", size=18, row=True)])[1:] == [
        None,
        None,
    ]


def test_the_outline_says_the_level_of_its_entries_and_of_their_size() -> None:
    assert levels_of(24, 18, 16, entries=[(18, 1), (12, 3)]) == [1, 1, 2, 1, 3]
