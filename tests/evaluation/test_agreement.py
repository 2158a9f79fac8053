"""Figures on public collections against independent libraries and definitions."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from math import log
from pathlib import Path
from random import Random
from statistics import fmean
from typing import NamedTuple

import bm25s
import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from rag.analysis import terms
from rag.evaluation.judged import read_beir
from rag.evaluation.metrics import exact_match, f1
from rag.evaluation.questions import Question
from rag.evaluation.ranking import ranking_scores
from rag.evaluation.squad import read_squad
from rag.loading.markdown import READER
from rag.store.word_index import WordIndex

_DATASETS = Path(__file__).parents[3] / "shared" / "datasets"
_DEPTH = 100
needs_datasets = pytest.mark.skipif(
    not (_DATASETS / "beir").is_dir(), reason="../shared/datasets is not beside this checkout"
)


# Retrieval


class Collection(NamedTuple):
    """A BEIR collection as it is indexed."""

    names: list[str]
    texts: list[str]
    questions: tuple[Question, ...]

    @property
    def relevant(self) -> dict[str, dict[str, int]]:
        return {question.id: dict(question.relevant) for question in self.questions}


@cache
def collection(name: str) -> Collection:
    """With title and text of each document in one, as BEIR's own BM25 has them."""
    read = read_beir(_DATASETS / "beir" / name)
    parsed = [READER.read(content) for _, content in read.files]
    bodies = (p.text[p.skipped[0].end if p.skipped else 0 :].strip() for p in parsed)
    texts = [f"{p.title or ''}\n{body}" for p, body in zip(parsed, bodies, strict=True)]
    return Collection([file for file, _ in read.files], texts, read.questions)


Search = Callable[[Sequence[str]], Iterable[int]]
"""Terms to the places of texts, best first."""


def by_word_index(texts: Sequence[str]) -> Search:
    index = WordIndex()
    index.change(enumerate(texts), ())
    view = index.view()
    return lambda query: [place for place, _ in view.search(query, _DEPTH)]


def by_bm25s(texts: Sequence[str]) -> Search:
    index = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    index.index([terms(text) for text in texts], show_progress=False)

    def search(query: Sequence[str]) -> Iterable[int]:
        known = [term for term in dict.fromkeys(query) if term in index.vocab_dict]
        scores = index.get_scores(known) if known else np.zeros(0)
        return [int(p) for p in np.argsort(-scores, kind="stable")[:_DEPTH] if scores[p] > 0]

    return search


def by_formula(texts: Sequence[str]) -> Search:
    """Robertson's BM25 with Lucene's idf, k1 1.2 and b 0.75, and lengths as tantivy keeps them."""
    counts = [Counter(terms(text)) for text in texts]
    lengths = np.array([count.total() for count in counts])
    kept = np.array([in_one_byte(length) for length in lengths.tolist()])
    saturation = 1.2 * (1 - 0.75 + 0.75 * kept / lengths.mean())

    def search(query: Sequence[str]) -> Iterable[int]:
        scores = np.zeros(len(texts))
        for term in dict.fromkeys(query):
            often = np.array([count[term] for count in counts])
            holding = np.count_nonzero(often)
            idf = log(1 + (len(texts) - holding + 0.5) / (holding + 0.5))
            scores += idf * often / (often + saturation)
        return [int(p) for p in np.argsort(-scores, kind="stable")[:_DEPTH] if scores[p] > 0]

    return search


def in_one_byte(length: int) -> int:
    """Lucene's byte for a length, as a length: exact to 39, then four binary digits above 24."""
    if length < 40:
        return length
    dropped = (length - 24).bit_length() - 4
    return 24 + ((length - 24) >> dropped << dropped)


def ranked(data: Collection, search: Search) -> dict[str, list[str]]:
    return {
        question.id: [data.names[place] for place in search(terms(question.question))]
        for question in data.questions
    }


def by_scikit_learn(ranking: Sequence[str], grades: Mapping[str, int]) -> float:
    """nDCG@10 of scikit-learn, which wants a score for every document.

    Those that were not found come after what was, and relevant ones after ten that are not.
    """
    missed = [grade for name, grade in grades.items() if name not in ranking]
    gains = [*(grades.get(name, 0) for name in ranking), *[0] * 10, *missed]
    return float(ndcg_score([gains], [range(len(gains), 0, -1)], k=10))


