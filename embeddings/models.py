"""A model's name to the embedder that runs it best."""

from __future__ import annotations

import logging
from pathlib import Path

from embeddings import graph_cache, model_folder
from embeddings.base import Embedder
from embeddings.compiled import CompiledEmbedder
from embeddings.errors import NotCompilable
from embeddings.hashing import HashingEmbedder
from embeddings.sentence_transformer import SentenceTransformerEmbedder

_log = logging.getLogger(__name__)


def load(name: str, cache: Path) -> Embedder:
    """`hashing`, `all-MiniLM-L6-v2`, or a folder that sentence-transformers has saved.

    Compiled where that works, else run by sentence-transformers. `cache` keeps compiled graphs
    (about 90 MB for all-MiniLM-L6-v2). Raises ModelUnavailable.
    """
    if name == HashingEmbedder.name:
        return HashingEmbedder()
    folder = model_folder.find(name)
    fingerprint = model_folder.fingerprint(folder)
    try:
        graph = graph_cache.prepared(folder, fingerprint, cache)
        return CompiledEmbedder(Path(name).name, fingerprint, graph)
    except NotCompilable as reason:
        _log.warning("%s runs with sentence-transformers: %s", Path(name).name, reason)
        return SentenceTransformerEmbedder(name)
