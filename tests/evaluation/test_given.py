"""Mode reader: each question over its own paragraph, scored as SQuAD's script does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from rag.evaluation.given import evaluate_given
from rag.evaluation.metrics import best_by_threshold
from rag.evaluation.questions import Question, QuestionSet
from rag.evaluation.squad import SquadParagraph, SquadQuestion
from rag.types import Candidate, Hit, Span

_TEXT = "The castle was built in 1204 by King John. It burnt down in 1310."


class _Told:
    """A reader that says what it is told, with a margin over "no answer"."""

    name = "told@1"

    def __init__(self, said: dict[str, tuple[str, float]]) -> None:
        self._said = said

    def read_all(self, asked: Sequence[tuple[str, Sequence[Hit]]]) -> list[list[Candidate]]:
        return [self.read(question, hits) for question, hits in asked]

    def read(self, question: str, hits: Sequence[Hit]) -> list[Candidate]:
        (hit,) = hits
        assert hit.passage.text == _TEXT
        if question not in self._said:
            return []
        words, margin = self._said[question]
        start = _TEXT.index(words)
        span = Span(start, start + len(words))
        return [
            Candidate(hit, span, Span(0, 42), 0.0, supported=False, span_score=margin, null_score=0)
        ]


def _question(name: str, *answers: str) -> SquadQuestion:
    spans = (Span(_TEXT.index(a), _TEXT.index(a) + len(a)) for a in answers)
    return SquadQuestion(name, f"{name}?", tuple(spans))


_ASKED = (
    _question("right", "1204"),
    _question("partly", "King John"),
    _question("refused", "1310", "in 1310"),
    _question("silent", "1310"),
    _question("impossible"),
    _question("fooled"),
)
_READER = _Told(
    {
        "right?": ("1204", 5.0),
        "partly?": ("by King John", 1.0),
        "refused?": ("1310", -1.0),
        "impossible?": ("castle", -3.0),
        "fooled?": ("castle", 2.0),
    }
)


def test_by_hand() -> None:
    paragraph = SquadParagraph("Castle", _TEXT, _ASKED)
    asked = QuestionSet(tuple(Question(q.id, q.question) for q in _ASKED))
    run = evaluate_given(_READER, [paragraph], asked, "castle.json")
    figures = run["metrics"]
    assert [row["answered"] for row in run["rows"]] == [True, True, False, False, False, True]
    # right 1, partly 2/3 * 2 = .8 of F1, impossible 1, the others 0.
    assert figures["exact_match"] == pytest.approx(2 / 6)
    assert figures["f1"] == pytest.approx(2.8 / 6)
    assert figures["has_answer_f1"] == pytest.approx(1.8 / 4)
    assert figures["no_answer_f1"] == pytest.approx(1 / 2)
    assert figures["forced_exact_match"] == pytest.approx(2 / 4)
    assert figures["forced_f1"] == pytest.approx(2.8 / 4)
    # With a threshold of -1: right, partly, refused, impossible.
    assert figures["best_f1"] == pytest.approx(3.8 / 6)
    assert figures["best_exact_match"] == pytest.approx(3 / 6)
    assert [row["cause"] for row in run["rows"]] == [
        None, None, "wrongly_refused", "read_wrongly", None, "wrongly_answered",
    ]  # fmt: skip
    assert run["corpus"] is None
    assert run["settings"]["mode"] == "reader"


def test_best_by_threshold() -> None:

    given, refused = np.array([1.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])
    once = np.ones(3)
    assert best_by_threshold(np.array([3.0, 2.0, 1.0]), given, refused, once) == 2 / 3
    assert best_by_threshold(np.array([3.0, 1.0, 2.0]), given, refused, once) == 1
    # Equal strengths are given or refused together.
    assert best_by_threshold(np.array([1.0, 1.0, 1.0]), given, refused, once) == 2 / 3
    assert best_by_threshold(np.array([3.0, 2.0, 1.0]), given, refused, np.array([1, 5.0, 1])) == (
        6 / 7
    )
