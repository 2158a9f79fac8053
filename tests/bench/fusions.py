"""Ways of fusing two legs that were measured beside the one in use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.fusion import fuse

Floats = NDArray[np.float64]
Ranking = list[int]


@dataclass(frozen=True)
class Candidates:
    """What the legs found for one question, in the order of `ids`.

    `words` is 0 where the word leg did not find the passage; `listed` are the legs' own rankings.
    """

    ids: list[int]
    dense: Floats
    words: Floats
    listed: tuple[Ranking, Ranking]


Way = Callable[[Candidates], Ranking]


def shipped(found: Candidates) -> Ranking:
    """The project's own way."""
    words = {i: score for i, score in zip(found.ids, found.words, strict=True) if score}
    return [i for i, _ in fuse(dict(zip(found.ids, found.dense, strict=True)), words)]


def _reciprocal_ranks(weight: float, k: int) -> Way:
    """Weighted reciprocal rank fusion (Cormack et al., 2009)."""

    def rank(found: Candidates) -> Ranking:
        scores = dict.fromkeys(found.ids, 0.0)
        for leg, share in zip(found.listed, (weight, 1 - weight), strict=True):
            for place, i in enumerate(leg, 1):
                scores[i] += share / (k + place)
        return sorted(scores, key=lambda i: -scores[i])

    return rank


def _convex(
    weight: float, dense: Callable[[Floats], Floats], words: Callable[[Floats], Floats]
) -> Way:
    """A weighted mean of scores, each leg's normalised in its own way (Bruch et al., 2023)."""

    def rank(found: Candidates) -> Ranking:
        scores = weight * dense(found.dense) + (1 - weight) * words(found.words)
        return [found.ids[n] for n in np.argsort(-scores, kind="stable")]

    return rank


def _as_is(scores: Floats) -> Floats:
    return scores


def _by_top(scores: Floats) -> Floats:
    return scores / max(float(scores.max()), 1e-9)


def _cosine_by_top(scores: Floats) -> Floats:
    return (scores + 1) / (float(scores.max()) + 1)


def _minmax(scores: Floats) -> Floats:
    return (scores - float(scores.min())) / max(float(np.ptp(scores)), 1e-9)


def _z(scores: Floats) -> Floats:
    return (scores - float(scores.mean())) / max(float(scores.std()), 1e-9)


def _three_sigma(scores: Floats) -> Floats:
    return (_z(scores) / 6 + 0.5).clip(0, 1)


def _log_odds(scores: Floats) -> Floats:
    return np.asarray(np.log((1 + scores).clip(1e-6) / (1 - scores).clip(1e-6)))


TRIED: list[tuple[str, Way]] = [
    *(
        (f"reciprocal ranks, k = {k}, dense {weight}", _reciprocal_ranks(weight, k))
        for weight, k in ((0.5, 60), (0.3, 60), (0.5, 2), (0.4, 2), (0.3, 2))
    ),
    *(
        (f"{name}, dense {weight}", _convex(weight, dense, words))
        for name, weights, dense, words in (
            ("min-max", (0.5, 0.6), _minmax, _minmax),
            ("theoretical min-max", (0.5, 0.7), _cosine_by_top, _by_top),
            ("z-scores", (0.5, 0.6), _z, _z),
            ("mean ± 3 deviations, clipped", (0.3, 0.5), _three_sigma, _three_sigma),
            ("log-odds of the cosine, z-score of BM25", (0.7, 0.8), _log_odds, _z),
            ("cosine, share of the best found", (0.5, 0.6), _as_is, _by_top),
            ("cosine, share of the most possible", (0.3, 0.4, 0.6), _as_is, _as_is),
        )
        for weight in weights
    ),
]
