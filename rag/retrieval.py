"""A question to the best hits of one snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from embeddings.base import Embedder
from rag.analysis import terms
from rag.duplicates import words_of
from rag.fusion import fuse
from rag.store.base import Scored, Snapshot
from rag.types import Hit, Place

DEPTH = 100  # candidates of each leg
_SPARE = 2  # times as many passages as hits are looked at first


def retrieve(question: str, snapshot: Snapshot, embedder: Embedder, limit: int) -> list[Hit]:
    """At most `limit` hits by falling score; passages with the same words are one hit."""
    vector = embedder.embed_question(question)
    depth = max(DEPTH, limit)
    dense = dict(snapshot.search_vectors(vector, depth))
    words = dict(snapshot.search_words(terms(question), depth))
    dense |= snapshot.similarities(vector, words.keys() - dense.keys())
    fused = fuse(dense, words)
    # Copies count as one hit: most questions are served by a few more than `limit` passages.
    hits = _hits(snapshot, fused[: _SPARE * limit], limit)
    return hits if len(hits) == limit else _hits(snapshot, fused, limit)


def _hits(snapshot: Snapshot, fused: Scored, limit: int) -> list[Hit]:
    scores = dict(fused)
    places = snapshot.places(scores)
    ranked = sorted(
        places,
        key=lambda i: (-scores[i], places[i].origin.source, places[i].passage.span, i),
    )
    return _merged([(places[i], scores[i]) for i in ranked], limit, snapshot.passages)


def _merged(ranked: Sequence[tuple[Place, float]], limit: int, among: int) -> list[Hit]:
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
            hits[words] = Hit(place.passage, place.origin, score, among)
    return list(hits.values())
