"""Mode reader: SQuAD's questions over their own paragraphs, as the published figures are made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from rag.evaluation import metrics
from rag.evaluation.asking import all_rows
from rag.evaluation.causes import Outcome, cause_of
from rag.evaluation.journal import Journal
from rag.evaluation.questions import QuestionSet
from rag.evaluation.rows import GoldRow, QuotedRow, Row
from rag.evaluation.run import Run, RunSettings, run_of
from rag.evaluation.squad import SquadParagraph, SquadQuestion
from rag.reading.base import Reader
from rag.types import Candidate, Hit, Origin, Passage, Reason, Span


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question and its paragraph."""

    question: SquadQuestion
    paragraph: SquadParagraph

    @property
    def id(self) -> str:
        return self.question.id


def evaluate_given(
    reader: Reader,
    paragraphs: Sequence[SquadParagraph],
    question_set: QuestionSet,
    name: str,
    *,
    journals: Path | None = None,
    asked: Callable[[], object] = lambda: None,
) -> Run:
    """Reads every question's own paragraph. It is answered where the best span beats "no answer",
    by whatever little, as SQuAD's readers do; no confidence is involved.
    """
    settings = RunSettings(
        mode="reader",
        collection="",
        embedder="",
        reader=reader.name,
        passages=1,
        calibrated=None,
    )
    questions = [_Asked(question, p) for p in paragraphs for question in p.questions]
    journal = Journal(journals, [question_set.fingerprint, settings]) if journals else None

    def ask(group: Sequence[_Asked], timed: bool) -> list[Row]:
        began = perf_counter()
        read = reader.read_all([(one.question.question, [_hit(one.paragraph)]) for one in group])
        took = (perf_counter() - began) * 1000 if timed else None
        return [
            _row(one, candidates[0] if candidates else None, took)
            for one, candidates in zip(group, read, strict=True)
        ]

    rows = list(all_rows(questions, ask, journal, asked))
    return run_of(rows, settings, question_set, name, corpus=None)


def _hit(paragraph: SquadParagraph) -> Hit:
    whole = Span(0, len(paragraph.text))
    passage = Passage("", 0, whole, paragraph.text, "", "", (whole,), paragraph=1)
    origin = Origin("", "", "", "", paragraph.title, None, None, "", "", "")
    return Hit(passage, origin, score=0.0, among=1)


def _row(one: _Asked, best: Candidate | None, milliseconds: float | None) -> Row:
    text = one.paragraph.text
    accepted = list(dict.fromkeys(answer.of(text) for answer in one.question.answers))
    margin = _margin(best)
    answered = margin is not None and margin >= 0
    said = best.span.of(text) if best else ""
    fits = best is not None and metrics.is_right(said, accepted)
    outcome = Outcome(
        answerable=bool(accepted),
        answered=answered,
        indexed=True,
        read=True,
        right_words=answered and fits,
        right_place=True,
        would_be_right=not answered and fits,
    )
    quoted = _quoted(best, one.paragraph) if best else None
    return Row(
        id=one.question.id,
        question=one.question.question,
        history=[],
        rewritten=None,
        tags=[],
        answerable=outcome.answerable,
        answers=accepted,
        rejected=[],
        gold=[_gold(one.paragraph, answer) for answer in one.question.answers[:1]],
        answered=answered,
        right=outcome.right,
        cause=cause_of(outcome),
        detail=None,
        reason=None if answered else Reason.LOW_CONFIDENCE,
        answer=quoted if answered else None,
        guess=None if answered else quoted,
        guess_right=None if answered else outcome.would_be_right,
        sound=metrics.is_sound(said, best.sentence.of(text), accepted) if best else None,
        strength=margin,
        passages=[],
        milliseconds=milliseconds,
        scores=_scores(outcome, said, accepted),
    )


def _margin(best: Candidate | None) -> float | None:
    """By how much the best span beats "no answer"."""
    if best is None or best.span_score is None or best.null_score is None:
        return None
    return best.span_score - best.null_score


def _scores(outcome: Outcome, said: str, accepted: Sequence[str]) -> dict[str, float]:
    """SQuAD's own, in all and by part; `forced` as if every question had to be answered."""
    given = said if outcome.answered else ""
    exact, overlap = metrics.exact_match(given, accepted), metrics.f1(given, accepted)
    scores = {
        "right": float(outcome.right),
        "exact_match": exact,
        "f1": overlap,
        "answered": float(outcome.answered),
    }
    if not accepted:
        return scores | {"no_answer_f1": overlap, "wrongly_answered": float(outcome.answered)}
    return scores | {
        "has_answer_exact_match": exact,
        "has_answer_f1": overlap,
        "forced_exact_match": metrics.exact_match(said, accepted),
        "forced_f1": metrics.f1(said, accepted),
        "wrongly_refused": float(not outcome.answered),
    }


def _gold(paragraph: SquadParagraph, answer: Span) -> GoldRow:
    return GoldRow(
        source=paragraph.title,
        quote=answer.of(paragraph.text),
        document_id=None,
        start=answer.start,
        end=answer.end,
    )


def _quoted(best: Candidate, paragraph: SquadParagraph) -> QuotedRow:
    text = paragraph.text
    return QuotedRow(
        text=best.span.of(text),
        sentence=best.sentence.of(text),
        confidence=None,
        source=paragraph.title,
        document_id="",
        paragraph=1,
        paragraph_end=1,
        page=None,
        heading=[],
        start=best.span.start,
        end=best.span.end,
        sentence_start=best.sentence.start,
        sentence_end=best.sentence.end,
        context=text,
        context_start=0,
    )