@needs_datasets
@pytest.mark.parametrize("name", ["scifact", "nfcorpus", "cranfield"])
def test_ndcg_is_that_of_scikit_learn(name: str) -> None:
    data = collection(name)
    rankings = ranked(data, by_word_index(data.texts))
    scores = ranking_scores(rankings, data.relevant)
    assert len(scores) == len(data.questions) > 200
    for question, grades in data.relevant.items():
        expected = by_scikit_learn(rankings[question], grades)
        assert scores[question]["ndcg@10"] == pytest.approx(expected, abs=1e-9)


@needs_datasets
@pytest.mark.parametrize(
    ("name", "ours", "exact"),
    [("scifact", 0.6895, 0.6871), ("nfcorpus", 0.3236, 0.3248), ("cranfield", 0.3719, 0.3755)],
)
def test_word_search_is_bm25(name: str, ours: float, exact: float) -> None:
    """bm25s keeps exact lengths and ranks a little differently; with tantivy's nothing differs."""
    data = collection(name)
    rankings = ranked(data, by_word_index(data.texts))
    assert ndcg(rankings, data) == pytest.approx(ours, abs=5e-5)
    assert ndcg(ranked(data, by_bm25s(data.texts)), data) == pytest.approx(exact, abs=5e-5)
    some = data._replace(questions=data.questions[::5])  # the plain formula is slow
    for question, expected in ranked(some, by_formula(data.texts)).items():
        assert rankings[question][:10] == expected[:10]


def ndcg(rankings: Mapping[str, Sequence[str]], data: Collection) -> float:
    """The mean nDCG@10."""
    return fmean(s["ndcg@10"] for s in ranking_scores(rankings, data.relevant).values())


# Answers


def published_words(text: str) -> list[str]:
    """Words as SQuAD's definition has them: lower case, no punctuation, then no articles."""
    kept = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"(?<!\w)(the|an?)(?!\w)", " ", kept).split()


def published_scores(answer: str, accepted: Sequence[str]) -> tuple[float, float]:
    """Exact match and F1 by SQuAD's definition: the best over the gold answers that hold words.

    Where none does, the empty answer is the gold one.
    """
    golds = [words for gold in accepted if (words := published_words(gold))] or [[]]
    given = published_words(answer)
    return max(float(given == gold) for gold in golds), max(overlap(given, g) for g in golds)


def overlap(given: list[str], gold: list[str]) -> float:
    rest = list(gold)
    same = 0
    for word in given:
        if word in rest:
            rest.remove(word)
            same += 1
    if not given or not gold:
        return float(not given and not gold)
    precision, recall = same / len(given), same / len(gold)
    return 2 * precision * recall / (precision + recall) if same else 0.0


def spoilt(answer: str, draw: Random) -> str:
    """An answer as a reader may give it: cut, longer, in other case, with other marks, or none."""
    words = answer.split()
    return draw.choice(
        [
            "",
            answer,
            f"the {answer}.",
            answer.upper(),
            " ".join(words[: len(words) // 2]),
            " ".join(words[1:]),
            f"“{answer}” and an {answer}",
            answer.replace(" ", "-"),
            f"  a {answer} — the",
        ]
    )


@needs_datasets
def test_answers_score_as_in_the_published_definition() -> None:
    accepted_answers = [
        [answer.of(paragraph.text) for answer in question.answers]
        for paragraph in read_squad(_DATASETS / "squad20-dev.json.gz")
        for question in paragraph.questions
    ]
    draw = Random(1)  # noqa: S311 - the same spoilt answers every time
    ours, published = [], []
    for place, accepted in enumerate(accepted_answers):
        neighbour = accepted_answers[place - draw.choice([0, 0, 0, 1])]
        given = spoilt(draw.choice(neighbour or [""]), draw)
        ours.append((exact_match(given, accepted), f1(given, accepted)))
        published.append(published_scores(given, accepted))
    assert len(ours) == 11_873
    for mine, theirs in zip(zip(*ours, strict=True), zip(*published, strict=True), strict=True):
        assert fmean(mine) == pytest.approx(fmean(theirs), abs=1e-12)
        assert 0.1 < fmean(mine) < 0.9
        assert mine == pytest.approx(theirs, abs=1e-12)
