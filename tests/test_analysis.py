"""Text to terms."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.analysis import terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The wages of carers were paid", ["wage", "carer", "paid"]),
        ("How many days of leave do I get?", ["mani", "day", "leav", "i", "get"]),
        ("What is it?", []),
        ("", []),
        ("12,000 km, v2.1", ["12", "000", "km", "v2", "1"]),
        ("naïve Straße ﬁne", ["naiv", "strass", "fine"]),
        ("cafe\u0301", ["cafe"]),  # e and a combining accent are one letter
        ("東京都", ["東京都"]),
        ("before " + 41 * "x" + " after", ["befor", "after"]),
        ("lone \ud800 surrogate", ["lone", "surrog"]),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_a_name_in_capitals_is_no_stop_word() -> None:
    assert terms("Who may ask IT or the WHO for help?") == terms("may ask IT WHO help")
    assert terms("IT WHO") == ["it", "who"]


def test_repeated_terms_stay_in_text_order() -> None:
    assert terms("Rain after rain") == ["rain", "after", "rain"]


@given(st.text())
@example("\ua784")
def test_terms_are_lower_case_and_hold_no_white_space(text: str) -> None:
    found = terms(text)
    assert all(term and len(term.split()) == 1 for term in found)
    assert [term.lower() for term in found] == found


@given(st.text(alphabet=st.characters(codec="ascii")))
def test_capitals_matter_for_stop_words_alone(text: str) -> None:
    assert set(terms(text.lower())) <= set(terms(text))
