"""What `killed_step.py` kills: each is given the folder of an index, which `make` fills."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.hashing import HashingEmbedder
from rag.backup import back_up, restore
from rag.rebuilding import rebuild
from rag.store.embedded import EmbeddedStore


class Turned(HashingEmbedder):
    """Another light embedder: other vectors, and shorter passages."""

    name = "turned"
    fingerprint = "turned-1"
    max_tokens = 40

    def embed_question(self, text: str) -> NDArray[np.float32]:
        return np.ascontiguousarray(super().embed_question(text)[::-1])


def encode_anew(home: Path) -> None:
    """By another model than the one that made it."""
    with closing(EmbeddedStore(home, busy_seconds=5.0)) as store:
        store.keep_model(Turned.fingerprint, Turned.name)
        for collection in store.collections():
            rebuild(store, Turned(), collection.name)


def replace_by_backup(home: Path, backup: Path) -> None:
    restore(backup, home, 5.0, replace=True)


def restore_anew(home: Path, backup: Path) -> None:
    restore(backup, home / "index", 5.0)


def write_backup(home: Path) -> None:
    back_up(home, home.parent / f"{home.name}-backup", 5.0)
