"""Asks a set of questions over an index, and judges the replies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

from rag.answering import Query
from rag.errors import InvalidInput
from rag.evaluation.asking import all_rows
from rag.evaluation.figures import RecallAt
from rag.evaluation.gold import Locator
from rag.evaluation.journal import Journal
from rag.evaluation.judged import without_itself
from rag.evaluation.questions import Question, QuestionSet
from rag.evaluation.ranking import ranking_scores, recall_curve, units
from rag.evaluation.rows import Row, judged
from rag.evaluation.run import CorpusFacts, Run, RunSettings, run_of
from rag.service import Service
from rag.settings import LONGEST_QUESTION
from rag.types import Reply

PASSAGES = 10  # shown for each question, so that metrics at 10 can be told
_LISTED = 100  # passages for a question that is judged by what was found alone


def evaluate(
    service: Service,
    collection: str,
    question_set: QuestionSet,
    name: str = "questions",
    *,
    tuned: bool = True,
    journals: Path | None = None,
    asked: Callable[[], object] = lambda: None,
) -> Run:
    """Asks every question; `asked` is called after each. With a folder for `journals`, a run that
    was stopped goes on where it was. `tuned` False leaves the collection's own calibration aside.

    Raises `InvalidInput` where a question is too long, or none of the files that they name is
    indexed.
    """
    _check_lengths(question_set.questions)
    locator = Locator(service, collection)
    _check_sources(locator, question_set.questions)
    corpus = _corpus_facts(service, collection)
    if not corpus["passages"]:
        raise InvalidInput(f"{collection!r} is empty: `rag ingest` a folder, or give --corpus")
    tuning = service.tuning(collection) if tuned else None
    settings = RunSettings(
        mode="open",
        collection=collection,
        embedder=service.embedder.fingerprint,
        reader=service.reader.name,
        passages=PASSAGES,
        calibrated=tuning.date if tuning else None,
    )
    decided_by = [question_set.fingerprint, corpus["fingerprint"], settings, repr(tuning)]
    journal = Journal(journals, decided_by) if journals else None
    asking = _Asking(service, collection, locator, tuned)
    rows = list(all_rows(question_set.questions, asking.rows, journal, asked))
    recall = _add_ranking_scores(rows, question_set, locator)
    return run_of(rows, settings, question_set, name, corpus, recall)


class _Asking:
    """Questions to rows, over one collection."""

    def __init__(self, service: Service, collection: str, locator: Locator, tuned: bool) -> None:
        self._service = service
        self._collection = collection
        self._locator = locator
        self._tuned = tuned

    def rows(self, questions: Sequence[Question], timed: bool) -> list[Row]:
        """Rows of questions that are asked together."""
        read = [question for question in questions if _is_read(question)]
        queries = [
            Query(q.question, self._collection, PASSAGES, explain=True, history=q.history)
            for q in read
        ]
        asked = self._service.ask_all(queries, tuned=self._tuned) if queries else []
        replies = {q.id: reply for q, reply in zip(read, asked, strict=True)}
        return [self._judged(question, replies.get(question.id), timed) for question in questions]

    def _judged(self, question: Question, reply: Reply | None, timed: bool) -> Row:
        found = reply or self._service.search(question.question, _LISTED, self._collection)
        return judged(question, found, self._locator, found.took_ms["total"] if timed else None)


def _is_read(question: Question) -> bool:
    """Whether an answer can be judged; where nobody knows any, finding is judged alone."""
    return question.answerable is not None or bool(question.rejected)


def _check_lengths(questions: Sequence[Question]) -> None:
    for question in questions:
        if len(question.question) > LONGEST_QUESTION:
            raise InvalidInput(
                f"the question {question.id!r} is longer than {LONGEST_QUESTION} characters, and "
                "nobody could ask it: shorten it; nothing was run"
            )


def _check_sources(locator: Locator, questions: Sequence[Question]) -> None:
    named = {name for question in questions for name in question.grades}
    if named and not any(locator.source_of(name) for name in named):
        raise InvalidInput(
            f"none of the files that the questions cite, such as {min(named)}, is indexed: "
            "`rag ingest` their folder, or name it with --corpus"
        )


def _corpus_facts(service: Service, collection: str) -> CorpusFacts:
    hashed = hashlib.sha256()
    for record in service.all_documents(collection):
        hashed.update(f"{record.origin.source}\0{record.origin.sha256}\n".encode())
    sizes = next(one for one in service.collections() if one.name == collection)
    return CorpusFacts(
        documents=sizes.documents,
        passages=sizes.passages,
        generation=sizes.generation,
        fingerprint=hashed.hexdigest(),
    )


def _add_ranking_scores(
    rows: Sequence[Row], question_set: QuestionSet, locator: Locator
) -> list[RecallAt]:
    """Scores by passage for questions with evidence, by file for those that name any; returns the
    curve of recall.
    """
    passages, files = _Rankings(), _Rankings(prefix="file_")
    for row, question in zip(rows, question_set.questions, strict=True):
        if row["gold"]:
            held = [frozenset(shown["held"]) for shown in row["passages"]]
            passages.add(row["id"], *units(held, len(row["gold"])))
        if question.grades:
            found = [s for shown in row["passages"] for s in (shown["source"], *shown["also_in"])]
            # A collection that brings its documents along is BEIR's.
            if question_set.files and question.relevant:
                found = without_itself(question.id, found)
            grades = {locator.source_of(n) or n: grade for n, grade in question.grades.items()}
            files.add(row["id"], found, grades)
    for rankings in (passages, files):
        scores = rankings.scores()
        for row in rows:
            row["scores"].update(scores.get(row["id"], {}))
    curves = zip_longest(passages.curve(), files.curve())
    return [(k, *at) for k, at in enumerate(curves, start=1)]


class _Rankings:
    """What was found for each question, and what is relevant to it."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self._ranked: dict[str, Sequence[str]] = {}
        self._relevant: dict[str, Mapping[str, int]] = {}

    def add(self, question: str, ranked: Sequence[str], relevant: Mapping[str, int]) -> None:
        self._ranked[question] = ranked
        self._relevant[question] = relevant

    def scores(self) -> dict[str, dict[str, float]]:
        return ranking_scores(self._ranked, self._relevant, self._prefix)

    def curve(self) -> list[float]:
        return recall_curve(self._ranked, self._relevant)
