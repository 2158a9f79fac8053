"""From what a model says of spans to an order of answers and a probability that one is right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rag.duplicates import words_of
from rag.tuning import logistic

_SMALLEST = 1e-6  # share
_FEWEST = 1000  # passages


class Evidence(NamedTuple):
    """What speaks for a span: `margin` is its logit above that of "no answer here", `found`
    retrieval's score of its passage, `among` how many passages were searched.
    """

    margin: float
    found: float
    among: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """Log-odds of spans from all passages against each other: the weights of their evidence."""

    margin: float = 1.0
    found: float = 0.0

    def score(self, evidence: Evidence) -> float:
        return self.margin * evidence.margin + self.found * evidence.found


class Rivals:
    """What one question's passages offer, to tell each answer's share of it.

    A span's share is its part of the odds (a conditional logit: McFadden, 1974); passages that give
    the same answer add up. Two answers are the same where one has all words of the other.
    """

    def __init__(self, ranking: Ranking, spans: Sequence[tuple[str, Evidence]]) -> None:
        """`spans` holds each passage's best, with its text; there is at least one."""
        self._ranking = ranking
        self.best = max((evidence for _, evidence in spans), key=ranking.score)
        self._odds = [(frozenset(words_of(text)), self._odd(found)) for text, found in spans]
        self._total = math.fsum(odds for _, odds in self._odds)

    def share(self, place: int, text: str, evidence: Evidence) -> float:
        """The share of a span of the passage at `place`, which may not be its best."""
        words = frozenset(words_of(text))
        agreeing = (
            odds for n, (said, odds) in enumerate(self._odds) if n != place and _same(words, said)
        )
        return min(1.0, (self._odd(evidence) + math.fsum(agreeing)) / self._total)

    def _odd(self, evidence: Evidence) -> float:
        return math.exp(self._ranking.score(evidence) - self._ranking.score(self.best))


def _same(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(one and other) and (one <= other or other <= one)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Logistic regression (Platt, 1999) to the probability that an answer is right.

    Below `threshold` an answer isn't given.
    """

    bias: float
    margin: float
    found: float
    share: float
    among: float
    threshold: float

    def confidence(self, best: Evidence, share: float) -> float:
        """From the evidence for the question's best span, which tells whether anything answers, and
        the answer's own share: so two answers that stand alike, as where files disagree, are
        equally sure, and each less than if it stood alone.
        """
        weights = (self.bias, self.margin, self.found, self.share, self.among)
        odds = sum(w * x for w, x in zip(weights, features(best, share), strict=True))
        return logistic(odds)


def features(best: Evidence, share: float) -> tuple[float, ...]:
    """What the regression's weights are multiplied with, 1 for the bias first.

    The more passages were searched, the better looks the best wrong one. Fewer than 1,000 count as
    1,000, because none smaller were fitted.
    """
    among = math.log10(max(best.among, _FEWEST))
    return 1.0, best.margin, best.found, math.log(max(share, _SMALLEST)), among
