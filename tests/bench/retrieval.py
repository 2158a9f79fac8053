"""How well dense search, word search and both fused rank whole paragraphs and documents.

    python -m tests.bench.retrieval --data DATASETS [--tried]

Prints Markdown. DATASETS holds `e2e/squad20_dev` and `beir/*`; with `--tried`, which prints the
other ways of fusing beside the one in use, also `squad-train.json.gz`, on which it was tuned.
Vectors are kept in `--cache`. A BEIR document is one passage here, cut at the encoder's limit.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import log2
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings import models
from embeddings.base import Embedder
from rag.analysis import terms
from rag.retrieval import DEPTH
from rag.store.word_index import WordIndex
from rag.text import paragraphs
from rag.types import with_context
from tests.bench.fusions import TRIED, Candidates, Ranking, shipped

CACHE = Path(tempfile.gettempdir()) / "rag-bench"
_BEIR = ("scifact", "nfcorpus", "cranfield")
_ARTICLES, _QUESTIONS = 90, 6000  # of the training set, by a fixed seed


@dataclass(frozen=True)
class Collection:
    """Texts, questions, and for each question its relevant texts with their grades."""

    name: str
    texts: list[str]
    questions: list[str]
    relevant: list[dict[int, int]]


# Data


def _lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def end_to_end(data: Path) -> Collection:
    """The answerable questions of SQuAD 2.0 dev; relevant is the paragraph asked about."""
    folder, texts, places = data / "e2e/squad20_dev", list[str](), dict[tuple[str, int], int]()
    for file in sorted((folder / "docs").glob("*.txt")):
        text = file.read_text(encoding="utf-8")
        for number, span in enumerate(paragraphs(text), 1):
            places[file.name, number] = len(texts)
            texts.append(with_context(file.stem, (), span.of(text)))
    rows = [row for row in _lines(folder / "questions.jsonl") if row["answerable"]]
    relevant = [{places[row["file"], int(row["paragraph"])]: 1} for row in rows]
    return Collection("squad20_dev", texts, [row["question"] for row in rows], relevant)


def beir(data: Path, name: str) -> Collection:
    """The test split of a collection in BEIR's layout."""
    corpus = _lines(data / "beir" / name / "corpus.jsonl")
    places = {row["_id"]: place for place, row in enumerate(corpus)}
    grades: dict[str, dict[int, int]] = {}
    for line in (data / "beir" / name / "qrels/test.tsv").read_text().splitlines()[1:]:
        question, document, grade = line.split("\t")
        if int(grade) > 0:
            grades.setdefault(question, {})[places[document]] = int(grade)
    wanted = [row for row in _lines(data / "beir" / name / "queries.jsonl") if row["_id"] in grades]
    texts = [f"{row['title']}\n{row['text']}" if row["title"] else row["text"] for row in corpus]
    relevant = [grades[row["_id"]] for row in wanted]
    return Collection(name, texts, [row["text"] for row in wanted], relevant)


def training(data: Path) -> Collection:
    """A fixed sample of SQuAD's training articles and of the answerable questions about them."""
    with gzip.open(data / "squad-train.json.gz", "rt", encoding="utf-8") as file:
        articles = json.load(file)["data"]
    draw = random.Random(1)  # noqa: S311 - a sample, not a secret
    texts, asked = list[str](), list[tuple[str, int]]()
    for article in draw.sample(articles, _ARTICLES):
        for paragraph in article["paragraphs"]:
            questions = (q for q in paragraph["qas"] if not q.get("is_impossible"))
            asked += [(question["question"], len(texts)) for question in questions]
            texts.append(with_context(article["title"], (), paragraph["context"]))
    sample = draw.sample(asked, _QUESTIONS)
    relevant = [{place: 1} for _, place in sample]
    return Collection("squad-train", texts, [question for question, _ in sample], relevant)


# Search


def _vectors(texts: Sequence[str], embedder: Embedder, cache: Path) -> NDArray[np.float32]:
    key = hashlib.sha256(json.dumps([embedder.fingerprint, *texts]).encode()).hexdigest()[:24]
    file = cache / f"{key}.npy"
    if not file.exists():
        np.save(file, embedder.embed_passages(texts))
    return np.asarray(np.load(file), dtype=np.float32)


