"""Every metric against figures worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evaluation.metrics import (
    auroc,
    calibration_error,
    exact_match,
    f1,
    holds,
    is_right,
    is_sound,
    normalised,
    percentile,
    reliability,
    risk_coverage,
)


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


def test_a_sentence_holds_whole_words() -> None:
    assert holds("It began in October, 1973.", ["1972", "October 1973"])
    assert not holds("It cost 19730 pounds.", ["1973"])
    assert not holds("It began in 1973.", [])


@pytest.mark.parametrize(
    ("answer", "right", "sound"),
    [
        ("October 1973", True, True),
        ("early October 1973", True, True),  # F1 of 4/5
        ("a war that began in October 1973", True, True),  # holds it
        ("1973", True, True),  # F1 of 2/3
        ("1973 by", False, True),  # one word off: F1 of 1/2, and the sentence holds it
        ("Egypt", False, True),
    ],
)
def test_right_words_and_a_sound_sentence(answer: str, right: bool, sound: bool) -> None:
    assert is_right(answer, ["October 1973"]) is right
    assert is_sound(answer, "It began in October 1973 by Egypt.", ["October 1973"]) is sound


def test_nothing_is_right_where_nothing_is_accepted() -> None:
    assert not is_right("", [])
    assert not is_sound("here", "It is here.", [])
    assert not is_sound("Egypt", "It began in Egypt.", ["October 1973"])
    assert is_sound("1973 by", "It began elsewhere.", ["October 1973"])  # half of the words


def test_auroc() -> None:
    assert auroc([3, 2, 1], [True, False, False]) == 1
    assert auroc([1, 2, 3], [True, False, False]) == 0
    # Of four pairs of a right and a wrong answer two are in order, one is a tie.
    assert auroc([4, 2, 3, 2], [True, True, False, False]) == (2 + 0.5) / 4
    assert auroc([1, 2], [True, True]) is auroc([], []) is None
    # A wrong answer that counts three times.
    assert auroc([2, 1, 3], [True, False, False], np.array([1.0, 1.0, 3.0])) == 1 / 4


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=30))
def test_auroc_counts_pairs(answers: list[tuple[int, bool]]) -> None:
    strengths, right = zip(*answers, strict=True)
    pairs = [(s, t) for s, good in answers if good for t, other in answers if not other]
    won = sum(1.0 if s > t else 0.5 if s == t else 0.0 for s, t in pairs)
    expected = won / len(pairs) if pairs else None
    assert auroc(strengths, right) == pytest.approx(expected)


def test_risk_coverage() -> None:
    curve = risk_coverage([0.9, 0.5, 0.7, 0.7], [True, False, True, False], questions=8)
    # 0.7 stands for two answers, which are given together.
    assert curve == [(1 / 8, 0, 0.9), (3 / 8, 1 / 3, 0.7), (4 / 8, 2 / 4, 0.5)]
    assert risk_coverage([], [], questions=3) == []
    many = risk_coverage([float(n) for n in range(1000)], [True] * 1000, 1000, points=50)
    assert len(many) == 50
    assert (many[0].coverage, many[-1].coverage) == (0.001, 1)


def test_reliability() -> None:
    bins = reliability([0.05, 0.95, 0.97, 1.0, 0.5], [False, True, True, False, True])
    assert [(pytest.approx(b.confidence), b.right, b.answers) for b in bins] == [
        (0.05, 0, 1),
        (0.5, 1, 1),
        (pytest.approx((0.95 + 0.97 + 1) / 3), pytest.approx(2 / 3), 3),
    ]
    # |.05 - 0| + |.5 - 1| + 3 |.9733 - .6667|, of five answers
    error = (0.05 + 0.5 + 0.92) / 5
    assert calibration_error([0.05, 0.95, 0.97, 1.0, 0.5], [False, True, True, False, True]) == (
        pytest.approx(error)
    )
    assert calibration_error([], []) is None
    assert calibration_error([0.25], [False], np.array([4.0])) == 0.25
