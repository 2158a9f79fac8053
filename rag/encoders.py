"""The embedder that each collection is asked and written with."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from embeddings.base import Embedder
from rag.errors import ModelMismatch, ModelUnavailable, StoreBusy, StoreFull, StoreUnreadable
from rag.store.base import PassageStore

_log = logging.getLogger(__name__)


class Encoders:
    """The configured embedder and, for what is not encoded anew yet, those of before.

    `load` takes a model's name. The store keeps the name that a fingerprint was loaded by.
    """

    def __init__(self, name: str, load: Callable[[str], Embedder], store: PassageStore) -> None:
        self._name = str(Path(name).absolute()) if Path(name).is_dir() else name
        self._load = load
        self._store = store
        self._loading = threading.Lock()
        self._former: dict[str, Embedder] = {}
        self._unusable: set[tuple[str, str]] = set()

    @cached_property
    def _configured(self) -> Embedder:
        return self._load(self._name)

    @property
    def configured(self) -> Embedder:
        """Loaded at the first use. Raises `ModelUnavailable`."""
        with self._loading:
            return self._configured

    def of(self, collection: str) -> Embedder:
        """The one that made the collection's vectors, the configured one if none was made.

        Raises `ModelMismatch` where it is another one and can't be loaded.
        """
        try:
            self._store.check(collection, self.configured.fingerprint)
        except ModelMismatch as mismatch:
            return self.former(mismatch)
        return self.configured

    def of_mismatch(self, mismatch: ModelMismatch) -> Embedder:
        """The one whose fingerprint the collection turned out to have."""
        configured = self.configured
        return configured if mismatch.made_with == configured.fingerprint else self.former(mismatch)

    def knows(self, collection: str) -> bool:
        """Whether the embedder that made the collection's vectors can be loaded."""
        try:
            self.of(collection)
        except ModelMismatch:
            return False
        return True

    def note(self) -> None:
        """Keeps the name of the configured embedder for the day when another one is configured.

        The next write does it where this one has to wait too long, has no room or meets an error of
        the disk: what was ingested before it stands.
        """
        fingerprint = self.configured.fingerprint
        if self._store.model(fingerprint) != self._name:
            with suppress(StoreBusy, StoreFull, StoreUnreadable):
                self._store.keep_model(fingerprint, self._name)

    def former(self, mismatch: ModelMismatch) -> Embedder:
        """The embedder that the collection was made with. Raises `mismatch` without it."""
        with self._loading:
            if mismatch.made_with not in self._former:
                self._former[mismatch.made_with] = self._loaded(mismatch)
            return self._former[mismatch.made_with]

    def _loaded(self, mismatch: ModelMismatch) -> Embedder:
        name = self._store.model(mismatch.made_with)
        if name is None or (mismatch.made_with, name) in self._unusable:
            raise mismatch
        try:
            embedder = self._load(name)
        except ModelUnavailable:
            embedder = None
        if embedder is None or embedder.fingerprint != mismatch.made_with:
            self._unusable.add((mismatch.made_with, name))  # so that no question loads it again
            raise mismatch
        _log.warning("%s; until then it is asked and written to with %s", mismatch, name)
        return embedder

    def let_go_of_former(self) -> None:
        """Frees what those of before take up, once nothing needs them."""
        with self._loading:
            self._former.clear()
