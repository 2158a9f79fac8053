"""The threshold that keeps a promise: at most so many wrong among the answers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import beta

from rag.errors import InvalidInput, RagError
from rag.evaluation.run import Run
from rag.tuning import Tuning, logistic

_ALPHA = 0.05  # one-sided: the promise holds with 95 % certainty
_STEPS = 25  # thresholds that are tried
_SUREST = 0.2  # share of the answers that the strictest threshold gives
_RIDGE = 1e-3  # keeps the slope finite where strengths part right from wrong completely


class NoThreshold(RagError):
    """The questions support no promise; the message says what is missing."""


class Point(NamedTuple):
    """What answering from `confidence` on came to: `answered` questions, of them `wrong`, and the
    one-sided upper bound of the share of wrong ones.
    """

    confidence: float
    answered: int
    wrong: int
    bound: float


def upper_bound(wrong: int, answered: int) -> float:
    """The share of wrong answers that is not exceeded with 95 % certainty (Clopper and Pearson,
    1934), where `wrong` of `answered` were.
    """
    if wrong >= answered:
        return 1.0
    return float(beta.ppf(1 - _ALPHA, wrong + 1, answered - wrong))


def fewest(max_wrong: float) -> int:
    """How many answers without an error it takes to promise at most this share of wrong ones.

    Raises `InvalidInput` for what is no share.
    """
    if not 0 < max_wrong < 1:
        raise InvalidInput(
            f"--max-wrong is {max_wrong}: give a share between 0 and 1, such as 0.05"
        )
    return math.ceil(math.log(_ALPHA) / math.log(1 - max_wrong))


def calibrated(run: Run, max_wrong: float) -> Tuning:
    """The tuning that a run's questions support: confidence as a probability, and the least
    threshold from which on at most `max_wrong` of the answers are wrong, with 95 % certainty.

    Thresholds are tried from the strictest on and the first that fails ends it, so that trying
    many costs no certainty (fixed-sequence testing, as in Angelopoulos et al., "Learn then Test",
    2021). The strictest one gives the surest fifth of the answers, or the `fewest` that can do.

    Raises `NoThreshold` where the questions are too few, or none keeps the promise.
    """
    if not 0 < max_wrong < 1:
        raise InvalidInput(
            f"--max-wrong is {max_wrong}: give a share between 0 and 1, such as 0.05"
        )
    said = [
        (row["strength"], row["sound"])
        for row in run["rows"]
        if row["strength"] is not None and row["sound"] is not None
    ]
    needed = fewest(max_wrong)
    if len(said) < needed:
        raise NoThreshold(
            f"{needed - len(said)} more questions are needed: to promise at most {max_wrong:.0%} "
            f"wrong takes {needed} answers without an error, and these questions give {len(said)}"
        )
    order = sorted(said, key=lambda one: -one[0])
    strengths = np.array([strength for strength, _ in order])
    rights = np.array([is_right for _, is_right in order])
    slope, intercept = _fitted(strengths, rights)
    # By the very function that a tuning applies, so that the threshold means the same there.
    confidences = np.array([logistic(slope * one + intercept) for one in strengths.tolist()])
    points = _points(confidences, rights, needed)
    kept = [*takewhile(lambda point: point.bound <= max_wrong, points)]
    if not kept:
        raise NoThreshold(_refusal(points[0], max_wrong, len(said)))
    return Tuning(
        reader=run["settings"]["reader"],
        slope=slope,
        intercept=intercept,
        threshold=kept[-1].confidence,
        date=run["date"][:10],
        evidence={
            "max_wrong": max_wrong,
            "questions": len(run["rows"]),
            "question_set": run["question_set"]["fingerprint"],
            "answered": kept[-1].answered,
            "wrong": kept[-1].wrong,
            "bound": kept[-1].bound,
            "curve": [point._asdict() for point in points],
        },
    )


def _fitted(strengths: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and intercept of the logistic regression of right on strength (Platt, 1999)."""
    signs = np.where(right, 1.0, -1.0)

    def cost(weights: NDArray[np.float64]) -> float:
        slope, intercept = weights
        loss = np.logaddexp(0, -signs * (slope * strengths + intercept)).mean()
        return float(loss + _RIDGE * slope**2)

    slope, intercept = minimize(cost, np.array([1.0, 0.0]), method="Nelder-Mead").x
    if slope <= 0:
        raise NoThreshold(
            "the reader's confidence does not tell right from wrong answers on these questions, so "
            "no threshold helps: look at the causes of failure first"
        )
    return float(slope), float(intercept)


def _points(confidences: NDArray[np.float64], right: NDArray[np.bool_], needed: int) -> list[Point]:
    """What each threshold would mean, the strictest first. `confidences` fall."""
    count = len(right)
    first = max(needed, math.ceil(_SUREST * count))
    wrong = np.cumsum(~right)
    points: list[Point] = []
    for answered in np.unique(np.geomspace(first, count, _STEPS).round().astype(int)).tolist():
        confidence = float(confidences[answered - 1])
        # Answers as sure as the last one are given with it.
        given = int((confidences >= confidence).sum())
        errors = int(wrong[given - 1])
        points.append(Point(confidence, given, errors, upper_bound(errors, given)))
    return points


def _refusal(surest: Point, max_wrong: float, questions: int) -> str:
    rate = surest.wrong / surest.answered
    told = f"of the {surest.answered} surest answers {surest.wrong} are wrong"
    if rate >= max_wrong:
        return f"{told}: no threshold keeps {max_wrong:.0%}; look at the causes of failure first"
    enough = surest.answered
    while upper_bound(math.ceil(rate * enough), enough) > max_wrong:
        enough += 1
    more = math.ceil(questions * (enough / surest.answered - 1))
    return (
        f"{told}, which by chance may stand for {surest.bound:.1%}: about {more} more questions "
        f"are needed to promise {max_wrong:.0%}"
    )


def lines(tuning: Tuning, file: Path) -> Iterator[str]:
    """The promise in words, for a terminal."""
    told = tuning.evidence
    yield ""
    yield (
        f"threshold {tuning.threshold:.3f}: of {told['questions']} questions {told['answered']} "
        f"get an answer, {told['wrong']} of them a wrong one"
    )
    yield (
        f"at most {told['max_wrong']:.0%} of the answers are wrong, with 95 % certainty (bound "
        f"{told['bound']:.1%}): for questions like these, over files like these, with this reader"
    )
    yield f"written to {file}; from now on it is used. Delete it to go back."
