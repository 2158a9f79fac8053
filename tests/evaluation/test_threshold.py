"""The promise of a threshold: its bound, its refusals, and that it holds."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.errors import InvalidInput
from rag.evaluation.run import Run
from rag.evaluation.threshold import NoThreshold, calibrated, fewest, lines, upper_bound


def _run(strengths: Any, sound: Any) -> Run:
    rows = [
        {"strength": None if s is None else float(s), "sound": None if r is None else bool(r)}
        for s, r in zip(strengths, sound, strict=True)
    ]
    run: Any = {
        "rows": rows,
        "settings": {"reader": "reader@1"},
        "date": "2026-11-25T10:00:00+00:00",
        "question_set": {"fingerprint": "f"},
    }
    made: Run = run
    return made


def test_upper_bound() -> None:
    # Without an error the bound p solves (1 - p) ** n = 0.05.
    assert upper_bound(0, 59) == pytest.approx(1 - 0.05 ** (1 / 59))
    assert upper_bound(0, 59) < 0.05 < upper_bound(0, 58)
    assert upper_bound(1, 93) < 0.05 < upper_bound(1, 92)  # in the usual tables of sample sizes
    assert upper_bound(5, 5) == upper_bound(0, 0) == 1


@pytest.mark.parametrize(("share", "count"), [(0.05, 59), (0.1, 29), (0.01, 299), (0.5, 5)])
def test_fewest(share: float, count: int) -> None:
    assert fewest(share) == count
    assert upper_bound(0, count) <= share < upper_bound(0, count - 1)


@pytest.mark.parametrize("share", [0, 1, -0.1, 5, math.nan])
def test_what_is_no_share(share: float) -> None:
    with pytest.raises(InvalidInput, match="--max-wrong"):
        fewest(share)


def test_too_few_questions() -> None:
    with pytest.raises(NoThreshold, match="19 more questions are needed"):
        calibrated(_run([*range(40), None], [True] * 41), 0.05)
    # Rows that nobody has judged don't count.
    with pytest.raises(NoThreshold, match="59 more questions"):
        calibrated(_run(range(90), [None] * 90), 0.05)


def test_by_hand() -> None:
    """100 right answers above 100 wrong ones: the right ones are given and nothing else."""
    tuning = calibrated(_run(range(200), [False] * 100 + [True] * 100), 0.05)
    confidences = [1 / (1 + math.exp(-(tuning.slope * s + tuning.intercept))) for s in range(200)]
    given = [s for s in range(200) if confidences[s] >= tuning.threshold]
    assert given[0] >= 99
    assert (tuning.evidence["answered"], tuning.evidence["wrong"]) == (len(given), given[0] == 99)
    assert tuning.evidence["bound"] <= 0.05
    assert (tuning.reader, tuning.date) == ("reader@1", "2026-11-25")
    told = "\n".join(lines(tuning, Path("calibration/default.json")))
    assert "questions like these" in told
    assert "95 % certainty" in told


def test_answers_as_sure_as_each_other_are_given_together() -> None:
    """59 right answers at the same strength as 59 wrong ones promise nothing."""
    sound = [True] * 59 + [False] * 59
    with pytest.raises(NoThreshold):
        calibrated(_run([1.0] * 118, sound), 0.05)


def test_strengths_that_tell_nothing() -> None:
    with pytest.raises(NoThreshold, match="does not tell right from wrong"):
        calibrated(_run(range(200), [True] * 100 + [False] * 100), 0.05)


def test_more_questions_are_asked_for() -> None:
    # Of 100 sure answers 2 are wrong: a rate that could do, but not with so few.
    sound = [True, False] * 50 + [True] * 98 + [False] * 2
    with pytest.raises(NoThreshold, match=r"surest answers .* more questions are needed"):
        calibrated(_run([*np.linspace(0, 0.1, 100), *np.linspace(5, 6, 100)], sound), 0.05)


def test_the_promise_holds() -> None:
    """Of 200 question sets from a world whose truth is known, at most 5 % may break it."""
    rng = np.random.default_rng(11)
    world = rng.normal(2.5, 2, 100_000)
    chances = 1 / (1 + np.exp(-world))
    broken, answered = 0, 0
    for _ in range(200):
        strengths = rng.normal(2.5, 2, 600)
        sound = rng.random(600) < 1 / (1 + np.exp(-strengths))
        try:
            tuning = calibrated(_run(strengths, sound), 0.05)
        except NoThreshold:
            continue
        least = math.log(tuning.threshold / (1 - tuning.threshold)) - tuning.intercept
        given = world >= least / tuning.slope
        answered += 1
        broken += bool((1 - chances[given]).mean() > 0.05)
    assert answered > 100
    assert broken <= 10
