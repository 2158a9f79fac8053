"""A question to the best hits of one snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from embeddings.base import Embedder
from rag.analysis import terms
from rag.duplicates import words_of
from rag.fusion import fuse
from rag.store.base import Snapshot
from rag.types import Hit, Place

DEPTH = 100  # candidates of each leg


def retrieve(question: str, snapshot: Snapshot, embedder: Embedder, limit: int) -> list[Hit]:
    """At most `limit` hits by falling score; passages with the same words are one hit."""
    vector = embedder.embed_question(question)
    depth = max(DEPTH, limit)
    dense = dict(snapshot.search_vectors(vector, depth))
    words = dict(snapshot.search_words(terms(question), depth))
    dense |= snapshot.similarities(vector, words.keys() - dense.keys())
    scores = dict(fuse(dense, words))
    places = snapshot.places(scores)
    ranked = sorted(
        places,
        key=lambda i: (-scores[i], places[i].origin.source, places[i].passage.span, i),
    )
    return _merged([(places[i], scores[i]) for i in ranked], limit)


def _merged(ranked: Sequence[tuple[Place, float]], limit: int) -> list[Hit]:
    hits: dict[tuple[str, ...], Hit] = {}
    for place, score in ranked:
        # A passage without a single word is like no other.
        words = words_of(place.passage.text) or (
            f"{place.passage.document_id}:{place.passage.ordinal}",
        )
        known = hits.get(words)
        if known:
            hits[words] = replace(known, copies=(*known.copies, place))
        elif len(hits) < limit:
            hits[words] = Hit(place.passage, place.origin, score)
    return list(hits.values())
