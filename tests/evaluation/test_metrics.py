"""Every metric against figures worked out by hand."""

from __future__ import annotations

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evaluation.metrics import (
    exact_match,
    f1,
    ndcg_at,
    normalised,
    percentile,
    recall_at,
    reciprocal_rank_at,
)


def _found(*passages: str) -> list[frozenset[int]]:
    """`_found("", "02")`: the first passage holds nothing, the second the pieces 0 and 2."""
    return [frozenset(map(int, passage)) for passage in passages]


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
    ],
)
def test_f1(answer: str, accepted: list[str], score: float) -> None:
    assert f1(answer, accepted) == pytest.approx(score)


@given(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=3))
def test_bounds(answer: str, accepted: list[str]) -> None:
    assert 0 <= exact_match(answer, accepted) <= f1(answer, accepted) <= 1


def test_recall() -> None:
    found = _found("", "0", "01", "2")
    assert [recall_at(k, found, 4) for k in (1, 2, 3, 4, 9)] == [0, 0.25, 0.5, 0.75, 0.75]
    assert recall_at(5, [], 2) == 0


def test_reciprocal_rank() -> None:
    assert reciprocal_rank_at(10, _found("0")) == 1
    assert reciprocal_rank_at(10, _found("", "", "1", "0")) == pytest.approx(1 / 3)
    assert reciprocal_rank_at(2, _found("", "", "1")) == 0
    assert reciprocal_rank_at(10, []) == 0


def test_ndcg() -> None:
    assert ndcg_at(10, _found("0"), 1) == 1
    assert ndcg_at(10, _found("", "0"), 1) == pytest.approx(1 / log2(3))
    assert ndcg_at(10, _found("0", "0"), 1) == 1  # the same piece gains once
    assert ndcg_at(10, _found("0", "", "1"), 2) == pytest.approx((1 + 1 / 2) / (1 + 1 / log2(3)))
    assert ndcg_at(2, _found("", "", "0"), 1) == 0
    assert ndcg_at(1, _found("0", "1", "2"), 3) == 1  # the ideal has but one place
    assert ndcg_at(10, [], 3) == 0


def test_percentile_is_the_nearest_rank() -> None:
    values = [15.0, 20, 35, 40, 50]
    shares = (0.05, 0.3, 0.4, 0.5, 0.95, 1)
    assert [percentile(values, share) for share in shares] == [15, 20, 20, 35, 50, 50]
    assert percentile([3.0], 0.5) == percentile([3.0], 0.99) == 3
    assert percentile([float(n) for n in range(100, 0, -1)], 0.95) == 95
    assert percentile([float(n) for n in range(1, 101)], 0.99) == 99
