"""Wrong passages that look right: what our own retrieval finds and that doesn't answer."""

from __future__ import annotations

import random
from collections.abc import Sequence

from embeddings.base import Embedder
from rag.evaluation.squad import SquadParagraph
from rag.training.examples import Negative
from rag.training.library import Library

_NEAREST = 3  # one negative is drawn from the first so many ranks
_FOUND = 20  # and one from the other ranks up to this


def mine(
    paragraphs: Sequence[SquadParagraph], embedder: Embedder, seed: int = 0
) -> dict[str, list[Negative]]:
    """Up to two negatives for each answerable question, by its id: one that ranks very high among
    all paragraphs and one that ranks lower. A paragraph that holds one of the accepted answers as
    words is none, wherever it stands.
    """
    rng = random.Random(seed)  # noqa: S311
    library = Library(paragraphs, embedder)
    bare = [_bare(paragraph.text) for paragraph in paragraphs]
    asked = [(place, q) for place, p in enumerate(paragraphs) for q in p.questions if q.answers]
    found = library.ranks([question.question for _, question in asked], _FOUND)
    mined: dict[str, list[Negative]] = {}
    for (home, question), ranked in zip(asked, found, strict=True):
        answers = [_bare(answer.of(paragraphs[home].text)) for answer in question.answers]
        wrong = [
            (rank, place)
            for rank, (place, _) in enumerate(ranked)
            if place != home and not any(answer in bare[place] for answer in answers)
        ]
        near = [place for rank, place in wrong if rank < _NEAREST]
        far = [place for rank, place in wrong if rank >= _NEAREST]
        drawn = [rng.choice(places) for places in (near, far) if places]
        mined[question.id] = [Negative(paragraphs[p].title, paragraphs[p].text) for p in drawn]
    return mined


def _bare(text: str) -> str:
    """Words in lower case between single spaces, so that `in` compares whole words."""
    return f" {' '.join(''.join(c if c.isalnum() else ' ' for c in text.casefold()).split())} "
