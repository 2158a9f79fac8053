"""Asks a set of questions and scores the replies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from rag.errors import InvalidInput
from rag.evaluation import metrics
from rag.evaluation.questions import Evidence, Question
from rag.service import Service
from rag.types import Citation, RankedPassage, Reply

PASSAGES = 10  # shown for each question, so that metrics at 10 can be told
METRICS = (
    *(f"recall@{k}" for k in (1, 5, 10)),
    "mrr@10",
    "ndcg@10",
    "exact_match",
    "f1",
    "answer_in_sentence",
    "citation_source",
    "citation_quote",
    "answered",
    "wrongly_answered",
    "wrongly_refused",
)
"""Every score of a run."""

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Row:
    """One question: what was asked, what came, and its scores.

    Retrieval scores are there for questions with evidence alone, and so are citation scores:
    a refused question has them too, as zeros.
    """

    id: str
    question: str
    answerable: bool | None
    tags: tuple[str, ...]
    answer: str | None
    sentence: str | None
    source: str | None
    reason: str | None
    milliseconds: float
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Run:
    """A scored set of questions, and what made the replies.

    `baseline` is the same set with the weight-free reader, to show what the reader is worth.
    """

    embedder: str
    reader: str
    rows: Sequence[Row]
    baseline: Run | None = None

    @property
    def metrics(self) -> dict[str, float | None]:
        """The mean of each score over the questions that have it, None where none has; and times
        in milliseconds.
        """
        means = {name: self._mean(name) for name in METRICS}
        times = [row.milliseconds for row in self.rows]
        return means | {
            f"latency_p{share}_ms": metrics.percentile(times, share / 100) for share in (50, 95, 99)
        }

    def _mean(self, name: str) -> float | None:
        scores = [row.scores[name] for row in self.rows if name in row.scores]
        return fmean(scores) if scores else None

    def payload(self) -> dict[str, Any]:
        """What run.json holds."""
        return {
            "format": _FORMAT,
            "settings": {"embedder": self.embedder, "reader": self.reader, "passages": PASSAGES},
            "questions": len(self.rows),
            "metrics": self.metrics,
            "baseline": self.baseline
            and {"reader": self.baseline.reader, "metrics": self.baseline.metrics},
            "rows": [asdict(row) for row in self.rows],
        }

    def write(self, folder: Path) -> None:
        """Writes run.json into a folder, which is made if there is none."""
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.payload(), ensure_ascii=False, indent=1)
        (folder / "run.json").write_text(text, "utf-8")

    def lines(self) -> Iterator[str]:
        """The figures for a terminal."""
        answerable = sum(bool(row.answerable) for row in self.rows)
        yield f"{len(self.rows)} questions, {answerable} of them answerable"
        runs = [self, self.baseline] if self.baseline else [self]
        yield " " * 20 + "".join(f" {run.reader.partition('@')[0]:>14}" for run in runs)
        columns = [run.metrics for run in runs]
        for name in columns[0]:
            yield f"{name:20}" + "".join(f" {_shown(name, column[name]):>14}" for column in columns)


def evaluate(
    service: Service,
    collection: str,
    questions: Sequence[Question],
    asked: Callable[[], object] = lambda: None,
) -> Run:
    """Asks every question; `asked` is called after each.

    Raises `InvalidInput` where none of the files that the questions cite is indexed.
    """
    _check_sources(service, collection, questions)
    rows = []
    for question in questions:
        reply = service.ask(question.question, PASSAGES, collection)
        rows.append(_row(question, reply))
        asked()
    return Run(service.embedder.fingerprint, service.reader.name, rows)


def _shown(name: str, value: float | None) -> str:
    digits = 1 if name.endswith("_ms") else 3
    return "-" if value is None else f"{value:.{digits}f}"


def _check_sources(service: Service, collection: str, questions: Iterable[Question]) -> None:
    cited = {evidence.source for question in questions for evidence in question.evidence}
    indexed = {record.origin.source for record in service.all_documents(collection)}
    if cited and cited.isdisjoint(indexed):
        raise InvalidInput(
            f"none of the files that the questions cite, such as {min(cited)}, is indexed: "
            "`rag ingest` their folder, or name it with --corpus"
        )


def _row(question: Question, reply: Reply) -> Row:
    answer = reply.answers[0] if reply.answers else None
    return Row(
        id=question.id,
        question=question.question,
        answerable=question.answerable,
        tags=question.tags,
        answer=answer.text if answer else None,
        sentence=answer.sentence if answer else None,
        source=answer.citation.origin.source if answer else None,
        reason=reply.reason,
        milliseconds=reply.took_ms["total"],
        scores=_scores(question, reply),
    )


def _scores(question: Question, reply: Reply) -> dict[str, float]:
    best = reply.answers[0] if reply.answers else None
    text = best.text if best else ""
    scores: dict[str, float] = {}
    if question.evidence:
        scores |= _retrieval_scores(question.evidence, reply.passages)
    scores |= {
        "exact_match": metrics.exact_match(text, question.answers),
        "f1": metrics.f1(text, question.answers),
        "answered": float(best is not None),
    }
    if not question.answerable:
        return scores | {"wrongly_answered": float(best is not None)}
    sentence = _spaced(best.sentence) if best else ""
    scores |= {
        "answer_in_sentence": float(any(_spaced(gold) in sentence for gold in question.answers)),
        "wrongly_refused": float(best is None),
    }
    if question.evidence:
        scores |= _citation_scores(question.evidence, best.citation if best else None, sentence)
    return scores


def _retrieval_scores(
    evidence: Sequence[Evidence], passages: Sequence[RankedPassage]
) -> dict[str, float]:
    found = [_held(evidence, passage) for passage in passages]
    count = len(evidence)
    return {f"recall@{k}": metrics.recall_at(k, found, count) for k in (1, 5, 10)} | {
        "mrr@10": metrics.reciprocal_rank_at(10, found),
        "ndcg@10": metrics.ndcg_at(10, found, count),
    }


def _held(evidence: Sequence[Evidence], passage: RankedPassage) -> frozenset[int]:
    sources = {c.origin.source for c in (passage.citation, *passage.also_in)}
    text = _spaced(passage.text)
    return frozenset(
        number
        for number, piece in enumerate(evidence)
        if piece.source in sources and _spaced(piece.quote or "") in text
    )


def _citation_scores(
    evidence: Sequence[Evidence], citation: Citation | None, sentence: str
) -> dict[str, float]:
    mine = [e for e in evidence if citation and e.source == citation.origin.source]
    quotes = [_spaced(piece.quote or "") for piece in mine]
    return {
        "citation_source": float(bool(mine)),
        "citation_quote": float(any(q in sentence or sentence in q for q in quotes)),
    }


def _spaced(text: str) -> str:
    """Without case and with single spaces: a quote may be wrapped differently."""
    return " ".join(text.casefold().split())
