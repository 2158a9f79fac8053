"""Wrong passages that look right: what our own retrieval finds and that doesn't answer."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from embeddings.base import Embedder
from rag.analysis import terms
from rag.evaluation.squad import SquadParagraph, SquadQuestion
from rag.fusion import fuse
from rag.retrieval import DEPTH
from rag.store.base import Vector
from rag.store.word_index import WordIndex, WordView
from rag.training.examples import Negative
from rag.types import with_context

_NEAREST = 3  # one negative is drawn from the first so many ranks
_FOUND = 20  # and one from the other ranks up to this
_BATCH = 512  # questions


def mine(
    paragraphs: Sequence[SquadParagraph], embedder: Embedder, seed: int = 0
) -> dict[str, list[Negative]]:
    """Up to two negatives for each answerable question, by its id: one that ranks very high among
    all paragraphs and one that ranks lower. A paragraph that holds one of the accepted answers as
    words is none, wherever it stands.
    """
    rng = random.Random(seed)  # noqa: S311
    texts = [with_context(p.title, (), p.text) for p in paragraphs]
    vectors = embedder.embed_passages(texts)
    index = WordIndex()
    index.change(enumerate(texts), ())
    bare = [_bare(paragraph.text) for paragraph in paragraphs]
    mined: dict[str, list[Negative]] = {}
    for home, question, row in _asked(paragraphs, vectors, embedder):
        ranks = _ranks(question.question, row, index.view())
        answers = [_bare(a.of(paragraphs[home].text)) for a in question.answers]
        wrong = [
            (rank, place)
            for rank, place in enumerate(ranks)
            if place != home and not any(answer in bare[place] for answer in answers)
        ]
        near = [place for rank, place in wrong if rank < _NEAREST]
        far = [place for rank, place in wrong if rank >= _NEAREST]
        drawn = [rng.choice(places) for places in (near, far) if places]
        mined[question.id] = [Negative(paragraphs[p].title, paragraphs[p].text) for p in drawn]
    return mined


def _asked(
    paragraphs: Sequence[SquadParagraph], vectors: NDArray[np.float32], embedder: Embedder
) -> Iterator[tuple[int, SquadQuestion, Vector]]:
    """Answerable questions: their paragraph, themselves, their cosine with every paragraph."""
    asked = [(place, q) for place, p in enumerate(paragraphs) for q in p.questions if q.answers]
    for first in range(0, len(asked), _BATCH):
        batch = asked[first : first + _BATCH]
        cosines = embedder.embed_passages([q.question for _, q in batch]) @ vectors.T
        for (place, question), row in zip(batch, cosines, strict=True):
            yield place, question, row


def _ranks(question: str, cosines: Vector, view: WordView) -> list[int]:
    """Places of paragraphs, best first, by the fusion that `rag.retrieval` asks with."""
    words = dict(view.search(terms(question), DEPTH))
    near = np.argpartition(-cosines, min(DEPTH, len(cosines) - 1))[:DEPTH].tolist()
    dense = {place: float(cosines[place]) for place in {*near, *words}}
    return [place for place, _ in fuse(dense, words)[:_FOUND]]


def _bare(text: str) -> str:
    """Words in lower case between single spaces, so that `in` compares whole words."""
    return f" {' '.join(''.join(c if c.isalnum() else ' ' for c in text.casefold()).split())} "
