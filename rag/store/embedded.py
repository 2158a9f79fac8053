"""The store for one machine: SQLite for the truth, FAISS and tantivy for searching it."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import apsw

from rag.errors import InvalidInput, NotFound
from rag.store.base import CollectionRecord, Entry, Scored, Stored, Vector
from rag.store.caches import CacheFolder
from rag.store.following import Follower, View
from rag.store.rows import (
    DOCUMENT_COLUMNS,
    ORIGIN_COLUMNS,
    ORIGIN_WIDTH,
    PASSAGE_COLUMNS,
    PASSAGE_WIDTH,
    Row,
    decoded_vectors,
    document_of,
    origin_of,
    passage_of,
    qualified,
)
from rag.store.sqlite import Database
from rag.store.statements import (
    check_embedder,
    forget,
    next_generation,
    prune_vectors,
    put_document,
    put_vectors,
    state_of,
)
from rag.types import Document, DocumentRecord, Origin, Place

_ID_LENGTH = 32


class EmbeddedStore:
    """`PassageStore` in a folder: `index.sqlite` is the truth, `caches/` can be deleted any time.

    Any number of processes may use one folder; each write waits at most `busy_seconds` for
    another one's.
    """

    def __init__(self, home: Path, busy_seconds: float = 1.0) -> None:
        self._database = Database(home / "index.sqlite", busy_seconds)
        self._caches = home / "caches"
        self._followers: dict[str, Follower] = {}
        self._lock = threading.Lock()

    def collections(self) -> list[CollectionRecord]:
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT name, count(document_id), coalesce(sum(passages), 0), generation, "
                "embedder "
                "FROM collections LEFT JOIN documents ON collection = name "
                "GROUP BY name ORDER BY name"
            )
            return [CollectionRecord(*row) for row in rows]

    def stored(self, collection: str) -> list[Stored]:
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT document_id, root, source, sha256, loader, splitter FROM documents "
                "WHERE collection = ? ORDER BY source, root",
                (collection,),
            )
            return [Stored(*row) for row in rows]

    def documents(
        self, collection: str | None, limit: int, after: str | None
    ) -> tuple[list[DocumentRecord], str | None]:
        with self._database.read() as connection:
            if collection is not None:
                state_of(connection, collection)
            rows = connection.execute(
                f"SELECT {ORIGIN_COLUMNS}, record_sha256, paragraphs, passages, length(text), "  # noqa: S608
                "ingested_at FROM documents "
                "WHERE (?1 IS NULL OR collection = ?1) AND (source, document_id) > (?2, ?3) "
                "ORDER BY source, document_id LIMIT ?4",
                (collection, *_position(after), limit + 1),
            )
            records = [
                DocumentRecord(origin_of(row, row[ORIGIN_WIDTH]), *row[ORIGIN_WIDTH + 1 :])
                for row in rows
            ]
        more = len(records) > limit
        return records[:limit], _cursor(records[limit - 1].origin) if more else None

    def document(self, document_id: str) -> tuple[Document, DocumentRecord]:
        with self._database.read() as connection:
            row = connection.execute(
                f"SELECT {DOCUMENT_COLUMNS} FROM documents WHERE document_id = ?",  # noqa: S608
                (document_id,),
            ).fetchone()
        if row is None:
            raise NotFound(f"there is no document {document_id}: `rag documents` lists them")
        return document_of(row)

    def everything(self, collection: str) -> Iterator[Document]:
        for stored in self.stored(collection):
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
        with self._database.write() as connection:
            check_embedder(state_of(connection, collection, make=True), embedder)
            generation = next_generation(connection, collection, embedder)
            put_vectors(connection, vectors or {})
            replaced = [entry.document.origin.document_id for entry in put]
            keys = forget(connection, collection, generation, [*remove, *replaced])
            for entry in put:
                put_document(connection, generation, entry)
            prune_vectors(connection, keys)
        return generation

    def remove(self, collection: str, document_ids: Collection[str]) -> int:
        with self._database.write() as connection:
            state = state_of(connection, collection)
            generation = next_generation(connection, collection, state.embedder)
            keys = forget(connection, collection, generation, document_ids)
            prune_vectors(connection, keys)
        return generation

    def replace_all(self, collection: str, embedder: str, entries: Iterable[Entry]) -> int:
        with self._database.write() as connection:
            state_of(connection, collection)
            generation = next_generation(connection, collection, embedder)
            for entry in entries:
                document_id = entry.document.origin.document_id
                forget(connection, collection, generation, [document_id])
                put_document(connection, generation, entry)
            connection.execute(
                "DELETE FROM vectors WHERE vector_key NOT IN (SELECT vector_key FROM passages)"
            )
        return generation

    @contextmanager
    def snapshot(self, collection: str, embedder: str) -> Iterator[EmbeddedSnapshot]:
        while True:
            with self._database.read() as connection:
                state = state_of(connection, collection)
                check_embedder(state, embedder)
                view = self._follower(collection).at(connection, state)
                # A view is newer than this transaction when another thread has just followed a
                # write; a new transaction then sees that write too.
                if view.generation == state.generation:
                    yield EmbeddedSnapshot(connection, collection, view)
                    return

    def compact(self, collection: str) -> None:
        with self._database.read() as connection:
            state = state_of(connection, collection)
            done = self._follower(collection).compact(connection, state)
        if done:
            with self._database.write() as connection:
                connection.execute(
                    "UPDATE collections SET replayable_from = ? WHERE name = ?",
                    (state.generation, collection),
                )
                connection.execute(
                    "DELETE FROM tombstones WHERE collection = ? AND generation <= ?",
                    (collection, state.generation),
                )

    def close(self) -> None:
        for follower in self._followers.values():
            follower.close()
        self._database.close()

    def _follower(self, collection: str) -> Follower:
        with self._lock:
            if collection not in self._followers:
                folder = CacheFolder(self._caches / collection)
                self._followers[collection] = Follower(folder, self._database.store_id)
            return self._followers[collection]


def _cursor(origin: Origin) -> str:
    """Names a place in the order of documents, which stays one when the document goes."""
    return f"{origin.document_id}{origin.source}"


def _position(cursor: str | None) -> tuple[str, str]:
    cursor = cursor or ""
    if cursor and len(cursor) <= _ID_LENGTH:
        raise InvalidInput("the cursor is none of this listing: start again without one")
    return cursor[_ID_LENGTH:], cursor[:_ID_LENGTH]


class EmbeddedSnapshot:
    """`Snapshot` over an open read transaction and the view of the same generation."""

    def __init__(self, connection: apsw.Connection, collection: str, view: View) -> None:
        self._connection = connection
        self._collection = collection
        self._view = view

    @property
    def generation(self) -> int:
        return self._view.generation

    @property
    def passages(self) -> int:
        query = "SELECT count(*) FROM passages WHERE collection = ?"
        count: int = self._connection.execute(query, (self._collection,)).get
        return count

    def search_vectors(self, question: Vector, limit: int) -> Scored:
        return self._view.vectors.search(question, limit)

    def search_words(self, terms: Sequence[str], limit: int) -> Scored:
        return self._view.words.search(terms, limit)

    def similarities(self, question: Vector, passage_ids: Collection[int]) -> dict[int, float]:
        rows: list[Row] = self._connection.execute(
            "SELECT passage_id, vector FROM passages JOIN vectors USING (vector_key) "
            "WHERE passage_id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(passage_ids)),),
        ).fetchall()
        if not rows:
            return {}
        cosines = decoded_vectors(row[1] for row in rows) @ question
        return {row[0]: float(cosine) for row, cosine in zip(rows, cosines, strict=True)}

    def places(self, passage_ids: Collection[int]) -> dict[int, Place]:
        rows = self._connection.execute(
            f"SELECT passage_id, {qualified(PASSAGE_COLUMNS, 'passages')}, "  # noqa: S608
            f"{qualified(ORIGIN_COLUMNS, 'documents')}, documents.record_sha256 "
            "FROM passages JOIN documents USING (document_id) "
            "WHERE passage_id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(passage_ids)),),
        )
        return {
            row[0]: Place(
                passage_of(row[1 : PASSAGE_WIDTH + 1]),
                origin_of(row[PASSAGE_WIDTH + 1 :], row[-1]),
            )
            for row in rows
        }
