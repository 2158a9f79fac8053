"""Runs in the small, as `rag eval` writes them to run.json, and a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    pass

CONTEXT = "Leave 🏖️🏝️. Every employee has thirty days of leave, José says. The rest is unpaid."
SENTENCE = "Every employee has thirty days of leave, José says."


class Sample:
    """Makes runs, and what they hold."""

    @staticmethod
    def answer(
        text: str = "thirty days", context: str = CONTEXT, sentence: str = SENTENCE, **more: Any
    ) -> dict[str, Any]:
        """An answer whose passage begins at the document's 100th code point."""
        origin = 100
        start, opens = origin + context.index(text), origin + context.index(sentence)
        return {
            "text": text,
            "sentence": sentence,
            "confidence": 0.93,
            "source": "handbook/leave.md",
            "document_id": "d1",
            "paragraph": 3,
            "paragraph_end": 3,
            "page": None,
            "heading": ["Leave", "Annual leave"],
            "start": start,
            "end": start + len(text),
            "sentence_start": opens,
            "sentence_end": opens + len(sentence),
            "context": context,
            "context_start": origin,
            **more,
        }

    @staticmethod
    def row(key: str, question: str, **more: Any) -> dict[str, Any]:
        """A question that was answered rightly, unless told otherwise."""
        return {
            "id": key,
            "question": question,
            "tags": ["handbook"],
            "answerable": True,
            "answers": ["thirty days", "30 days"],
            "rejected": [],
            "gold": [
                {
                    "source": "handbook/leave.md",
                    "quote": SENTENCE,
                    "document_id": "d1",
                    "start": 112,
                    "end": 163,
                }
            ],
            "answered": True,
            "right": True,
            "cause": None,
            "detail": None,
            "reason": None,
            "answer": Sample.answer(),
            "guess": None,
            "guess_right": None,
            "strength": 4.2,
            "passages": [
                {
                    "source": "handbook/leave.md",
                    "document_id": "d1",
                    "paragraph": 3,
                    "start": 100,
                    "end": 183,
                    "score": 0.03,
                    "gold": True,
                }
            ],
            "milliseconds": 38.4,
            "scores": {"f1": 1.0},
            **more,
        }

    @staticmethod
    def refused(key: str, question: str, **more: Any) -> dict[str, Any]:
        """A question that the files answer and that was refused."""
        unsure = {
            "answered": False,
            "answer": None,
            "guess": Sample.answer("thirty", confidence=0.31),
            "guess_right": True,
            "right": False,
            "cause": "wrongly_refused",
            "reason": "low_confidence",
            "detail": "held back at 31 %",
        }
        return Sample.row(key, question, **{**unsure, **more})

    @staticmethod
    def rows() -> list[dict[str, Any]]:
        """A row of every kind."""
        return [
            Sample.row("a-1", "How many days of leave do I get?"),
            Sample.row("a-2", "Who says so?", right=False, cause="read_wrongly",
                answer=Sample.answer("employee", confidence=0.55), answers=["José"],
                milliseconds=61.0, detail="the words are José"),
            Sample.refused("a-3", "How much leave is there?", tags=["handbook", "paraphrase"]),
            Sample.row("a-4", "Who paints the walls?", answerable=False, answers=[], gold=[],
                right=False, cause="wrongly_answered", milliseconds=22.0),
            Sample.refused("a-5", "When does the moon set?", answerable=False, answers=[], gold=[],
                    right=True, cause=None, guess=None, guess_right=None, detail=None),
            Sample.row("a-6", "Is this judged?", answerable=None, answers=[], rejected=["never"],
                gold=[], right=None, answer=Sample.answer(confidence=None)),
        ]  # fmt: skip

    @staticmethod
    def run(questions: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
        """A run with all that a run can have."""
        asked = Sample.rows() if questions is None else questions
        causes = ("not_indexed", "not_retrieved", "read_wrongly", "wrongly_refused",
                  "wrongly_answered", "wrong_citation")  # fmt: skip
        metrics: dict[str, float | None] = {
            "recall@1": 0.61, "recall@5": 0.83, "recall@10": 0.88, "mrr@10": 0.7, "ndcg@10": 0.74,
            "file_recall@5": 0.91, "exact_match": 0.5, "f1": 0.6, "citation_source": 0.9,
            "citation_verbatim": 1.0, "answered": 0.66, "right": 0.4, "wrongly_answered": 0.5,
            "wrongly_refused": 0.25, "wrong_among_answered": 0.33, "auroc": None,
            "calibration_error": 0.08, "cause_read_wrongly": 0.2, "latency_p50_ms": 38.4,
            "latency_p95_ms": 61.0, "has_answer_f1": 0.7,
        }  # fmt: skip
        return {
            "format": 2,
            "version": "0.1.0",
            "date": "2026-11-25T03:40:00+01:00",
            "settings": {
                "mode": "open", "collection": "default", "embedder": "c4a5ce94d2e1",
                "reader": "minilm-squad@332a7a0f", "passages": 10, "calibrated": None,
            },
            "questions": len(asked),
            "question_set": {
                "path": "questions.jsonl", "answerable": 3, "unanswerable": 2, "unjudged": 1,
                "fingerprint": "9f" * 32, "left_out": [],
            },
            "corpus": {"documents": 37, "passages": 421, "generation": 1, "fingerprint": "7a" * 32},
            "metrics": metrics,
            "intervals": {
                name: [value * 0.9, min(1.0, value * 1.1)]
                for name, value in metrics.items()
                if value is not None and not name.startswith("latency")
            },
            "causes": {name: sum(row["cause"] == name for row in asked) for name in causes},
            "curves": {
                "recall": [[k, 0.6 + k / 40, 0.8 + k / 60] for k in range(1, 11)],
                "risk_coverage": [[n / 20, n * n / 1200, 9 - n / 4] for n in range(1, 19)],
                "reliability": [[0.15, 0.2, 9], [0.52, 0.41, 12], [0.93, 0.95, 60]],
            },
            "weight_free": {"reader": "sentence", "metrics": {"right": 0.31, "f1": 0.28}},
            "rows": asked,
            **more,
        }  # fmt: skip

    @staticmethod
    def comparison() -> dict[str, Any]:
        """What changed since another run."""
        same = {"now": 0.5, "before": 0.5, "difference": 0.0, "low": -0.02, "high": 0.02, "p": 1.0}
        return {
            "baseline": {
                "date": "2026-11-20T08:00:00+00:00",
                "reader": "minilm-squad@110b55e2",
                "embedder": "c4a5ce94d2e1",
            },
            "compared": 6,
            "warnings": ["the corpus differs"],
            "metrics": {
                "exact_match": same,
                "right": {"now": 0.4, "before": 0.2, "difference": 0.2, "low": 0.1, "high": 0.3,
                          "p": 0.0004},
                "wrongly_answered": {"now": 0.5, "before": 0.3, "difference": 0.2, "low": 0.01,
                                     "high": 0.4, "p": 0.03},
                "latency_p50_ms": {"now": 38.4, "before": 41.0, "difference": -2.6, "low": None,
                                   "high": None, "p": None},
            },
            "fixed": ["a-1"],
            "broken": ["a-3", "gone"],
            "right_in_both": 1,
            "wrong_in_both": 2,
        }  # fmt: skip


@pytest.fixture(scope="session")
def sample() -> type[Sample]:
    return Sample
