"""The store for one machine: SQLite for the truth, FAISS and tantivy for searching it."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from rag.errors import NotFound, ReadOnly, no_document
from rag.store import listing
from rag.store.base import CollectionRecord, Entry, Overview, Stored, Vector
from rag.store.caches import CacheFolder
from rag.store.following import Follower
from rag.store.overhaul import Overhaul
from rag.store.rows import (
    DOCUMENT_COLUMNS,
    ORIGIN_COLUMNS,
    document_of,
    original_of,
    qualified,
)
from rag.store.snapshots import EmbeddedSnapshot
from rag.store.sqlite import Database
from rag.store.statements import (
    Freed,
    check_embedder,
    forget,
    forget_base,
    model_of,
    next_generation,
    prune,
    put_document,
    put_vectors,
    record_base,
    state_of,
)
from rag.types import Document, DocumentRecord, Origin


class EmbeddedStore:
    """`PassageStore` in a folder: `index.sqlite` is the truth, `caches/` can be deleted any time.

    Any number of processes may use one folder; each write waits at most `busy_seconds` for
    another one's. `commit` adds nothing beyond `max_bytes` of the file: it raises `StoreAtLimit`.
    With `read_only` nothing in the folder is written: caches live in memory.
    """

    def __init__(
        self,
        home: Path,
        busy_seconds: float = 1.0,
        max_bytes: int | None = None,
        *,
        read_only: bool = False,
    ) -> None:
        self._database = Database(home / "index.sqlite", busy_seconds, read_only=read_only)
        self._read_only = read_only
        self._overhaul = Overhaul(home, busy_seconds)
        self._max_bytes = max_bytes
        self._caches = home / "caches"
        self._followers: dict[str, Follower] = {}
        self._lock = threading.Lock()

    def collections(self) -> list[CollectionRecord]:
        with self._database.read() as connection:
            return listing.records(connection)

    def overview(self, collection: str, most_folders: int) -> Overview:
        with self._database.read() as connection:
            return listing.overview(connection, collection, most_folders)

    def stored(self, collection: str) -> list[Stored]:
        with self._database.read() as connection:
            return listing.stored(connection, collection)

    def documents(
        self,
        collection: str | None,
        limit: int,
        after: str | None,
        words: Sequence[str] = (),
        within: Collection[str] | None = None,
    ) -> tuple[list[DocumentRecord], str | None]:
        with self._database.read() as connection:
            return listing.page_of_documents(connection, collection, limit, after, words, within)

    def document(self, document_id: str) -> tuple[Document, DocumentRecord]:
        with self._database.read() as connection:
            row = connection.execute(
                f"SELECT {DOCUMENT_COLUMNS} FROM documents WHERE document_id = ?",  # noqa: S608
                (document_id,),
            ).fetchone()
        if row is None:
            raise no_document(document_id)
        return document_of(row)

    def collection_of(self, document_id: str) -> str:
        query = "SELECT collection FROM documents WHERE document_id = ?"
        with self._database.read() as connection:
            row = connection.execute(query, (document_id,)).fetchone()
        if row is None:
            raise no_document(document_id)
        return str(row[0])

    def original(self, document_id: str) -> tuple[Origin, bytes | None]:
        with self._database.read() as connection:
            row = connection.execute(
                f"SELECT {qualified(ORIGIN_COLUMNS, 'documents')}, record_sha256, data "  # noqa: S608
                "FROM documents LEFT JOIN originals ON originals.sha256 = documents.sha256 "
                "WHERE document_id = ?",
                (document_id,),
            ).fetchone()
        if row is None:
            raise no_document(document_id)
        return original_of(row)

    def attached(self, document_id: str) -> list[str]:
        with self._database.read() as connection:
            return listing.attached(connection, document_id)

    def named(self, source: str) -> list[str]:
        query = "SELECT document_id FROM documents WHERE source = ? ORDER BY document_id"
        with self._database.read() as connection:
            return [str(document_id) for (document_id,) in connection.execute(query, (source,))]

    def alike(self, text_sha256: str, sha256: str | None) -> list[str]:
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT document_id FROM documents WHERE text_sha256 = ?1 OR sha256 = ?2 "
                "ORDER BY text_sha256 = ?1 DESC, source, document_id",
                (text_sha256, sha256),
            )
            return [str(document_id) for (document_id,) in rows]

    def everything(self, collection: str) -> Iterator[Document]:
        for stored in self.stored(collection):
            with suppress(NotFound):  # removed meanwhile
                yield self.document(stored.document_id)[0]

    def missing(self, keys: Iterable[bytes]) -> set[bytes]:
        wanted = set(keys)
        with self._database.read() as connection:
            return {
                key
                for key in wanted
                if not connection.execute("SELECT 1 FROM vectors WHERE vector_key = ?", (key,)).get
            }

    def stage(self, vectors: Mapping[bytes, Vector]) -> None:
        with self._database.write() as connection:
            put_vectors(connection, vectors)

    def commit(
        self,
        collection: str,
        embedder: str,
        *,
        put: Sequence[Entry] = (),
        vectors: Mapping[bytes, Vector] | None = None,
        remove: Collection[str] = (),
    ) -> int:
        with self._database.write(self._max_bytes) as connection:
            check_embedder(state_of(connection, collection, make=True), embedder)
            generation = next_generation(connection, collection, embedder)
            put_vectors(connection, vectors or {})
            freed = Freed()
            forget(connection, collection, generation, remove, freed)
            for entry in put:
                document_id = entry.document.origin.document_id
                forget(connection, collection, generation, [document_id], freed)
                put_document(connection, generation, entry)
            prune(connection, freed)
        return generation

    def remove(self, collection: str, document_ids: Collection[str]) -> int:
        with self._database.write() as connection:
            state = state_of(connection, collection)
            generation = next_generation(connection, collection, state.embedder)
            freed = Freed()
            forget(connection, collection, generation, document_ids, freed)
            prune(connection, freed)
        return generation

    def replace_all(self, collection: str, embedder: str, entries: Iterable[Entry]) -> int:
        with self._database.write() as connection:
            state_of(connection, collection)
            generation = next_generation(connection, collection, embedder)
            forget_base(connection, collection)
            for entry in entries:
                document_id = entry.document.origin.document_id
                forget(connection, collection, generation, [document_id], Freed())
                put_document(connection, generation, entry)
            connection.execute(
                "DELETE FROM vectors WHERE vector_key NOT IN (SELECT vector_key FROM passages)"
            )
        return generation

    @contextmanager
    def snapshot(self, collection: str, embedder: str) -> Iterator[EmbeddedSnapshot]:
        seen = 0
        while True:
            with self._database.read() as connection:
                state = state_of(connection, collection)
                check_embedder(state, embedder)
                follower = self._follower(collection)
                if state.generation < seen:  # a backup was restored into the open database
                    follower.close()
                view = follower.at(connection, state)
                if view.generation == state.generation:
                    yield EmbeddedSnapshot(connection, collection, view)
                    return
                # Another thread has just followed a write; a new transaction sees it, too.
                seen = view.generation

    def check(self, collection: str, embedder: str) -> None:
        with self._database.read() as connection, suppress(NotFound):
            check_embedder(state_of(connection, collection), embedder)

    def model(self, embedder: str) -> str | None:
        with self._database.read() as connection:
            return model_of(connection, embedder)

    def keep_model(self, embedder: str, name: str) -> None:
        with self._database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO models VALUES (?, ?)", (embedder, name))

    def overhaul(self) -> AbstractContextManager[None]:
        if self._read_only:
            raise ReadOnly
        return self._overhaul.held()

    def compact(self, collection: str) -> None:
        with self._database.read() as connection:
            state = state_of(connection, collection)
            base = self._follower(collection).compacted(connection, state)
        if base:
            with self._database.write() as connection:
                recorded = record_base(connection, state, base)
            if recorded:
                self._cache_folder(collection).discard_before(base, state.base)

    def close(self) -> None:
        with self._lock:
            for follower in self._followers.values():
                follower.close()
        self._database.close()

    def _follower(self, collection: str) -> Follower:
        with self._lock:
            if collection not in self._followers:
                self._followers[collection] = Follower(self._cache_folder(collection))
            return self._followers[collection]

    def _cache_folder(self, collection: str) -> CacheFolder:
        return CacheFolder(self._caches / collection, read_only=self._read_only)
