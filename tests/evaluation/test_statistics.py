"""Intervals and the randomisation test against values known by hand or from SciPy."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from rag.evaluation.statistics import Bootstrap, Weights, randomisation_p, weighted_mean


def test_weighted_mean() -> None:
    mean = weighted_mean(np.array([1.0, np.nan, 0.0]))
    assert mean(np.array([1.0, 1.0, 1.0])) == 0.5
    assert mean(np.array([3.0, 9.0, 1.0])) == 0.75
    assert mean(np.array([0.0, 5.0, 0.0])) is None


def test_an_interval_agrees_with_scipy() -> None:
    values = np.random.default_rng(5).random(300)
    low, high = Bootstrap(300).interval(weighted_mean(values)) or (0, 0)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", rng=1).confidence_interval
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.004)
    assert low < values.mean() < high


def test_intervals_of_what_never_varies_or_never_is() -> None:
    assert Bootstrap(4).interval(weighted_mean(np.ones(4))) == (1, 1)
    assert Bootstrap(2).interval(weighted_mean(np.full(2, np.nan))) is None


def test_the_same_every_time() -> None:
    values = weighted_mean(np.arange(50.0))
    assert Bootstrap(50).interval(values) == Bootstrap(50).interval(values)


def test_samples_count_every_question_the_same() -> None:
    seen: list[Weights] = []
    Bootstrap(20).interval(lambda weights: seen.append(weights) or 0.0)  # type: ignore[func-returns-value]
    assert {weights.sum() for weights in seen} == {20}
    assert np.mean(seen, axis=0) == pytest.approx(np.ones(20), abs=0.15)


def _exact(differences: list[float]) -> float:
    """All signs, counted."""
    seen = abs(sum(differences)) - 1e-9
    every = [abs(np.dot(s, differences)) for s in product([1, -1], repeat=len(differences))]
    return float(np.mean([total >= seen for total in every]))


@pytest.mark.parametrize(
    "differences",
    [[1.0], [1, 1, 1, 1, 1, -1.0], [0.5, 0.25, -0.125, 1], [0.1, -0.1], [1] * 9, [0, 0, 1, 1.0]],
)
def test_randomisation_p_is_the_exact_one(differences: list[float]) -> None:
    exact = _exact([d for d in differences if d])
    assert randomisation_p(differences) == pytest.approx(exact, abs=0.015)


def test_no_difference_is_no_evidence() -> None:
    assert randomisation_p([]) == randomisation_p([0.0, 0.0]) == 1
    assert randomisation_p(np.ones(200)) == pytest.approx(1 / 10_001)