def search(
    collection: Collection, embedder: Embedder, cache: Path
) -> tuple[list[Candidates], float]:
    """Both legs for every question, as `rag.retrieval` asks them; milliseconds a word search."""
    passages = _vectors(collection.texts, embedder, cache)
    cosines = _vectors(collection.questions, embedder, cache) @ passages.T
    found = []
    with tempfile.TemporaryDirectory() as folder:
        index = WordIndex(Path(folder))
        index.change(enumerate(collection.texts), ())
        view, started = index.view(), time.perf_counter()
        hits = [dict(view.search(terms(text), DEPTH)) for text in collection.questions]
        spent = (time.perf_counter() - started) / len(hits) * 1000
        index.settle()
    for row, words in zip(cosines, hits, strict=True):
        nearest = np.argsort(-row, kind="stable")[:DEPTH].tolist()
        ids = sorted({*nearest, *words})
        scores = np.array([words.get(i, 0.0) for i in ids])
        found.append(Candidates(ids, row[ids].astype(np.float64), scores, (nearest, [*words])))
    return found, spent


# Figures


def _gain(ranking: Ranking, relevant: dict[int, int]) -> float:
    """nDCG@10."""
    best = sorted(relevant.values(), reverse=True)[:10]
    gains = (relevant.get(i, 0) / log2(n + 2) for n, i in enumerate(ranking[:10]))
    return sum(gains) / sum(grade / log2(n + 2) for n, grade in enumerate(best))


def _recall(ranking: Ranking, relevant: dict[int, int], k: int) -> float:
    return len(relevant.keys() & set(ranking[:k])) / len(relevant)


def _reciprocal_rank(ranking: Ranking, relevant: dict[int, int]) -> float:
    return next((1 / n for n, i in enumerate(ranking, 1) if i in relevant), 0.0)


def figures(collection: Collection, rankings: Iterable[Ranking]) -> list[float]:
    """recall@1, @5, @10 and MRR where one text is relevant; nDCG@10, recall@100 on BEIR's sets."""
    rows = [
        (_gain(ranking, relevant), _recall(ranking, relevant, 100))
        if collection.name in _BEIR
        else (
            *(_recall(ranking, relevant, k) for k in (1, 5, 10)),
            _reciprocal_rank(ranking, relevant),
        )
        for ranking, relevant in zip(rankings, collection.relevant, strict=True)
    ]
    return [float(mean) for mean in np.mean(rows, axis=0)]


def tables(data: Path, cache: Path, tried: bool = False) -> Iterator[str]:
    """A table of all ways of ranking over all collections, and the time of a word search."""
    cache.mkdir(parents=True, exist_ok=True)
    embedder = models.load("all-MiniLM-L6-v2", cache)
    collections = [end_to_end(data), *(beir(data, name) for name in _BEIR)]
    ways: list[tuple[str, Callable[[Candidates], Ranking]]] = [
        ("dense", lambda found: found.listed[0]),
        ("words", lambda found: found.listed[1]),
        ("**fused**", shipped),
    ]
    if tried:
        collections.insert(0, training(data))
        ways += TRIED
    columns = []
    for collection in collections:
        found, spent = search(collection, embedder, cache)
        yield f"{collection.name}: {len(collection.texts)} passages, {spent:.2f} ms a word search\n"
        columns.append([figures(collection, map(way, found)) for _, way in ways])
    yield "### Ranking: recall@1 / @5 / @10 / MRR, and nDCG@10 / recall@100 for BEIR\n"
    yield "| " + " | ".join(["", *(collection.name for collection in collections)]) + " |"
    yield "|---" * (len(collections) + 1) + "|"
    for row, (name, _) in enumerate(ways):
        cells = (" / ".join(f"{figure:.3f}" for figure in column[row]) for column in columns)
        yield "| " + " | ".join([name, *cells]) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of data sets")
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--tried", action="store_true", help="show other ways of fusing, too")
    options = parser.parse_args()
    for line in tables(options.data, options.cache, options.tried):
        print(line, flush=True)


if __name__ == "__main__":
    main()
