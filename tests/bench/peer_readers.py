"""The same extractive model read by this project, by Haystack and by txtai, on the same passages.

    python -m tests.bench.peer_readers --data DATASETS --peers PYTHON [--model FOLDER]

Prints Markdown. The questions are a fixed sample of `e2e/squad20_dev`, asked of all its articles;
every reader gets the ten passages that this project's retriever finds. Exact match, F1 and recall
are of the best answer, whether or not the reader stands by it; txtai can't be asked for one that
it doesn't stand by. All read with the shipped weights, or with the model in FOLDER: a
`BertForQuestionAnswering` with its tokenizer, `model_max_length` 512. The configured reader
(RAG_READER) is shown beside it, for what its ranking and its calibration add. PYTHON is the
interpreter of an environment with the peers, who need other packages than this project does (this
project needs its extra `train` for it):

    python3 -m venv peers
    peers/bin/pip install torch==2.13.0     # from PyTorch's CPU wheel index, as in the Makefile
    peers/bin/pip install torch==2.13.0 transformers==5.23.0 haystack-ai==3.4.0 \\
        transformers-haystack==2.0.0 txtai==9.14.0

Haystack's `ExtractiveReader` is `TransformersExtractiveReader` of transformers-haystack since
Haystack 3. All answers are kept in `--out`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

from rag.assembly import build
from rag.evaluation.json_lines import read_json_lines
from rag.evaluation.metrics import exact_match, f1
from rag.evaluation.questions import Question
from rag.reading import models
from rag.reading.base import Reader
from rag.retrieval import retrieve
from rag.service import DEFAULT_COLLECTION
from rag.settings import Settings
from rag.store.embedded import EmbeddedStore
from rag.types import Hit
from tests.bench import as_bert

_PASSAGES = 10
_SEED = 1
_OFFLINE = {"HF_HUB_OFFLINE": "1", "HAYSTACK_TELEMETRY_ENABLED": "False"}

Row = dict[str, Any]
"""A question, its passages, and under `readers` what each reader says: see `tests.bench.peers`."""


# Asking


def sample(questions: Sequence[Question], answerable: int, unanswerable: int) -> list[Question]:
    """So many of either kind, the same in every run."""
    draw = random.Random(_SEED)  # noqa: S311 - a sample, not a secret
    able = [question for question in questions if question.answerable]
    unable = [question for question in questions if not question.answerable]
    return draw.sample(able, answerable) + draw.sample(unable, unanswerable)


def asked(questions: Sequence[Question], corpus: Path, model: Path) -> list[Row]:
    """The questions with the passages found for them and what this project's reader says, with the
    model alone and as configured.
    """
    with tempfile.TemporaryDirectory() as home:
        settings = replace(Settings.from_environment(), home=Path(home))
        service, store = build(settings), EmbeddedStore(settings.home)
        service.ingest([corpus])
        readers = {
            "this project": models.load(str(model), settings.cache),
            f"this project, `{service.reader.name}`": service.reader,
        }
        with store.snapshot(DEFAULT_COLLECTION, service.embedder.fingerprint) as snapshot:
            rows = []
            for question in questions:
                hits = retrieve(question.question, snapshot, service.embedder, _PASSAGES)
                rows.append(_row(question, hits, readers))
        store.close()
        service.close()
    return rows


def _row(question: Question, hits: Sequence[Hit], readers: Mapping[str, Reader]) -> Row:
    return {
        "id": question.id,
        "question": question.question,
        "answers": question.answers,
        "answerable": question.answerable,
        "passages": [_passage(question, hit) for hit in hits],
        "readers": {
            name: _answer(question.question, hits, reader) for name, reader in readers.items()
        },
    }


def _passage(question: Question, hit: Hit) -> Row:
    """`held` is the share of the question's evidence that the passage holds."""
    sources = {hit.origin.source, *(copy.origin.source for copy in hit.copies)}
    text = " ".join(hit.passage.text.split())
    held = [
        piece
        for piece in question.evidence
        if piece.source in sources and " ".join((piece.quote or "").split()) in text
    ]
    share = len(held) / len(question.evidence) if question.evidence else 0.0
    return {"source": hit.origin.source, "text": hit.passage.text, "held": share}


def _answer(question: str, hits: Sequence[Hit], reader: Reader) -> Row:
    candidates = reader.read(question, hits)
    if not candidates:
        return {"text": None, "passage": None, "answered": False}
    best, passage = candidates[0], candidates[0].hit.passage
    return {
        "text": best.span.shifted(-passage.span.start).of(passage.text),
        "passage": hits.index(best.hit),
        "answered": any(candidate.supported for candidate in candidates),
    }


def add_peers(file: Path, model: Path, python: str) -> None:
    """Lets the peers answer in their environment, offline; exits where they can't."""
    command = [python, "-P", str(Path(__file__).with_name("peers.py")), str(model), str(file)]
    try:
        subprocess.run(command, env={**os.environ, **_OFFLINE}, check=True)
    except OSError as error:
        sys.exit(f"--peers must name a Python interpreter: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"The peers did not answer (status {error.returncode}); see above.")


# Figures


def table(rows: Sequence[Row]) -> Iterator[str]:
    """One line for each reader."""
    able = [row for row in rows if row["answerable"]]
    unable = [row for row in rows if not row["answerable"]]
    first = fmean(row["passages"][0]["held"] for row in able)
    yield f"{len(able)} answerable questions, {len(unable)} others; recall@1 as found {first:.3f}\n"
    yield "| | exact match | F1 | recall@1 | answers the answerable | answers the others |"
    yield "|---|---|---|---|---|---|"
    for name in rows[0]["readers"]:
        scores = [_scores(row, row["readers"][name]) for row in able]
        figures = [fmean(column) for column in zip(*scores, strict=True)]
        figures += [
            fmean(row["readers"][name]["answered"] for row in part) for part in (able, unable)
        ]
        yield " | ".join([f"| {name}", *(f"{figure:.3f}" for figure in figures)]) + " |"


def _scores(row: Row, answer: Mapping[str, Any]) -> tuple[float, float, float]:
    """Exact match, F1 and recall@1 of one answer."""
    text, place = answer["text"] or "", answer["passage"]
    held = 0.0 if place is None else row["passages"][place]["held"]
    return exact_match(text, row["answers"]), f1(text, row["answers"]), held


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of data sets")
    parser.add_argument("--model", type=Path, help="another model than the shipped one")
    parser.add_argument("--peers", required=True, help="the Python of the peers' environment")
    parser.add_argument("--answerable", type=int, default=500, help="how many are asked")
    parser.add_argument("--unanswerable", type=int, default=200, help="how many are asked")
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir(), "peers.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        model = options.model or Path(made)
        if not options.model:
            as_bert.write(model)
        compare(options, model)


def compare(options: argparse.Namespace, model: Path) -> None:
    """Asks everybody and prints the figures."""
    folder = options.data / "e2e/squad20_dev"
    questions = sample(
        read_json_lines(folder / "questions.jsonl").questions,
        options.answerable,
        options.unanswerable,
    )
    options.out.write_text("[]")
    add_peers(options.out, model, options.peers)  # what is missing shows at once
    rows = asked(questions, folder / "docs", model)
    options.out.write_text(json.dumps(rows, ensure_ascii=False, indent=1), "utf-8")
    add_peers(options.out, model, options.peers)
    for line in table(json.loads(options.out.read_text("utf-8"))):
        print(line, flush=True)


if __name__ == "__main__":
    main()
