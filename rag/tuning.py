"""A collection's own calibration: what its reader's scores are worth on questions like its users'.

Fitted by `rag eval --calibrate` and kept beside the index, a file for each collection.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from rag.durability import make_folder, write_whole
from rag.errors import StoreUnreadable
from rag.types import Candidate

_FOLDER = "calibration"
_FARTHEST = 50.0  # log-odds: beyond it a probability is 0 or 1 to any use
_EDGE = 1e-9  # probabilities are kept this far from 0 and 1, so that their log-odds are finite


@dataclass(frozen=True, slots=True)
class Tuning:
    """Confidence is logistic(`slope` * x + `intercept`), where x is the log-odds of the reader's
    own confidence, or its score where it has none (Platt, 1999); answers below `threshold` aren't
    given. `reader` names the reader that it was fitted for, `date` is the day.

    `evidence` is what the promise rests on: counts, the bound, and the curve.
    """

    reader: str
    slope: float
    intercept: float
    threshold: float
    date: str
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def applied(self, candidate: Candidate) -> Candidate:
        """The candidate with its tuned confidence."""
        confidence = logistic(self.slope * strength(candidate) + self.intercept)
        return replace(candidate, confidence=confidence, supported=confidence >= self.threshold)


def logistic(odds: float) -> float:
    """The probability that these log-odds stand for."""
    return 1 / (1 + math.exp(-max(-_FARTHEST, min(_FARTHEST, odds))))


def strength(candidate: Candidate) -> float:
    """What a tuning is fitted on: the log-odds of the confidence, or the score without one."""
    if candidate.confidence is None:
        return candidate.score
    sure = min(1 - _EDGE, max(_EDGE, candidate.confidence))
    return math.log(sure / (1 - sure))


class Tunings:
    """The tunings in an index's folder; a change by another process is seen at the next call."""

    def __init__(self, home: Path) -> None:
        self._folder = home / _FOLDER
        self._read: dict[str, tuple[int, Tuning]] = {}

    def of(self, collection: str, reader: str) -> Tuning | None:
        """The collection's tuning, if it has one that was fitted for this reader.

        Raises `StoreUnreadable` for a file that isn't one: a promise must not be dropped silently.
        """
        path = self.path(collection)
        try:
            changed = path.stat().st_mtime_ns
            known = self._read.get(collection)
            if known is None or known[0] != changed:
                known = (changed, Tuning(**json.loads(path.read_text("utf-8"))))
                self._read[collection] = known
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise StoreUnreadable(
                f"{path} can't be read ({error}): fit it again with `rag eval --calibrate`, or "
                "delete it to go back to the reader's own threshold"
            ) from error
        return known[1] if known[1].reader == reader else None

    def write(self, collection: str, tuning: Tuning) -> Path:
        """Keeps a tuning, whole or not at all."""
        path = self.path(collection)
        make_folder(path.parent)
        write_whole(path, json.dumps(asdict(tuning), indent=1))
        return path

    def path(self, collection: str) -> Path:
        """Where the collection's tuning is, if it has one."""
        return self._folder / f"{collection}.json"
