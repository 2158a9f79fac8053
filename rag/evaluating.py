"""`rag eval`: which index is asked, by which readers, and what is written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from rag.assembly import build
from rag.errors import InvalidInput
from rag.evaluation.exports import squad_predictions, trec_run
from rag.evaluation.formats import read_question_set
from rag.evaluation.given import evaluate_given
from rag.evaluation.harness import evaluate
from rag.evaluation.judged import document_id, is_beir
from rag.evaluation.questions import QuestionSet
from rag.evaluation.run import Mode, Run, WeightFree
from rag.evaluation.squad import read_squad
from rag.progress import ProgressBar
from rag.reading.sentence_reader import SentenceReader
from rag.service import Service
from rag.settings import Settings

_SQUAD = (".json", ".json.gz")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be evaluated. `tuned` False leaves the collection's own calibration aside."""

    questions: Path
    collection: str
    mode: Mode | None = None
    corpus: Sequence[Path] = ()
    qrels: Path | None = None
    partial: bool = False
    tuned: bool = True


def evaluated(wanted: Wanted, settings: Settings) -> Run:
    """The run, with the reader without weights beside it where a reader is judged at all.

    Raises `InvalidInput` for a question set or a mode that can't be used.
    """
    mode = wanted.mode or ("reader" if _is_squad(wanted.questions) else "open")
    if mode == "reader" and not _is_squad(wanted.questions):
        raise InvalidInput("--mode reader reads SQuAD's paragraphs: give a .json or .json.gz file")
    questions = read_question_set(wanted.questions, qrels=wanted.qrels, partial=wanted.partial)
    settings = (
        _with_index(wanted, questions, settings)
        if mode == "open"
        else replace(settings, home=_throwaway_home(settings, ["no corpus"]))
    )
    reads = any(question.answerable is not None for question in questions.questions)
    readers = dict.fromkeys([settings.reader, *([SentenceReader.name] if reads else [])])
    run, *beside = (
        _run(wanted, mode, questions, replace(settings, reader=reader)) for reader in readers
    )
    if beside:
        reader, figures = beside[0]["settings"]["reader"], beside[0]["metrics"]
        run["weight_free"] = WeightFree(reader=reader, metrics=figures)
    return run


def _is_squad(path: Path) -> bool:
    return path.name.lower().endswith(_SQUAD)


def _run(wanted: Wanted, mode: Mode, questions: QuestionSet, settings: Settings) -> Run:
    journals = settings.cache / "evaluation" / "journals"
    name = wanted.questions.name
    with closing(build(settings)) as service, _bar(questions, service) as asked:
        if mode == "reader":
            return evaluate_given(
                service.reader,
                read_squad(wanted.questions),
                questions,
                name,
                journals=journals,
                asked=asked,
            )
        return evaluate(
            service,
            wanted.collection,
            questions,
            name,
            tuned=wanted.tuned,
            journals=journals,
            asked=asked,
        )


@contextmanager
def _bar(questions: QuestionSet, service: Service) -> Iterator[Callable[[], object]]:
    label = service.reader.name.partition("@")[0]
    with tqdm(total=len(questions.questions), desc=label, unit="q", disable=None) as bar:
        yield bar.update


def _with_index(wanted: Wanted, questions: QuestionSet, settings: Settings) -> Settings:
    """The user's own index, or one of the corpus that was named or that the set brings along."""
    if not wanted.corpus and not questions.files:
        return settings
    decided_by = (
        [str(path.resolve()) for path in wanted.corpus]
        if wanted.corpus
        else [f"{name} {hashlib.sha256(data).hexdigest()}" for name, data in questions.files]
    )
    throwaway = replace(settings, home=_throwaway_home(settings, decided_by))
    with closing(build(throwaway)) as service, closing(ProgressBar()) as progress:
        if wanted.corpus:
            report = service.ingest(
                wanted.corpus, wanted.collection, prune=True, progress=progress.show
            )
        else:
            report = service.ingest_uploads(
                questions.files, wanted.collection, progress=progress.show
            )
    refused = [o for o in report.outcomes if o.reason and o.document_id is None]
    if len(refused) == len(report.outcomes):
        raise InvalidInput(
            f"nothing of the corpus could be indexed; {refused[0].source}: {refused[0].reason}"
            if refused
            else "the corpus holds no file: check the path after --corpus"
        )
    return throwaway


def _throwaway_home(settings: Settings, decided_by: Sequence[str]) -> Path:
    """An index of its own for each corpus, kept so that the next run encodes nothing."""
    key = hashlib.sha256("\n".join(sorted(decided_by)).encode()).hexdigest()[:16]
    return settings.cache / "evaluation" / key


def trec_of(run: Run, wanted: Wanted) -> str:
    """What was found, for trec_eval: each question's files, best first, by the judgements' ids."""
    named = document_id if is_beir(wanted.questions) and not wanted.corpus else str
    return trec_run(
        {row["id"]: [named(one["source"]) for one in row["passages"]] for row in run["rows"]},
        tag=run["settings"]["reader"].partition("@")[0],
    )


def predictions_of(run: Run) -> str:
    """The run's answers for SQuAD's script."""
    given: Mapping[str, str] = {
        row["id"]: row["answer"]["text"] if row["answer"] else "" for row in run["rows"]
    }
    return squad_predictions(given)
