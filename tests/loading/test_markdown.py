from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.loading.formats import parse
from rag.types import Parsed, Span


def read(text: str) -> Parsed:
    return parse("a.md", text.encode())


def found(text: str) -> list[tuple[int, str, str]]:
    return [(h.level, h.text, h.span.of(text)) for h in read(text).headings]


def test_headings_keep_their_markup_in_the_span_only() -> None:
    text = (
        "# One *two* `three` #\r\ntext\r\n\r\nFour\r\n  five\r\n===\r\n\r\n"
        "  ### [six][x] ![seven](y)\r\n\r\n[x]: z"
    )
    assert found(text) == [
        (1, "One two three", "# One *two* `three` #"),
        (1, "Four five", "Four\r\n  five\r\n==="),
        (3, "six seven", "### [six][x] ![seven](y)"),
    ]


@pytest.mark.parametrize(
    "text",
    ["#no", "    # code", "```\n# x\n```", "<!--\n# x\n-->", "- # x", "> # x", "#", "a\n\n-----"],
)
def test_what_is_no_heading(text: str) -> None:
    assert found(text) == []


def test_lone_carriage_returns_end_lines() -> None:
    assert found("a\r\r# B\rc\r") == [(1, "B", "# B")]


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["# A", "## B c", "x", "", "---", "===", " ", "\u2028", "é\u0301", "- "])
    ),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_spans_hold_their_words_whatever_the_line_ends(lines: list[str], end: str) -> None:
    text = "word" + end + end + end.join(lines)
    for heading in read(text).headings:
        covered = heading.span.of(text)
        assert covered == covered.strip()
        assert all(word in covered for word in heading.text.split())


def test_front_matter_is_told_apart() -> None:
    front = (
        "---\ntitle: 'Travel: policy'\nDate: 2024-03-01T10:00:00Z # kept\nlang: en_GB\n"
        "tags:\n  - a\n# note\n\n---"
    )
    parsed = read(front + "\n# Heading\n\nText\n")
    assert (parsed.title, parsed.date, parsed.language) == ("Travel: policy", "2024-03-01", "en-GB")
    assert parsed.skipped == (Span(0, len(front)),)
    assert [h.span.of(parsed.text) for h in parsed.headings] == ["# Heading"]


def test_front_matter_with_carriage_returns_and_dots() -> None:
    text = "---\r\ntitle: A\r\n...\r\n\r\nText\r\n"
    assert read(text).skipped == (Span(0, 18),)
    assert read(text).title == "A"


@pytest.mark.parametrize(
    "text",
    [
        "---\nJust prose.\n---\n",
        "---\n\n---\n",
        "---\ntitle: A\n",
        "\n---\ntitle: A\n---\n",
        "---\n- a\n---\nb",
    ],
)
def test_a_rule_at_the_start_is_no_front_matter(text: str) -> None:
    parsed = read(text)
    assert parsed.skipped == ()
    assert parsed.date is None


def test_the_title_is_the_first_heading_without_front_matter() -> None:
    assert read("text\n\n## First\n\n# Second\n").title == "First"
    assert read("text\n").title is None


@pytest.mark.parametrize("date", ["2024-13-01", "yesterday", "20240301", "2024-03-011", "''"])
def test_only_iso_dates_count(date: str) -> None:
    assert read(f"---\ndate: {date}\n---\ntext").date is None
