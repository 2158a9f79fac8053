"""A collection's own calibration: what it does to a candidate, and its file."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from rag.errors import StoreUnreadable
from rag.tuning import Tuning, Tunings, strength
from rag.types import Candidate, Hit, Origin, Passage, Span

_SPAN = Span(0, 4)
_HIT = Hit(
    Passage("d", 0, _SPAN, "Here", "", "", (_SPAN,), paragraph=1),
    Origin("d", "default", "", "a.txt", "A", None, None, "", "", "text/1"),
    1.0,
    among=1,
)


def _candidate(confidence: float | None, score: float = 0.0) -> Candidate:
    return Candidate(_HIT, _SPAN, _SPAN, score, supported=True, confidence=confidence)


def _tuning(slope: float, intercept: float, threshold: float = 0.5) -> Tuning:
    return Tuning("reader@1", slope, intercept, threshold, "2026-11-25")


def test_strength() -> None:
    assert strength(_candidate(0.8)) == pytest.approx(math.log(4))
    assert strength(_candidate(None, score=2.5)) == 2.5
    assert math.isfinite(strength(_candidate(0.0)))
    assert math.isfinite(strength(_candidate(1.0)))


def test_applied() -> None:
    assert _tuning(1, 0).applied(_candidate(0.8)).confidence == pytest.approx(0.8)
    # The odds of 0.8 are 4 to 1; squared and halved they are 8 to 1.
    tuned = _tuning(2, math.log(0.5), threshold=0.89).applied(_candidate(0.8))
    assert tuned.confidence == pytest.approx(8 / 9)
    assert not tuned.supported
    # A reader without a confidence gets one.
    assert _tuning(1, -1).applied(_candidate(None, score=1.0)).confidence == pytest.approx(0.5)
    assert _tuning(900, 900).applied(_candidate(1.0)).confidence == pytest.approx(1)


def test_kept_for_one_collection_and_one_reader(tmp_path: Path) -> None:
    tunings = Tunings(tmp_path)
    assert tunings.of("default", "reader@1") is None
    tunings.write("default", _tuning(1, 0))
    assert tunings.of("default", "reader@1") == Tunings(tmp_path).of("default", "reader@1")
    assert tunings.of("default", "reader@2") is None
    assert tunings.of("other", "reader@1") is None


def test_another_process_is_followed(tmp_path: Path) -> None:
    mine, others = Tunings(tmp_path), Tunings(tmp_path)
    mine.write("default", _tuning(1, 0))
    assert mine.of("default", "reader@1") == _tuning(1, 0)
    path = others.write("default", _tuning(2, 0))
    assert mine.of("default", "reader@1") == _tuning(2, 0)
    path.unlink()
    assert mine.of("default", "reader@1") is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"reader": "r"}'])
def test_a_damaged_file_is_no_silence(tmp_path: Path, content: str) -> None:
    tunings = Tunings(tmp_path)
    tunings.write("default", _tuning(1, 0)).write_text(content)
    with pytest.raises(StoreUnreadable, match="--calibrate"):
        Tunings(tmp_path).of("default", "reader@1")
