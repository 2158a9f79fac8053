"""From question files to a calibrated reader: each stage is left out where its result is there."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from embeddings import model_folder, models
from embeddings.base import Embedder
from rag.answering import READ
from rag.evaluation.squad import SquadParagraph, read_squad
from rag.reading.span_reader import GRAPH, SETTINGS, TOKENIZER, SpanReader
from rag.settings import Settings
from rag.training.calibrating import (
    calibration_error,
    fit_calibration,
    fit_ranking,
    judge,
    reliability,
)
from rag.training.examples import Negative
from rag.training.export import quantize, write_onnx
from rag.training.library import Library
from rag.training.loop import Recipe, train
from rag.training.mining import mine
from rag.training.trials import Kind, Read, drawn, halves, read

WRONG = 0.12
"""The share of wrong answers among those given on which the default threshold is set."""

_ENCODER = "all-MiniLM-L6-v2"
# Of each collection; the first two as they are mixed in squad-calibration.
_ASKED = {Kind.ANSWERABLE: 600, Kind.NEAR_MISS: 100, Kind.STRANGER: 150}
_log = logging.getLogger(__name__)


def run(
    training: Sequence[Path],
    calibration: Path,
    folder: Path,
    recipe: Recipe,
    starts: Sequence[Path],
    settings: Settings,
) -> None:
    """All stages. Raises `InvalidInput` for a file that can't be read as SQuAD."""
    paragraphs = [paragraph for file in training for paragraph in read_squad(file)]
    held_out = read_squad(calibration)
    folder.mkdir(parents=True, exist_ok=True)
    embedder = models.load(_ENCODER, settings.cache)
    if not (folder / GRAPH).exists():
        negatives = _mined(paragraphs, embedder, folder / "negatives.jsonl")
        _trained(paragraphs, held_out, negatives, recipe, starts, folder)
    if not (folder / SETTINGS).exists():
        calibrate(folder, held_out, paragraphs, embedder)


def _mined(
    paragraphs: Sequence[SquadParagraph], embedder: Embedder, file: Path
) -> dict[str, list[Negative]]:
    if not file.exists():
        _log.info("mining wrong passages for the questions of %d paragraphs", len(paragraphs))
        mined = mine(paragraphs, embedder)
        lines = ({"id": i, "passages": [asdict(n) for n in found]} for i, found in mined.items())
        _write(file, "".join(json.dumps(line) + "\n" for line in lines))
    with file.open(encoding="utf-8") as lines_:
        rows = map(json.loads, lines_)
        return {row["id"]: [Negative(**passage) for passage in row["passages"]] for row in rows}


def _trained(
    paragraphs: Sequence[SquadParagraph],
    held_out: Sequence[SquadParagraph],
    negatives: Mapping[str, Sequence[Negative]],
    recipe: Recipe,
    starts: Sequence[Path],
    folder: Path,
) -> None:
    encoder = model_folder.find(_ENCODER)
    tokenizer = Tokenizer.from_file(str(encoder / TOKENIZER))
    model = train(encoder, tokenizer, paragraphs, held_out, negatives, recipe, folder, starts)
    tokenizer.save(str(folder / TOKENIZER))
    write_onnx(model, folder / "float32.onnx")
    quantize(folder / "float32.onnx", folder / "model.partial")
    os.replace(folder / "model.partial", folder / GRAPH)


def calibrate(
    folder: Path,
    held_out: Sequence[SquadParagraph],
    others: Sequence[SquadParagraph],
    embedder: Embedder,
) -> None:
    """Fits the reader in `folder` on collections of half of `held_out` each, once alone and once
    among `others`; either half's strangers are the other half's questions.

    The report beside it is cross-fitted: each half is judged by what was fitted on the other.
    """
    reader = SpanReader(_ENCODER, folder)
    parts: list[dict[str, list[Read]]] = []
    first, second = halves(held_out)
    for inside, outside in ((first, second), (second, first)):
        parts.append({})
        for name, more in (("alone", ()), ("among others", others)):
            library = Library([*inside, *more], embedder)
            trials = drawn(inside, outside, _ASKED, len(parts))
            _log.info("reading for %d questions over %d", len(trials), len(inside) + len(more))
            parts[-1][name] = list(read(reader, library, trials, READ))
    report = {
        f"half {number}, {name}": _judged(fitted_on, rows)
        for number, fitted_on, judged in ((1, parts[1], parts[0]), (2, parts[0], parts[1]))
        for name, rows in judged.items()
    }
    everything = [row for part in parts for rows in part.values() for row in rows]
    ranking = fit_ranking(everything)
    calibration = fit_calibration(everything, ranking, WRONG)
    settings = {"ranking": asdict(ranking), "calibration": asdict(calibration)}
    _write(folder / "calibration.json", json.dumps(report, indent=1))
    _write(folder / SETTINGS, json.dumps(settings, indent=1) + "\n")


def _judged(fitted_on: Mapping[str, Sequence[Read]], rows: Sequence[Read]) -> dict[str, Any]:
    """What a fit on some rows is worth on others."""
    known = [row for part in fitted_on.values() for row in part]
    ranking = fit_ranking(known)
    calibration = fit_calibration(known, ranking, WRONG)
    judged = list(judge(rows, ranking, calibration))
    given = [answer for answer in judged if answer.confidence >= calibration.threshold]
    answered = {
        kind.value: sum(answer.trial.kind is kind for answer in given)
        / max(1, sum(answer.trial.kind is kind for answer in judged))
        for kind in Kind
    }
    own = [answer.found for answer in given if answer.trial.kind is not Kind.STRANGER]
    return {
        "expected calibration error": calibration_error(judged),
        "wrong among answered": sum(not found.right for found in own) / max(1, len(own)),
        "wrong words among answered": sum(not found.exact for found in own) / max(1, len(own)),
        "answered": answered,
        "reliability": reliability(judged),
    }


def _write(file: Path, text: str) -> None:
    partial = file.with_suffix(".partial")
    partial.write_text(text, "utf-8")
    os.replace(partial, file)
