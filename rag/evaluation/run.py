"""A run: what was asked of what, its figures and its rows; run.json."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from typing_extensions import TypedDict

from rag.durability import write_whole
from rag.errors import InvalidInput
from rag.evaluation.figures import Curves, RecallAt, curves, figures
from rag.evaluation.questions import QuestionSet
from rag.evaluation.rows import Row

FORMAT = 2
Mode = Literal["open", "reader"]


class RunSettings(TypedDict):
    """What made the replies; `passages` are shown for each question, `calibrated` is the day of the
    collection's own calibration.
    """

    mode: Mode
    collection: str
    embedder: str
    reader: str
    passages: int
    calibrated: str | None


class QuestionSetFacts(TypedDict):
    """What was asked; two runs can be compared where `fingerprint` is the same."""

    path: str
    answerable: int
    unanswerable: int
    unjudged: int
    fingerprint: str
    left_out: list[str]


class CorpusFacts(TypedDict):
    """What was searched; `fingerprint` is a hash of the documents' names and contents."""

    documents: int
    passages: int
    generation: int
    fingerprint: str


class WeightFree(TypedDict):
    """The same questions with the reader without weights, to show what the reader is worth."""

    reader: str
    metrics: Mapping[str, float | None]


class Run(TypedDict):
    """What run.json holds."""

    format: int
    version: str
    date: str
    settings: RunSettings
    questions: int
    question_set: QuestionSetFacts
    corpus: CorpusFacts | None
    metrics: Mapping[str, float | None]
    intervals: Mapping[str, tuple[float, float]]
    causes: Mapping[str, int]
    curves: Curves
    weight_free: WeightFree | None
    rows: Sequence[Row]


def run_of(
    rows: Sequence[Row],
    settings: RunSettings,
    question_set: QuestionSet,
    name: str,
    corpus: CorpusFacts | None,
    recall: Sequence[RecallAt] = (),
) -> Run:
    """A run of rows that are judged, with its figures; `name` is the question set's."""
    told = figures(rows)
    known = [question.answerable for question in question_set.questions]
    return Run(
        format=FORMAT,
        version=version("rag-verbatim"),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        settings=settings,
        questions=len(rows),
        question_set=QuestionSetFacts(
            path=name,
            answerable=known.count(True),
            unanswerable=known.count(False),
            unjudged=known.count(None),
            fingerprint=question_set.fingerprint,
            left_out=list(question_set.left_out),
        ),
        corpus=corpus,
        metrics=told.metrics,
        intervals=told.intervals,
        causes=told.causes,
        curves=curves(rows, recall),
        weight_free=None,
        rows=rows,
    )


def write(run: Run, file: Path) -> None:
    """Writes run.json, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, json.dumps(run, ensure_ascii=False, indent=1))


def read(file: Path) -> Run:
    """A run that was written before. Raises `InvalidInput` for anything else."""
    try:
        run: Any = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{file} can't be read as a run: {error}") from error
    if not isinstance(run, dict) or run.get("format") != FORMAT:
        raise InvalidInput(
            f"{file} is no run of this version: make it anew with `rag eval … --out DIR`"
        )
    made: Run = run  # type: ignore[assignment]
    return made


def lines(run: Run) -> Iterator[str]:
    """The figures for a terminal."""
    answerable = run["question_set"]["answerable"]
    yield f"{run['questions']} questions, {answerable} of them answerable"
    beside = run["weight_free"]
    heads = [run["settings"]["reader"], *([beside["reader"]] if beside else [])]
    yield (
        " " * 24 + "".join(f" {head.partition('@')[0]:>14}" for head in heads) + "   95 % interval"
    )
    for name, value in run["metrics"].items():
        other = beside["metrics"].get(name) if beside else None
        if value is None and other is None:
            continue
        cells = [shown(name, value), *([shown(name, other)] if beside else [])]
        low_high = run["intervals"].get(name)
        around = f"   {low_high[0]:.3f} to {low_high[1]:.3f}" if low_high else ""
        yield f"{name:24}" + "".join(f" {cell:>14}" for cell in cells) + around


def shown(name: str, value: float | None) -> str:
    """A figure as a reader wants it; "-" where no question tells it."""
    digits = 1 if name.endswith("_ms") else 3
    return "-" if value is None else f"{value:.{digits}f}"
