"""Fits the order of answers and the probability that one is right, open domain.

Everything is fitted on what the reader says of the passages that retrieval found, because a
threshold fitted on the right paragraphs is over-confident: the best false score grows with the
number of passages read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from rag.evaluation import metrics
from rag.reading.confidence import Calibration, Ranking, Rivals, features
from rag.training.trials import Found, Kind, Read, Trial

Weights = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """The answer that a question got, and its confidence."""

    trial: Trial
    found: Found
    confidence: float


def fit_ranking(rows: Sequence[Read]) -> Ranking:
    """The weights under which the right passages are most probable (a conditional logit).

    Questions whose passages hold no right span, or no wrong one, say nothing and are left out.
    """
    telling = [row for row in rows if 0 < sum(found.right for found in row.found) < len(row.found)]
    weighed = [
        np.array([(found.evidence.margin, found.evidence.found) for found in row.found])
        for row in telling
    ]
    rights = [np.array([found.right for found in row.found]) for row in telling]

    def cost(weights: Weights) -> float:
        total = 0.0
        for evidence, right in zip(weighed, rights, strict=True):
            odds = evidence @ weights
            total += np.logaddexp.reduce(odds) - np.logaddexp.reduce(odds[right])
        return total / len(weighed)

    return Ranking(*_least(cost, (0.3, 10.0)))


def fit_calibration(rows: Sequence[Read], ranking: Ranking, wrong: float) -> Calibration:
    """Logistic regression over the answers that `ranking` puts first.

    The threshold is the least at which at most the share `wrong` of the answers given is wrong,
    strangers left out: how many of those are asked is anybody's guess.
    """
    answers = [answer for row in rows if (answer := first(row, ranking))]
    inputs = np.array([features(found.evidence, share) for found, share in answers])
    signs = np.array([1.0 if found.right else -1.0 for found, _ in answers])

    def cost(weights: Weights) -> float:
        return float(np.logaddexp(0, -signs * (inputs @ weights)).mean())

    bias, margin, found, share, among = _least(cost, (-1.0, 0.3, 1.0, 1.0, 0.0))
    calibration = Calibration(bias, margin, found, share, among, threshold=0.0)
    judged = judge(rows, ranking, calibration)
    own = [answer for answer in judged if answer.trial.kind is not Kind.STRANGER]
    return replace(calibration, threshold=threshold_for(own, wrong))


def _least(cost: Callable[[Weights], float], start: Sequence[float]) -> list[float]:
    options = {"xatol": 1e-5, "fatol": 1e-9, "maxiter": 10_000}
    found = minimize(cost, np.array(start), method="Nelder-Mead", options=options)
    return [round(float(weight), 4) for weight in found.x]


def first(row: Read, ranking: Ranking) -> tuple[Found, float] | None:
    """The answer that a question gets when one is forced, with its share; None where nothing was
    found.
    """
    if not row.found:
        return None
    place, found = max(enumerate(row.found), key=lambda one: ranking.score(one[1].evidence))
    rivals = Rivals(ranking, [(found.text, found.evidence) for found in row.found])
    return found, rivals.share(place, found.text, found.evidence)


def judge(rows: Sequence[Read], ranking: Ranking, calibration: Calibration) -> Iterator[Judged]:
    """The forced answers of questions that have any passage."""
    for row in rows:
        if answer := first(row, ranking):
            found, share = answer
            yield Judged(row.trial, found, calibration.confidence(found.evidence, share))


def threshold_for(judged: Sequence[Judged], wrong: float) -> float:
    """The least confidence from which on at most the share `wrong` of the answers is wrong; 1 where
    there is none.
    """
    falling = sorted(judged, key=lambda answer: -answer.confidence)
    errors = np.cumsum([not answer.found.right for answer in falling])
    given = np.arange(1, len(falling) + 1)
    good = np.flatnonzero(errors <= wrong * given)
    return round(falling[int(good[-1])].confidence, 4) if len(good) else 1.0


def calibration_error(judged: Sequence[Judged]) -> float:
    """Expected calibration error of answers, of which there is one at least."""
    return metrics.calibration_error(*_told(judged)) or 0.0


def reliability(judged: Sequence[Judged]) -> list[metrics.Bin]:
    """For each bin that holds answers: mean confidence, share that is right, and how many."""
    return metrics.reliability(*_told(judged))


def _told(judged: Sequence[Judged]) -> tuple[list[float], list[bool]]:
    return [answer.confidence for answer in judged], [answer.found.right for answer in judged]
