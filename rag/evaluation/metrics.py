"""Metrics as pure functions; retrieval's are in `ranking`."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_HALF = 0.5  # of the words, as F1
_BINS = 10  # of equal width, as in Guo et al., 2017


# Answers


def normalised(answer: str) -> str:
    """As in SQuAD's published script: lower case, no ASCII punctuation, articles or extra space."""
    bare = answer.lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", bare).split())


def exact_match(answer: str, accepted: Sequence[str]) -> float:
    """1 if the answer is one of the accepted; an empty answer is right where none is accepted."""
    return float(normalised(answer) in _golds(accepted))


def f1(answer: str, accepted: Sequence[str]) -> float:
    """The best overlap of words with an accepted answer, as in SQuAD's published script."""
    return max(_f1(normalised(answer).split(), gold.split()) for gold in _golds(accepted))


def _golds(accepted: Sequence[str]) -> list[str]:
    """Normalised; one of which nothing is left is none, as in the published script."""
    return [gold for gold in map(normalised, accepted) if gold] or [""]


def _f1(given: Sequence[str], gold: Sequence[str]) -> float:
    if not given or not gold:
        return float(given == gold)
    same = sum((Counter(given) & Counter(gold)).values())
    # 2PR / (P + R) with P = same / given and R = same / gold.
    return 2 * same / (len(given) + len(gold))


def holds(text: str, accepted: Sequence[str]) -> bool:
    """Whether an accepted answer stands in the text, as whole words."""
    given = f" {normalised(text)} "
    return any(f" {normalised(answer)} " in given for answer in accepted)


def is_right(answer: str, accepted: Sequence[str]) -> bool:
    """The marked words are an accepted answer: they share more than half of their words with one,
    as F1, or hold it whole.
    """
    return bool(accepted) and (f1(answer, accepted) > _HALF or holds(answer, accepted))


def is_sound(answer: str, sentence: str, accepted: Sequence[str]) -> bool:
    """What a reader's confidence promises: the sentence that is shown holds an accepted answer, or
    the marked words share half of theirs with one.
    """
    return bool(accepted) and (f1(answer, accepted) >= _HALF or holds(sentence, accepted))


# Refusing and confidence
#
# `strengths` rise with how sure an answer is; `right` says which answers are right. `weights` count
# a question more than once, as a bootstrap does.


def auroc(
    strengths: ArrayLike, right: ArrayLike, weights: NDArray[np.float64] | None = None
) -> float | None:
    """The chance that a right answer is surer than a wrong one, ties counting half; None where
    there is no pair. It is the area under the ROC curve (Hanley and McNeil, 1982).
    """
    sure, is_right = np.asarray(strengths, float), np.asarray(right, bool)
    weighed = np.ones(len(sure)) if weights is None else weights
    _, group = np.unique(sure, return_inverse=True)
    good = np.bincount(group, weighed * is_right)
    bad = np.bincount(group, weighed * ~is_right)
    pairs = good.sum() * bad.sum()
    if not pairs:
        return None
    below = np.cumsum(bad) - bad
    return float((good * (below + bad / 2)).sum() / pairs)


def best_by_threshold(
    strengths: NDArray[np.float64],
    if_given: NDArray[np.float64],
    if_refused: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> float:
    """The best mean score that any threshold on the strengths reaches: answers from it on count as
    `if_given`, the others as `if_refused`. SQuAD 2.0's script calls it best_exact and best_f1.
    """
    order = np.argsort(-strengths, kind="stable")
    gains = np.cumsum((weights * (if_given - if_refused))[order])
    last = np.append(strengths[order][1:] != strengths[order][:-1], True)
    none_given = float(weights @ if_refused)
    return (none_given + max(0.0, float(gains[last].max()))) / float(weights.sum())


class Risk(NamedTuple):
    """What answering from `strength` on would mean: the share of all questions that is answered,
    and the share of those answers that is wrong.
    """

    coverage: float
    risk: float
    strength: float


def risk_coverage(
    strengths: ArrayLike, right: ArrayLike, questions: int, points: int = 200
) -> list[Risk]:
    """The risk–coverage curve (El-Yaniv and Wiener, 2010) from the surest answer to all of them, at
    most so many points; `questions` counts those without any answer too.
    """
    sure = np.asarray(strengths, float)
    if not len(sure):
        return []
    order = np.argsort(-sure, kind="stable")
    sure = sure[order]
    wrong = np.cumsum(~np.asarray(right, bool)[order])
    # Answers as sure as each other are given together.
    last = np.flatnonzero(np.append(sure[1:] != sure[:-1], True))
    chosen = last[np.unique(np.linspace(0, len(last) - 1, points).round().astype(int))]
    return [
        Risk((i + 1) / questions, float(wrong[i]) / (i + 1), float(sure[i]))
        for i in chosen.tolist()
    ]


class Bin(NamedTuple):
    """Answers of about one confidence: their mean, the share that is right, and how many."""

    confidence: float
    right: float
    answers: float


def reliability(
    confidences: ArrayLike, right: ArrayLike, weights: NDArray[np.float64] | None = None
) -> list[Bin]:
    """The reliability diagram: ten bins of equal width, those without an answer left out."""
    sure, is_right = np.asarray(confidences, float), np.asarray(right, float)
    weighed = np.ones(len(sure)) if weights is None else weights
    places = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    counts, sums, rights = (
        np.bincount(places, weighed * values, _BINS) for values in (1.0, sure, is_right)
    )
    return [
        Bin(float(sums[i] / counts[i]), float(rights[i] / counts[i]), float(counts[i]))
        for i in np.flatnonzero(counts)
    ]


def calibration_error(
    confidences: ArrayLike, right: ArrayLike, weights: NDArray[np.float64] | None = None
) -> float | None:
    """Expected calibration error over the bins of `reliability`; None without an answer."""
    bins = reliability(confidences, right, weights)
    total = sum(one.answers for one in bins)
    return (
        sum(abs(one.confidence - one.right) * one.answers for one in bins) / total if bins else None
    )


# Time


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 100) // 100) - 1)]
