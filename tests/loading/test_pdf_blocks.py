from __future__ import annotations

from dataclasses import replace

import pytest

from rag.loading.pdf_blocks import Block, Hyphens, blocks, heading_levels
from rag.loading.pdf_lines import HYPHEN, Line

FULL = Line("some words", 50, 500, 0, height=12, tallest=12, row=False, glue=" ")
FIRST, SECOND = replace(FULL, bottom=700), replace(FULL, bottom=686)


def count(*page: Line) -> int:
    return len(list(blocks(page)))


def after(line: Line, above: Line = SECOND) -> int:
    """How many paragraphs a page has whose last line is `line`, 14 units under `above`."""
    return count(*(replace(FULL, bottom=bottom) for bottom in (728, 714, 700)), above, line)


def test_full_lines_one_distance_apart_are_one_paragraph() -> None:
    (block,) = blocks([FIRST, SECOND, replace(FULL, bottom=672)])
    assert block == Block("some words some words some words", 12)


@pytest.mark.parametrize(("bottom", "paragraphs"), [(669, 1), (667, 2), (600, 2), (686, 1)])
def test_a_gap_begins_a_paragraph(bottom: float, paragraphs: int) -> None:
    assert after(replace(FULL, bottom=bottom)) == paragraphs


@pytest.mark.parametrize(("left", "paragraphs"), [(55, 1), (70, 2), (40, 1)])
def test_an_indent_begins_a_paragraph(left: float, paragraphs: int) -> None:
    assert after(replace(FULL, bottom=672, left=left)) == paragraphs


@pytest.mark.parametrize("mark", ["• ", "- ", "3. ", "(12) ", "b) "])
def test_a_bullet_begins_a_paragraph_and_its_lines_may_hang(mark: str) -> None:
    item = replace(FULL, bottom=672, text=f"{mark}an item")
    assert after(item) == 2
    assert count(FIRST, SECOND, item, replace(FULL, bottom=658, left=70)) == 2
    assert after(replace(item, text="-item 3.14 (all) -")) == 1


@pytest.mark.parametrize("row", [0, 1])
def test_a_row_of_a_table_stands_alone(row: int) -> None:
    lines = [replace(FIRST, row=row == 0), replace(SECOND, row=row == 1)]
    assert count(*lines) == 2


@pytest.mark.parametrize(
    ("above", "below", "paragraphs"),
    [("runs", "on", 1), ("ends.", "on", 2), ("ends.”", "on", 2), ("runs", "On", 2)],
)
def test_a_paragraph_may_run_on_in_the_next_column(above: str, below: str, paragraphs: int) -> None:
    page = replace(SECOND, text=above), replace(FULL, text=below, left=550, right=1000, bottom=700)
    assert count(FIRST, *page) == paragraphs


@pytest.mark.parametrize(
    ("text", "right", "paragraphs"),
    [("no end", 400, 1), ("an end.", 400, 2), ("an end.", 480, 1), ("no end", 300, 2)],
)
def test_a_line_that_stops_early_ends_its_paragraph(
    text: str, right: float, paragraphs: int
) -> None:
    above = replace(SECOND, text=text, right=right)
    below = replace(FULL, bottom=672, text="word " * 20)  # a letter is 4.5 wide, a word 22.5
    assert after(below, above) == paragraphs


@pytest.mark.parametrize(
    ("height", "tallest", "paragraphs"), [(18, 18, 2), (8, 8, 2), (6, 12, 1), (12, 18, 1)]
)
def test_another_size_begins_a_paragraph_but_a_footnote_mark_does_not(
    height: float, tallest: float, paragraphs: int
) -> None:
    other = replace(FULL, height=height, tallest=tallest)
    assert count(replace(other, bottom=686), replace(FULL, bottom=672)) == paragraphs
    assert count(SECOND, replace(other, bottom=672)) == paragraphs


def test_a_broken_word_is_never_parted() -> None:
    above = replace(SECOND, text="ex", glue=HYPHEN)
    (block,) = blocks([above, replace(FULL, bottom=600, text="ample", height=18)])
    assert block.text == f"ex{HYPHEN}ample"


def test_hyphens_go_unless_they_belong_to_the_word() -> None:
    known = Hyphens([Block("a well-known and state-of-the-art case")])
    assert known.mended("ex\x02ample") == "example"
    assert known.mended("well\x02known, the\x02art") == "well-known, the-art"
    assert known.mended("1914\x021918 North\x02South") == "1914-1918 North-South"


def test_sizes_larger_than_the_text_are_levels() -> None:
    sizes = [(12, 900), (12.5, 50), (24, 10), (18, 20), (17.5, 20), (14, 30), (8, 90)]
    page = [Block("x" * length, size) for size, length in sizes]
    assert heading_levels(page) == {48: 1, 36: 2, 35: 2, 28: 3}
    assert heading_levels([]) == {}
    assert heading_levels([Block("words")]) == {}
