"""Fits on made-up evidence whose truth is known, and figures by hand."""

from __future__ import annotations

import math
import random

import pytest

from embeddings.hashing import HashingEmbedder
from rag.evaluation.squad import SquadParagraph, SquadQuestion
from rag.reading.confidence import Evidence, Ranking
from rag.reading.models import WEIGHTS
from rag.reading.span_reader import SpanReader
from rag.training.calibrating import (
    Judged,
    calibration_error,
    first,
    fit_calibration,
    fit_ranking,
    judge,
    threshold_for,
)
from rag.training.library import Library
from rag.training.trials import Found, Kind, Read, Trial, drawn, halves, is_exact, read
from rag.types import Span

ASKED = Trial(Kind.ANSWERABLE, "When?", ("1911",), 0)


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("in October 1973", True),  # F1 of 2/3
        ("October", True),
        ("a war that began in October 1973", True),  # holds it
        ("1973 and 1974 and 1975 and so on", False),  # F1 of 2/9
        ("1974", False),
        ("", False),
    ],
)
def test_exact(answer: str, right: bool) -> None:
    assert is_exact(answer, ["October 1973"]) == right
    assert not is_exact(answer, [])


def _found(margin: float, right: bool, found: float = 0.5, text: str = "1911") -> Found:
    return Found(0, text, Evidence(margin, found, 1000), right, right)


def _judged(confidence: float, right: bool) -> Judged:
    return Judged(ASKED, _found(0.0, right), confidence)


def test_error_by_hand() -> None:
    # Bin .9: said .95, half right; bin .3: said .35, none right. (.45 * 2 + .35 * 1) / 3.
    judged = [_judged(0.95, True), _judged(0.95, False), _judged(0.35, False)]
    assert calibration_error(judged) == pytest.approx((0.45 * 2 + 0.35) / 3)


def test_threshold_by_hand() -> None:
    judged = [_judged(0.9, True), _judged(0.8, False), _judged(0.7, True), _judged(0.6, True)]
    assert threshold_for(judged, wrong=0.25) == 0.6  # one of four is wrong
    assert threshold_for(judged, wrong=0.2) == 0.9
    assert threshold_for([_judged(0.9, False)], wrong=0.2) == 1.0


def test_ranking_learns_which_evidence_tells() -> None:
    rng = random.Random(1)  # noqa: S311
    rows = []
    for _ in range(300):  # retrieval's score tells, the margin hardly does
        right = [_found(rng.gauss(1, 2), True, rng.gauss(0.8, 0.1))]
        wrong = [_found(rng.gauss(0, 2), False, rng.gauss(0.4, 0.1)) for _ in range(4)]
        rows.append(Read(ASKED, right + wrong))
    ranking = fit_ranking(rows)
    assert ranking.found > 20 * ranking.margin > 0

    def hits(weights: Ranking) -> int:
        return sum(answer[0].right for row in rows if (answer := first(row, weights)))

    assert hits(ranking) > 280 > hits(Ranking())


def test_the_first_answer_by_hand() -> None:
    row = Read(ASKED, [_found(1.0, False, text="1912"), _found(2.0, True), _found(1.0, True)])
    answer = first(row, Ranking())
    assert answer is not None
    found, share = answer
    assert found is row.found[1]
    # The third says the same: (1 + 1/e) of (1 + 2/e).
    assert share == pytest.approx((1 + math.exp(-1)) / (1 + 2 * math.exp(-1)))
    assert first(Read(ASKED, []), Ranking()) is None


def test_an_answer_that_another_contradicts_is_less_sure() -> None:
    rng = random.Random(3)  # noqa: S311
    rows = []
    for _ in range(2000):  # of two years that stand alike one is right; one alone mostly is
        truth = rng.random() < 0.5
        rows.append(Read(ASKED, [_found(4.0, truth), _found(4.0, not truth, text="1912")]))
        rows.append(Read(ASKED, [_found(4.0, rng.random() < 0.9)]))
    calibration = fit_calibration(rows, Ranking(), wrong=0.1)
    best = Evidence(4.0, 0.5, 1000)
    assert calibration.confidence(best, 0.5) == pytest.approx(0.5, abs=0.03)
    assert calibration.confidence(best, 1.0) == pytest.approx(0.9, abs=0.03)


def test_confidence_is_the_share_that_is_right() -> None:
    rng = random.Random(2)  # noqa: S311
    rows = []
    for _ in range(4000):
        margin = rng.uniform(-6, 6)
        right = rng.random() < 1 / (1 + math.exp(-margin))
        rows.append(Read(ASKED, [_found(margin, right), _found(-20.0, False)]))
    calibration = fit_calibration(rows, Ranking(), wrong=0.1)
    judged = list(judge(rows, Ranking(), calibration))
    assert calibration_error(judged) < 0.03
    given = [answer for answer in judged if answer.confidence >= calibration.threshold]
    assert sum(not answer.found.right for answer in given) <= 0.1 * len(given)
    # From margin a on the mean of the logistic is .9 at a = .35: 5.65 of 12 are given.
    assert len(given) == pytest.approx(5.65 / 12 * len(rows), rel=0.1)


def test_questions_of_each_kind_are_read() -> None:
    def paragraph(title: str, text: str, words: str) -> SquadParagraph:
        start = text.index(words)
        asked = SquadQuestion(title, f"{title}?", (Span(start, start + len(words)),))
        return SquadParagraph(title, text, (asked, SquadQuestion(f"{title} no", "Who?", ())))

    both = [
        paragraph("Ferry time", "The ferry time is nine o'clock.", "nine"),
        paragraph("Bread price", "The bread price is two pounds.", "two pounds"),
    ]
    inside, outside = halves(both)
    assert (inside, outside) == ([both[0]], [both[1]])
    trials = drawn(inside, outside, dict.fromkeys(Kind, 5), seed=1)
    assert [(t.kind, t.question, t.accepted, t.home) for t in trials] == [
        (Kind.ANSWERABLE, "Ferry time?", ("nine",), 0),
        (Kind.NEAR_MISS, "Who?", (), 0),
        (Kind.STRANGER, "Bread price?", (), None),
    ]
    library = Library([*inside, *outside], HashingEmbedder())
    rows = list(read(SpanReader("reader", WEIGHTS), library, trials, 2))
    assert [row.trial for row in rows] == trials
    assert {found.passage for found in rows[0].found} == {0, 1}
    best = max(rows[0].found, key=lambda found: found.evidence.margin)
    assert (best.passage, best.right) == (0, True)
    assert not any(found.right for row in rows[1:] for found in row.found)
