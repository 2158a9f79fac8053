"""A model's name to the embedder that runs it best."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from embeddings import graph_cache, model_folder
from embeddings.base import Embedder
from embeddings.compiled import CompiledEmbedder
from embeddings.errors import NotCompilable
from embeddings.hashing import HashingEmbedder
from embeddings.sentence_transformer import SentenceTransformerEmbedder

_COMPILABLE = {"Transformer", "Pooling", "Normalize"}
_log = logging.getLogger(__name__)


def load(name: str, cache: Path) -> Embedder:
    """`hashing`, `all-MiniLM-L6-v2`, or a folder that sentence-transformers has saved.

    Compiled where that works, else run by sentence-transformers. `cache` keeps compiled graphs
    (about 45 MB for all-MiniLM-L6-v2). Raises ModelUnavailable.
    """
    if name == HashingEmbedder.name:
        return HashingEmbedder()
    folder = model_folder.find(name)
    fingerprint = model_folder.fingerprint(folder)
    try:
        refuse_unknown_modules(folder)
        graph = graph_cache.prepared(folder, fingerprint, cache, "embeddings.export")
        return CompiledEmbedder(Path(name).name, fingerprint, graph)
    except NotCompilable as reason:
        _log.warning("%s runs with sentence-transformers: %s", Path(name).name, reason)
        return SentenceTransformerEmbedder(name)


def refuse_unknown_modules(folder: Path) -> None:
    """Raises `NotCompilable` for a model that is more than a pooled transformer."""
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        kinds = {module["type"].rpartition(".")[2] for module in modules}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise NotCompilable("it has no readable modules.json") from error
    if unknown := kinds - _COMPILABLE:
        raise NotCompilable(f"it has modules of the kind {', '.join(sorted(unknown))}")
