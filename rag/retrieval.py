"""A question to the best hits of one snapshot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from embeddings.base import Embedder
from rag.analysis import terms
from rag.duplicates import words_of
from rag.fusion import fuse
from rag.store.base import Scored, Snapshot
from rag.types import Hit, Legs, Place

DEPTH = 100  # candidates of each leg
_SPARE = 2  # times as many passages as hits are looked at first

_Ranked = tuple[int, Place, float]
"""A passage's id, the passage, its score."""


def retrieve(question: str, snapshot: Snapshot, embedder: Embedder, limit: int) -> list[Hit]:
    """At most `limit` hits by falling score; passages with the same words are one hit."""
    vector = embedder.embed_question(question)
    depth = max(DEPTH, limit)
    dense = dict(snapshot.search_vectors(vector, depth))
    words = dict(snapshot.search_words(terms(question), depth))
    near = list(dense)
    dense |= snapshot.similarities(vector, words.keys() - dense.keys())
    fused = fuse(dense, words)
    # Copies count as one hit: most questions are served by a few more than `limit` passages.
    merged = _merged(_ranked(snapshot, fused[: _SPARE * limit]), limit)
    if len(merged) < limit:
        merged = _merged(_ranked(snapshot, fused), limit)
    legs = _legs(near, dense, words)
    return [
        Hit(place.passage, place.origin, score, snapshot.passages, tuple(copies), legs(passage_id))
        for (passage_id, place, score), copies in merged
    ]


def _legs(
    near: Sequence[int], cosines: Mapping[int, float], words: Mapping[int, float]
) -> Callable[[int], Legs]:
    dense_ranks = {passage_id: rank for rank, passage_id in enumerate(near, start=1)}
    word_ranks = {passage_id: rank for rank, passage_id in enumerate(words, start=1)}
    return lambda i: Legs(
        dense_ranks.get(i), cosines.get(i, 0.0), word_ranks.get(i), words.get(i, 0.0)
    )


def _ranked(snapshot: Snapshot, fused: Scored) -> list[_Ranked]:
    scores = dict(fused)
    places = snapshot.places(scores)
    ranked = sorted(
        places,
        key=lambda i: (-scores[i], places[i].origin.source, places[i].passage.span, i),
    )
    return [(i, places[i], scores[i]) for i in ranked]


def _merged(ranked: Sequence[_Ranked], limit: int) -> list[tuple[_Ranked, list[Place]]]:
    """The first of each group of passages with the same words, and the others as its copies."""
    hits: dict[tuple[str, ...], tuple[_Ranked, list[Place]]] = {}
    for one in ranked:
        _, place, _ = one
        # A passage without a single word is like no other.
        words = words_of(place.passage.text) or (
            f"{place.passage.document_id}:{place.passage.ordinal}",
        )
        known = hits.get(words)
        if known:
            known[1].append(place)
        elif len(hits) < limit:
            hits[words] = (one, [])
    return list(hits.values())
