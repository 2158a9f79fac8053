"""Paragraphs, sentences and graphemes, by hand and on hostile text."""

from __future__ import annotations

from itertools import pairwise

import pytest
from apsw.unicode import grapheme_iter_with_offsets
from hypothesis import example, given
from hypothesis import strategies as st

from rag.text import (
    LONGEST_GRAPHEME,
    grapheme_ceiling,
    grapheme_floor,
    paragraphs,
    sentences,
    trimmed,
)
from rag.types import Span


def split(text: str) -> list[str]:
    return [span.of(text) for block in paragraphs(text) for span in sentences(text, block)]


PIECES = [
    *[
        "a",
        "B",
        "word",
        "Mr",
        "U.S",
        "e.g",
        "3.5",
        "12",
        "J",
        "www.a.org",
        "x.md",
        "中文",
        "नमस्ते",
        "שלום",
    ],
    *[
        ".",
        ". ",
        "!",
        "? ",
        "…",
        "...",
        "。",
        "？",
        " »",
        "« ",
        "”",
        "“",
        '"',
        ")",
        "(",
        "[2]",
        "*",
        ":",
    ],
    *["\n", "\r\n", "\r", "\n\n", "\t", " ", "  ", "\u00a0", "\u2028", "\u0085", "\x0c", "\ufeff"],
    *[
        "\u0301",
        "e\u0301",
        "👩\u200d👩\u200d👧",
        "🇩🇪",
        "\u200d",
        "\u202e",
        "\u0600",
        "ᄀ",
        "ᅡ",
        "각",
    ],
    *["\n- ", "\n1. ", "\n| a | b |", "\n# ", "\n===\n", "\x00"],
]
hostile = st.lists(st.sampled_from(PIECES) | st.characters(), max_size=40).map("".join)


def boundaries(text: str) -> set[int]:
    return {0, len(text), *(start for start, _, _ in grapheme_iter_with_offsets(text))}


@given(hostile)
@example(". \u0301. \u0301")
@example("a.\u0301 B")
@example("\u0600\nA")
def test_sentences_hold_every_character_once(text: str) -> None:
    whole = boundaries(text)
    for block in paragraphs(text):
        found = sentences(text, block)
        assert found == sorted(found)
        assert all(trimmed(text, span) == span and span.start < span.end for span in found)
        assert found[0].start == block.start
        assert found[-1].end == block.end
        for left, right in pairwise(found):
            assert left.end <= right.start
            assert not text[left.end : right.start].strip()
            assert {left.end, right.start} <= whole


@given(hostile, st.integers(-3, 90))
@example("👩\u200d👩\u200d👧" * 3, 12)
@example("🇩🇪" * 4, 5)
@example("\r\n", 1)
@example("क्षि", 2)
def test_grapheme_floor_is_the_last_boundary_before(text: str, offset: int) -> None:
    assert grapheme_floor(text, offset) == max(
        at for at in boundaries(text) if at <= max(0, min(offset, len(text)))
    )


@given(hostile, st.integers(-3, 90))
@example("👩\u200d👩\u200d👧" * 3, 12)
@example("🇩🇪" * 4, 5)
@example("\u0915\u094d\u0937" * 2, 4)
def test_grapheme_ceiling_is_the_first_boundary_after(text: str, offset: int) -> None:
    offset = max(0, min(offset, len(text)))
    assert grapheme_ceiling(text, offset) == min(at for at in boundaries(text) if at >= offset)


