"""What counts as the same passage, and where its words stand in a copy."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rag.duplicates import Wording, near_identical, same_span, words_of
from rag.types import Passage, Span


def passage(text: str, start: int = 0) -> Passage:
    span = Span(start, start + len(text))
    return Passage("d", 0, span, text, "", "", (span,), 1)


def test_form_alone_makes_no_difference() -> None:
    assert words_of("Staff get 28 days.") == words_of("STAFF  get\n28 days")


def test_another_figure_is_another_text() -> None:
    text = "Claims must be sent within {} days of the journey, with every receipt attached to them."
    old, new = Wording(text.format(14)), Wording(text.format(30))
    assert not near_identical(old, new)
    assert near_identical(old, Wording(text.format(14).upper()))
    assert Wording("28 days, 3rd floor, 5 m²").figures == ["28", "3rd", "5", "m²"]


def test_nearly_the_same_words_are_one_passage() -> None:
    words = [f"word{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"] * 2
    text = Wording(" ".join(words))
    assert near_identical(text, Wording(" ".join([*words, "more"])))
    assert not near_identical(text, Wording(" ".join(reversed(words))))


def test_a_span_is_found_in_a_copy() -> None:
    here = passage("“Staff”  get 28 days, always.", start=100)
    copy = passage("Staff get\n28 days always", start=7)
    span = Span(100 + here.text.index("28"), 100 + here.text.index(","))
    assert span.shifted(-100).of(here.text) == "28 days"
    assert same_span(here, span, copy).shifted(-7).of(copy.text) == "28 days"


def test_the_full_stop_of_a_sentence_comes_along() -> None:
    here, copy = passage("One. “Two three.” Four."), passage("ONE. “TWO\nTHREE.” FOUR!", start=9)
    sentence = Span(here.text.index("“"), here.text.index(" Four"))
    assert same_span(here, sentence, copy).shifted(-9).of(copy.text) == "“TWO\nTHREE.”"


@given(st.lists(st.sampled_from(["a", "28", "É", "ß", "İ", "naïve"]), min_size=1), st.data())
def test_the_words_of_a_span_are_the_words_in_the_copy(
    words: list[str], data: st.DataObject
) -> None:
    here, copy = passage(", ".join(words)), passage("\n".join(words), start=5)
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, len(words) - 1))
    start = len("".join(f"{word}, " for word in words[:first]))
    end = start + len(", ".join(words[first : last + 1]))
    found = same_span(here, Span(start, end), copy)
    assert found.shifted(-5).of(copy.text).split("\n") == words[first : last + 1]
