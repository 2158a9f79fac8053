"""How sure a figure is: bootstrap intervals and a paired randomisation test. Seeded, so the same
rows give the same figures.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Weights = NDArray[np.float64]
Statistic = Callable[[Weights], float | None]
"""A figure of questions that count as often as their weights say; None where it can't be told."""

_RESAMPLES = 1_000
_ROUNDS = 10_000
_CHUNK = 500  # rounds whose signs are in memory together
_SEED = 20_261_125
_TAIL = 2.5  # per cent on either side


class Bootstrap:
    """Samples with replacement of `questions` questions, shared by all figures of a run."""

    def __init__(self, questions: int) -> None:
        even = np.full(questions, 1 / questions)
        rng = np.random.default_rng(_SEED)
        self._counts = rng.multinomial(questions, even, _RESAMPLES).astype(np.uint16)

    def interval(self, statistic: Statistic) -> tuple[float, float] | None:
        """The 95 % percentile interval (Efron, 1979); None where no sample tells the figure."""
        values = [statistic(row.astype(float)) for row in self._counts]
        told = [value for value in values if value is not None]
        if not told:
            return None
        low, high = np.percentile(told, [_TAIL, 100 - _TAIL])
        return float(low), float(high)


def weighted_mean(values: NDArray[np.float64]) -> Statistic:
    """The mean of the values that are there; NaN stands for a question without one."""
    there = ~np.isnan(values)
    filled = np.where(there, values, 0.0)

    def mean(weights: Weights) -> float | None:
        total = float(weights @ there)
        return float(weights @ filled) / total if total else None

    return mean


def randomisation_p(differences: ArrayLike) -> float:
    """The two-sided p of paired differences under random signs, from 10,000 rounds.

    How often a sum at least as far from 0 comes about where neither run is better (Fisher, 1935;
    for retrieval: Smucker, Allan and Carterette, 2007).
    """
    changed = np.asarray(differences, float)
    changed = changed[changed != 0]
    if not len(changed):
        return 1.0
    seen = abs(changed.sum()) - 1e-9  # equal sums may differ by rounding
    rng = np.random.default_rng(_SEED)
    beyond = 0
    for _ in range(_ROUNDS // _CHUNK):
        signs = rng.integers(0, 2, (_CHUNK, len(changed)), dtype=np.int8) * 2.0 - 1.0
        beyond += int((np.abs(signs @ changed) >= seen).sum())
    return (beyond + 1) / (_ROUNDS + 1)
