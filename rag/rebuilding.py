"""Cutting and encoding anew what is stored, while it is asked and written to as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from embeddings.base import Embedder
from rag.encoders import Encoders
from rag.entries import embed, split_entry, texts_by_key
from rag.errors import Conflict, FileRefused, StoreBusy
from rag.ingestion import BATCH
from rag.splitting import Splitter
from rag.store.base import Entry, PassageStore

_MOST_ROUNDS = 5  # in each, only what others have written since the last one is encoded


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How far the rebuild of a collection is."""

    collection: str
    documents: int
    total_documents: int


Show = Callable[[Rebuilt], None]


def ignore_rebuilt(_: Rebuilt) -> None:
    """For callers who do not watch."""


def is_outdated(store: PassageStore, embedder: Embedder, collection: str) -> bool:
    """Whether this embedder, or today's rules of cutting, would make other passages or vectors."""
    made_with = {c.name: c.embedder for c in store.collections()}[collection]
    if made_with not in (None, embedder.fingerprint):
        return True
    rules = Splitter(embedder.count_tokens, embedder.max_tokens).name
    return any(stored.splitter != rules for stored in store.stored(collection))


def rebuild(
    store: PassageStore, embedder: Embedder, collection: str, show: Show = ignore_rebuilt
) -> int:
    """Cuts and encodes every stored document anew; returns how many passages were encoded.

    Questions are answered from the former vectors until the one transaction at the end. `show` is
    called after each document, and leaves everything as it was if it raises. Raises `StoreBusy`
    where another overhaul is under way or others keep writing, and `Conflict` for a document that
    this embedder can't take.
    """
    with store.overhaul():
        one = _Rebuild(store, embedder, collection, show)
        for _ in range(_MOST_ROUNDS - 1):
            one.stage()
            try:
                one.commit()
            except StoreBusy:  # perhaps for want of the vectors of what was just written
                continue
            return one.encoded
        one.stage()
        one.commit()
    return one.encoded


class _Rebuild:
    def __init__(
        self, store: PassageStore, embedder: Embedder, collection: str, show: Show
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._collection = collection
        self._show = show
        self._splitter = Splitter(embedder.count_tokens, embedder.max_tokens)
        self.encoded = 0

    def stage(self) -> None:
        """Encodes what has no vector yet."""
        texts: dict[bytes, str] = {}
        for entry in self._entries():
            texts.update(texts_by_key(entry))
            if len(texts) >= BATCH:
                self._encode(texts)
                texts = {}
        self._encode(texts)

    def _encode(self, texts: dict[bytes, str]) -> None:
        missing = self._store.missing(texts)
        if missing:
            self._store.stage(embed(self._embedder, {key: texts[key] for key in missing}))
            self.encoded += len(missing)

    def commit(self) -> None:
        self._store.replace_all(self._collection, self._embedder.fingerprint, self._entries())

    def _entries(self) -> Iterator[Entry]:
        total = len(self._store.stored(self._collection))
        for done, document in enumerate(self._store.everything(self._collection), start=1):
            try:
                yield split_entry(document, self._splitter, self._embedder.fingerprint)
            except FileRefused as error:
                source = document.origin.source
                raise Conflict(f"{source} can't be encoded by this model: {error}") from error
            self._show(Rebuilt(self._collection, done, max(done, total)))


class Rebuilds:
    """What this process encodes anew: which collections need it, and how far one is.

    `done` is called with each that has been.
    """

    def __init__(
        self, store: PassageStore, encoders: Encoders, done: Callable[[str], None]
    ) -> None:
        self._store = store
        self._encoders = encoders
        self._done = done
        self._current: Rebuilt | None = None

    @property
    def current(self) -> Rebuilt | None:
        """How far the one is that goes on now."""
        return self._current

    def outdated(self) -> list[str]:
        """Collections that the configured embedder and today's rules would make otherwise."""
        embedder = self._encoders.configured
        return [name for name in self._names() if is_outdated(self._store, embedder, name)]

    def unanswerable(self) -> list[str]:
        """Those among them whose embedder can't be loaded, so that nothing is found there."""
        return [name for name in self._names() if not self._encoders.knows(name)]

    def run(self, collections: Sequence[str] | None = None, show: Show = ignore_rebuilt) -> int:
        """Cuts and encodes collections anew, all by default; returns how many passages were
        encoded. Until one is done it is asked and written to as it was; raises as `rebuild` does.
        """
        self._encoders.note()
        encoded = 0
        for collection in self._names() if collections is None else collections:
            encoded += self._rebuilt(collection, show)
            self._done(collection)
        self._encoders.let_go_of_former()
        return encoded

    def _rebuilt(self, collection: str, show: Show) -> int:
        def saw(progress: Rebuilt) -> None:
            self._current = progress
            show(progress)

        try:
            return rebuild(self._store, self._encoders.configured, collection, saw)
        finally:
            self._current = None

    def _names(self) -> list[str]:
        return [collection.name for collection in self._store.collections()]
