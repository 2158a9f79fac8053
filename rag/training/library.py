"""Paragraphs in memory, found as `rag.retrieval` finds passages: to mine and to calibrate on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from embeddings.base import Embedder
from rag.analysis import terms
from rag.evaluation.squad import SquadParagraph
from rag.fusion import fuse
from rag.retrieval import DEPTH
from rag.store.base import Scored, Vector
from rag.store.word_index import WordIndex, WordView
from rag.types import Hit, Origin, Passage, Span, with_context

_BATCH = 512  # questions


class Library:
    """A collection in which each paragraph is one passage of a file named by its article."""

    def __init__(self, paragraphs: Sequence[SquadParagraph], embedder: Embedder) -> None:
        self._embedder = embedder
        texts = [with_context(p.title, (), p.text) for p in paragraphs]
        self._vectors = embedder.embed_passages(texts)
        self._words = WordIndex()
        self._words.change(enumerate(texts), ())
        self._places = [_place(p, number) for number, p in enumerate(paragraphs)]

    def ranks(self, questions: Sequence[str], limit: int) -> Iterator[Scored]:
        """For each question numbers of paragraphs with their scores, best first."""
        view = self._words.view()
        for first in range(0, len(questions), _BATCH):
            batch = questions[first : first + _BATCH]
            cosines = self._embedder.embed_passages(batch) @ self._vectors.T
            for question, row in zip(batch, cosines, strict=True):
                yield _ranked(question, row, view)[:limit]

    def hits(self, questions: Sequence[str], limit: int) -> Iterator[list[Hit]]:
        """For each question the hits that a reader is given; `passage.ordinal` is the number."""
        for ranked in self.ranks(questions, limit):
            yield [Hit(*self._places[number], score, len(self._places)) for number, score in ranked]


def _ranked(question: str, cosines: Vector, view: WordView) -> list[tuple[int, float]]:
    words = dict(view.search(terms(question), DEPTH))
    near = np.argpartition(-cosines, min(DEPTH, len(cosines) - 1))[:DEPTH].tolist()
    return fuse({place: float(cosines[place]) for place in {*near, *words}}, words)


def _place(paragraph: SquadParagraph, number: int) -> tuple[Passage, Origin]:
    whole = Span(0, len(paragraph.text))
    name = str(number)
    return (
        Passage(name, number, whole, paragraph.text, "", "", (whole,), paragraph=1),
        Origin(name, "", "", name, paragraph.title, None, None, "", "", ""),
    )
