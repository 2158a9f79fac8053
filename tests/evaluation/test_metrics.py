"""Every metric against figures worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evaluation.metrics import exact_match, f1, normalised, percentile


@pytest.mark.parametrize(
    ("answer", "bare"),
    [
        ("The Cat, a dog & an owl.", "cat dog owl"),
        ("  A.B.C.  ", "abc"),
        ("theatre", "theatre"),
        ("the-cat", "thecat"),  # punctuation goes before the articles do
        ("An  \t hour", "hour"),
        ("“quoted”", "“quoted”"),  # ASCII punctuation alone
        ("a", ""),
        ("Über", "über"),
    ],
)
def test_normalised_as_squad_does(answer: str, bare: str) -> None:
    assert normalised(answer) == bare


@pytest.mark.parametrize(
    ("answer", "accepted", "score"),
    [
        ("28 days", ["28 days"], 1),
        ("The 28 Days.", ["thirty", "28 days"], 1),
        ("28", ["28 days"], 0),
        ("", ["28 days"], 0),
        ("", [], 1),
        ("28 days", [], 0),
        ("the", ["A", "A in 1911"], 0),  # nothing is left of "A": it is no gold answer
        ("", ["A"], 1),
    ],
)
def test_exact_match(answer: str, accepted: list[str], score: float) -> None:
    assert exact_match(answer, accepted) == score


@pytest.mark.parametrize(
    ("answer", "accepted", "score"),
    [
        ("28 days", ["28 days"], 1),
        ("28 days of leave", ["28 days"], 2 / 3),  # precision 1/2, recall 1
        ("28", ["28 days"], 2 / 3),  # precision 1, recall 1/2
        ("days days", ["days"], 2 / 3),  # a word counts as often as it stands there
        ("red fox", ["blue whale", "red whale"], 0.5),
        ("red", ["blue"], 0),
        ("", ["blue"], 0),
        ("", [], 1),
        ("the", ["a"], 1),  # both are empty once normalised
        ("red", [], 0),
        ("", ["a", "a fox"], 0),
    ],
)
def test_f1(answer: str, accepted: list[str], score: float) -> None:
    assert f1(answer, accepted) == pytest.approx(score)


@given(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=3))
def test_bounds(answer: str, accepted: list[str]) -> None:
    assert 0 <= exact_match(answer, accepted) <= f1(answer, accepted) <= 1


def test_percentile_is_the_nearest_rank() -> None:
    values = [15.0, 20, 35, 40, 50]
    shares = (0.05, 0.3, 0.4, 0.5, 0.95, 1)
    assert [percentile(values, share) for share in shares] == [15, 20, 20, 35, 50, 50]
    assert percentile([3.0], 0.5) == percentile([3.0], 0.99) == 3
    assert percentile([float(n) for n in range(100, 0, -1)], 0.95) == 95
    assert percentile([float(n) for n in range(1, 101)], 0.99) == 99
