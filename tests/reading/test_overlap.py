"""Shared words, counted by hand."""

from __future__ import annotations

import math

import pytest

from rag.reading.overlap import Overlap, question_terms

PASSAGES = [{"cat", "dog"}, {"cat"}, {"cat", "zelenskii"}]


def test_words_that_only_ask_are_no_terms() -> None:
    assert question_terms("How many of the cats did it see, and which cats?") == ("cat", "see")
    assert question_terms("Who is it?") == ()
    assert question_terms("  ") == ()


def test_rare_terms_weigh_more() -> None:
    overlap = Overlap.of("cat dog bird", PASSAGES)
    assert overlap.weights == {
        "cat": math.log(1 + 3.5 / 3.5),
        "dog": math.log(1 + 3.5 / 1.5),
        "bird": math.log(1 + 3.5 / 0.5),
    }


def test_coverage_is_the_share_of_the_weight() -> None:
    overlap = Overlap.of("cat dog bird", PASSAGES)
    cat, dog, bird = overlap.weights.values()
    found = overlap.matched(["dog", "house"])
    assert found == {"dog": 1.0}
    assert overlap.coverage(found) == pytest.approx(dog / (cat + dog + bird))
    assert overlap.coverage(overlap.matched(["cat", "dog", "bird"])) == pytest.approx(1)


def test_a_related_term_counts_by_half() -> None:
    overlap = Overlap.of("Zelensky", PASSAGES)
    assert overlap.matched(["zelenskii"]) == {"zelenski": 0.5}


def test_adjacency_counts_neighbours_of_the_question() -> None:
    overlap = Overlap.of("cat dog bird", PASSAGES)
    assert overlap.adjacency(["cat", "dog", "x", "x", "x", "bird"]) == 0.5
    assert Overlap.of("cat", PASSAGES).adjacency(["cat"]) == 0.0


@pytest.mark.parametrize("question", ["How many people left Russia?", "Which person left Russia?"])
def test_people_who_are_asked_for_need_not_be_named(question: str) -> None:
    assert question_terms(question) == ("left", "russia")


def test_people_who_are_told_of_count() -> None:
    assert "peopl" in question_terms("What do people eat?")
