"""From what a model says of a span to an order of answers and a probability that one is right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

_FARTHEST = 20.0  # between logits: beyond it a probability is 0 or 1 to any use


class Evidence(NamedTuple):
    """What speaks for a span.

    `margin` is its logit above that of "no answer here", `selection` the logit that its passage
    answers at all (0 where the model doesn't tell), `found` retrieval's score of the passage.
    """

    margin: float
    selection: float
    found: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """A linear order of spans from all passages: the weights of `Evidence`."""

    margin: float = 1.0
    selection: float = 0.0
    found: float = 0.0

    def score(self, evidence: Evidence) -> float:
        return (
            self.margin * evidence.margin
            + self.selection * evidence.selection
            + self.found * evidence.found
        )


@dataclass(frozen=True, slots=True)
class Calibration:
    """Logistic regression to the probability that an answer is right (Platt, 1999).

    `lead` weighs how far the span's score is above the best of any other passage, at most
    20: how alone it stands. Below `threshold` an answer isn't given.
    """

    bias: float
    score: float
    selection: float
    found: float
    lead: float
    threshold: float

    def confidence(self, score: float, rival: float, evidence: Evidence) -> float:
        """The probability for a span with this score, `rival` being the best elsewhere."""
        logit = (
            self.bias
            + self.score * score
            + self.lead * bounded(score - rival)
            + self.selection * evidence.selection
            + self.found * evidence.found
        )
        return 1 / (1 + math.exp(-bounded(logit)))


def bounded(logits: float) -> float:
    """A distance between logits, at most 20 either way; one from nothing is infinite."""
    return max(-_FARTHEST, min(_FARTHEST, logits))


def rivals(best: Sequence[float]) -> list[float]:
    """For each passage's best score, the best of the others; minus infinity where there is none."""
    first, second = sorted([*best, -math.inf, -math.inf], reverse=True)[:2]
    return [second if score == first else first for score in best]
