"""Rows to figures: means, shares, curves and their intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypedDict

from rag.evaluation import metrics
from rag.evaluation.causes import Cause
from rag.evaluation.rows import Row
from rag.evaluation.statistics import Bootstrap, Statistic, Weights, weighted_mean

_RANKS = (
    "recall@1",
    "recall@5",
    "recall@10",
    "hit@1",
    "hit@5",
    "hit@10",
    "mrr@10",
    "ndcg@10",
    "map",
)
MEANS = (
    "right",
    *_RANKS,
    *(f"file_{name}" for name in _RANKS),
    "retrieved",
    "exact_match",
    "f1",
    "answer_in_sentence",
    "citation_source",
    "citation_paragraph",
    "citation_quote",
    "citation_verbatim",
    "answered",
    "wrongly_answered",
    "wrongly_refused",
    "rejected_again",
)
"""Figures that are means of a score over the questions that have it."""

SHARES = {f"cause_{cause}": cause for cause in Cause}
"""The share of the judged questions that failed for each cause."""

COMPARED = (*MEANS, *SHARES)
"""The figures that two runs can be compared by, question by question."""

_PARTS = (  # of SQuAD's figures, in mode reader
    "has_answer_exact_match",
    "has_answer_f1",
    "no_answer_f1",
    "forced_exact_match",
    "forced_f1",
)
_BEST = {"best_exact_match": "forced_exact_match", "best_f1": "forced_f1"}
_OTHERS = ("wrong_among_answered", "auroc", "calibration_error")
_LATENCIES = {f"latency_p{share}_ms": share / 100 for share in (50, 95, 99)}
KNOWN = (*MEANS, *_PARTS, *_BEST, *_OTHERS, *SHARES, *_LATENCIES)
"""Every figure that a run can have."""

LOWER_IS_BETTER = frozenset(
    {
        "wrongly_answered",
        "wrongly_refused",
        "rejected_again",
        "wrong_among_answered",
        "calibration_error",
        *SHARES,
        *_LATENCIES,
    }
)


def scores_of(row: Row, name: str) -> float | None:
    """A question's own part in a figure that is a mean; None where it has none."""
    if name in SHARES:
        return None if row["right"] is None else float(row["cause"] == SHARES[name])
    return row["scores"].get(name)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run comes to: figures (None where no question tells them), 95 % intervals, and how
    often each cause of failure was found.
    """

    metrics: Mapping[str, float | None]
    intervals: Mapping[str, tuple[float, float]]
    causes: Mapping[str, int]


def figures(rows: Sequence[Row]) -> Figures:
    """All figures of a run; intervals take about a second for a thousand questions."""
    statistics = _statistics(rows)
    once = np.ones(len(rows))
    means = {name: statistic(once) for name, statistic in statistics.items()}
    bootstrap = Bootstrap(len(rows))
    told = {
        name: found
        for name, statistic in statistics.items()
        if means[name] is not None and (found := bootstrap.interval(statistic))
    }
    times = [row["milliseconds"] for row in rows if row["milliseconds"] is not None]
    latencies = {
        name: metrics.percentile(times, share) if times else None
        for name, share in _LATENCIES.items()
    }
    causes = {cause.value: sum(row["cause"] == cause for row in rows) for cause in Cause}
    return Figures(means | latencies, told, causes)


def _statistics(rows: Sequence[Row]) -> dict[str, Statistic]:
    parts = [name for name in _PARTS if any(name in row["scores"] for row in rows)]
    wrong = [
        np.nan if not row["answered"] or (sound := row["sound"]) is None else 1.0 - sound
        for row in rows
    ]
    return {name: weighted_mean(column(rows, name)) for name in (*MEANS, *parts, *SHARES)} | {
        "wrong_among_answered": weighted_mean(np.array(wrong)),
        "auroc": _of_sure(metrics.auroc, rows, strength_of),
        "calibration_error": _of_sure(metrics.calibration_error, rows, confidence_of),
        **({name: _best(rows, forced) for name, forced in _BEST.items()} if parts else {}),
    }


def _best(rows: Sequence[Row], forced: str) -> Statistic:
    """What the best threshold would come to; a question without any span is refused by all."""
    lowest = -np.inf
    strengths = [lowest if row["strength"] is None else row["strength"] for row in rows]
    if_refused = np.array([float(not row["answerable"]) for row in rows])
    if_given = np.nan_to_num(column(rows, forced))
    return partial(metrics.best_by_threshold, np.array(strengths), if_given, if_refused)


def _of_sure(
    metric: Callable[..., float | None], rows: Sequence[Row], sure: Callable[[Row], float | None]
) -> Statistic:
    """A figure of how sure the reader was of what it said or would have said."""
    places, sures, sounds = _told(rows, sure)

    def figure(weights: Weights) -> float | None:
        return metric(sures, sounds, weights[places])

    return figure


def _told(
    rows: Sequence[Row], sure: Callable[[Row], float | None]
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.bool_]]:
    """The places of rows that say something, how sure it is, and whether it is sound."""
    told = [
        (place, how_sure, sound)
        for place, row in enumerate(rows)
        if (how_sure := sure(row)) is not None and (sound := row["sound"]) is not None
    ]
    return (
        np.array([place for place, _, _ in told], dtype=np.intp),
        np.array([how_sure for _, how_sure, _ in told], dtype=float),
        np.array([sound for *_, sound in told], dtype=bool),
    )


def strength_of(row: Row) -> float | None:
    """How strongly the reader stood by what it said or would have said; only their order counts."""
    return row["strength"]


def confidence_of(row: Row) -> float | None:
    """The probability that the reader gave it; None where it gives none."""
    said = row["answer"] or row["guess"]
    return said["confidence"] if said else None


def column(rows: Sequence[Row], name: str) -> NDArray[np.float64]:
    """One score of each question, NaN where it has none."""
    values = (scores_of(row, name) for row in rows)
    return np.array([np.nan if value is None else value for value in values])


RecallAt = tuple[int, float | None, float | None]
"""k, and recall at k by passage and by file; None where no question is judged so."""


class Curves(TypedDict):
    """Points for plots."""

    recall: Sequence[RecallAt]
    risk_coverage: list[metrics.Risk]
    reliability: list[metrics.Bin]


def curves(rows: Sequence[Row], recall: Sequence[RecallAt]) -> Curves:
    """How recall grows with k, how risk grows with coverage, and what confidence is worth."""
    judged = sum(row["right"] is not None for row in rows)
    _, strengths, sound = _told(rows, strength_of)
    _, confidences, sound_too = _told(rows, confidence_of)
    return Curves(
        recall=recall,
        risk_coverage=metrics.risk_coverage(strengths, sound, judged),
        reliability=metrics.reliability(confidences, sound_too),
    )
