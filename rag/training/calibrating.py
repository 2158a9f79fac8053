"""Fits the order of answers and the probability that one is right, open domain.

Everything is fitted on what the reader says of the passages that retrieval found, because a
threshold fitted on the right paragraphs is over-confident: the best false score grows with the
number of passages read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from rag.reading.confidence import Calibration, Evidence, Ranking, bounded, rivals
from rag.training.trials import Found, Read, Trial


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
    features = [np.array([found.evidence for found in row.found]) for row in telling]
    rights = [np.array([found.right for found in row.found]) for row in telling]

    def cost(weights: NDArray[np.float64]) -> float:
        total = 0.0
        for evidence, right in zip(features, rights, strict=True):
            logits = evidence @ weights
            total += np.logaddexp.reduce(logits) - np.logaddexp.reduce(logits[right])
        return total / len(features)

    best = minimize(cost, np.array([1.0, 0.5, 5.0]), method="Nelder-Mead", tol=1e-4).x
    margin, selection, found = (round(float(weight), 4) for weight in best / best[0])
    return Ranking(margin, selection, found)


def fit_calibration(rows: Sequence[Read], ranking: Ranking, wrong: float) -> Calibration:
    """Logistic regression over the answers that `ranking` puts first.

    The threshold is the least at which at most the share `wrong` of the answers given is wrong.
    """
    answers = [best for row in rows if (best := first(row, ranking))]
    inputs = np.array([_features(*answer[1:]) for answer in answers])
    right = np.array([answer[0].right for answer in answers])
    model = LogisticRegression(C=1e3, max_iter=1000).fit(inputs, right)
    score, selection, found, lead = (round(float(weight), 4) for weight in model.coef_[0])
    bias = round(float(model.intercept_[0]), 4)
    calibration = Calibration(bias, score, selection, found, lead, threshold=0.0)
    judged = list(judge(rows, ranking, calibration))
    return replace(calibration, threshold=threshold_for(judged, wrong))


def first(row: Read, ranking: Ranking) -> tuple[Found, Evidence, float, float] | None:
    """The answer given to a question when one is forced: with its evidence, score and rival."""
    scores = [ranking.score(found.evidence) for found in row.found]
    if not scores:
        return None
    place = int(np.argmax(scores))
    return row.found[place], row.found[place].evidence, scores[place], rivals(scores)[place]


def judge(rows: Sequence[Read], ranking: Ranking, calibration: Calibration) -> Iterator[Judged]:
    """The forced answers of questions that have any passage."""
    for row in rows:
        if answer := first(row, ranking):
            found, evidence, score, rival = answer
            confidence = calibration.confidence(score, rival, evidence)
            yield Judged(row.trial, found, confidence)


def threshold_for(judged: Sequence[Judged], wrong: float) -> float:
    """The least confidence from which on at most the share `wrong` of the answers is wrong; 1 where
    there is none.
    """
    falling = sorted(judged, key=lambda answer: -answer.confidence)
    errors = np.cumsum([not answer.found.right for answer in falling])
    given = np.arange(1, len(falling) + 1)
    good = np.flatnonzero(errors <= wrong * given)
    return round(falling[int(good[-1])].confidence, 4) if len(good) else 1.0


def calibration_error(judged: Sequence[Judged], bins: int = 10) -> float:
    """Expected calibration error with bins of equal width (Guo et al., 2017)."""
    return sum(
        abs(confidence - right) * count for confidence, right, count in reliability(judged, bins)
    ) / len(judged)


def reliability(judged: Sequence[Judged], bins: int = 10) -> list[tuple[float, float, int]]:
    """For each bin that holds answers: mean confidence, share that is right, and how many."""
    groups: dict[int, list[Judged]] = {}
    for answer in judged:
        groups.setdefault(min(bins - 1, int(answer.confidence * bins)), []).append(answer)
    return [
        (
            sum(answer.confidence for answer in group) / len(group),
            sum(answer.found.right for answer in group) / len(group),
            len(group),
        )
        for _, group in sorted(groups.items())
    ]


def _features(evidence: Evidence, score: float, rival: float) -> list[float]:
    return [score, evidence.selection, evidence.found, bounded(score - rival)]