@pytest.mark.parametrize("unit", ["A\u030a", "ก็", "நி", "नि", "🇩🇪"], ids=ascii)
def test_cuts_of_a_megabyte_are_found_nearby(unit: str) -> None:
    """For each of them all of the text was looked at once."""
    text = unit * (10**6 // len(unit))
    for offset in range(1, 10**6, 40_000):
        assert grapheme_floor(text, offset) == offset - offset % len(unit)


@pytest.mark.parametrize("unit", ["\u0301", "🧑\u200d"], ids=ascii)
def test_a_cluster_that_is_no_letter_is_cut_anywhere(unit: str) -> None:
    """All of it was gone through for each cut."""
    letter = (unit * LONGEST_GRAPHEME)[:LONGEST_GRAPHEME]
    for offset in range(LONGEST_GRAPHEME):
        assert grapheme_floor(letter + " ", offset) == 0
        assert grapheme_ceiling(letter + " ", offset) == (LONGEST_GRAPHEME if offset else 0)
    text = unit * (10**6 // len(unit))
    for offset in range(LONGEST_GRAPHEME + 1, 10**6, 10_000):
        assert grapheme_floor(text, offset) == grapheme_ceiling(text, offset) == offset


def test_joiners_that_join_nothing_hide_no_boundary() -> None:
    text = "a\u200d\u0301" * 10**5
    assert grapheme_floor(text, 10**5 + 1) == 10**5 - 10**5 % 3


def test_a_paragraph_inside_a_text_keeps_the_offsets_of_the_text() -> None:
    text = "Before. Not this.\n\nOne. Two.\n\nAfter."
    assert sentences(text, Span(19, 28)) == [Span(19, 23), Span(24, 28)]


def test_white_space_alone_holds_no_sentence() -> None:
    assert sentences(" \n ", Span(0, 3)) == []
    assert sentences("", Span(0, 0)) == []


def test_a_megabyte_without_an_end_is_one_sentence() -> None:
    text = "word " * 200_000 + "end"
    assert sentences(text, Span(0, len(text))) == [Span(0, len(text))]


WHOLE = [
    "Mr. Smith and Dr. Jones met at St. Mary's, e.g. on Jan. 5, i.e. early.",
    "J. K. Rowling and George W. Bush wrote it.",
    "It rose by 3.5 million, see Fig. 3, No. 5, pp. 7 and Smith et al. (2019).",
    "Open README.md or https://example.org/a.html?b=1.2 with v2.0.",
    "The U.S. Army left Smith & Co. in Leeds at 5 p.m. on Monday.",
    "“Stop!” he said. . . and “Why?” she asked.",
    "He paid 5 euros ... and left… quietly.",
    "Yahoo! is a firm (see p. 3.) of note.",
    "1. A numbered item.",
    "There are: 1. Rome; 2. Paris; and 3. Bonn.",
    "A line that was wrapped because it had reached the\nend of its column in the city of\nLondon.",
    "Metals such as Zn\n2, Cu and others were\nfound.",
    "| a. | B. | C |",
    "« Bonjour. »",
    "「まだ？」",
]


@pytest.mark.parametrize("text", WHOLE)
def test_one_sentence(text: str) -> None:
    assert split(text) == [text]


APART = {
    "One. Two! Three? Four… Five": ["One.", "Two!", "Three?", "Four…", "Five"],
    "He left the U.S. The war went on.": ["He left the U.S.", "The war went on."],
    "Bring pens, paper, etc. Then go.": ["Bring pens, paper, etc.", "Then go."],
    "Was it? No. He stayed. No. 5 lives.": ["Was it?", "No.", "He stayed.", "No. 5 lives."],
    "It was 1999. 20 people came.": ["It was 1999.", "20 people came."],
    "“It fell.” Then (all of) it rose.) So.": ["“It fell.”", "Then (all of) it rose.)", "So."],
    "« Bonjour. » Il part. « Non ! » Elle.": ["« Bonjour. »", "Il part.", "« Non ! »", "Elle."],
    "»Hallo.« Er ging.": ["»Hallo.«", "Er ging."],
    "So he did. ” The end. “.": ["So he did. ”", "The end. “."],
    "Ten came. [1] Two left.[2] Why?[a] So.": ["Ten came. [1]", "Two left.[2]", "Why?[a]", "So."],
    "一。二！「三？」四": ["一。", "二！", "「三？」", "四"],
    "هذا نص. وهذا آخر؟ نعم.": ["هذا نص.", "وهذا آخر؟", "نعم."],
    "no capitals here. none at all.": ["no capitals here.", "none at all."],
    "South of the country.Then they met.": ["South of the country.", "Then they met."],
    "We sell phones. iPhone sales rose.": ["We sell phones.", "iPhone sales rose."],
    "1. First thing. 2. Second thing.": ["1. First thing.", "2. Second thing."],
    "Speakers:\n- Ann\n- Bob": ["Speakers:", "- Ann", "- Bob"],
    "1) Ann\r\n2) Bob": ["1) Ann", "2) Bob"],
    "# Leave\nAll staff get leave.": ["# Leave", "All staff get leave."],
    "Leave\n=====\nAll staff get leave.": ["Leave", "=====", "All staff get leave."],
    "| a | b |\n|---|---|\n| 1 | 2 |": ["| a | b |", "|---|---|", "| 1 | 2 |"],
    "Name\tAge\nAnn\t40": ["Name\tAge", "Ann\t40"],
    "Home\rAbout us\rContact": ["Home", "About us", "Contact"],
    "Name: Ann\nCity: Rome\nAge: 40": ["Name: Ann", "City: Rome", "Age: 40"],
    "A title\nSome prose that was wrapped where its\ncolumn ends. More.": [
        "A title",
        "Some prose that was wrapped where its\ncolumn ends.",
        "More.",
    ],
    "Wrapped prose can have a sentence that ends. In the\nmiddle. Of a line.": [
        "Wrapped prose can have a sentence that ends.",
        "In the\nmiddle.",
        "Of a line.",
    ],
}


@pytest.mark.parametrize("text", APART)
def test_sentences_apart(text: str) -> None:
    assert split(text) == APART[text]
