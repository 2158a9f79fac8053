"""Checking and mending the embedded store: each repair is one transaction of the store's own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import apsw

from rag.errors import StoreUnreadable
from rag.store.base import Entry, Vector
from rag.store.caches import PRIVATE, CacheFolder
from rag.store.embedded import EmbeddedStore
from rag.store.examining import DocumentRow, Examination, examination
from rag.store.overhaul import Overhaul
from rag.store.rows import Row
from rag.store.sqlite import Database
from rag.store.statements import (
    Freed,
    check_embedder,
    forget,
    forget_base,
    next_generation,
    prune,
    put_document,
    replace_vectors,
    state_of,
)


class Upkeep:
    """The store in `home` as a doctor sees it; other processes may use it meanwhile.

    Each write waits at most `busy_seconds` for another one's, then raises `StoreBusy`.
    """

    def __init__(self, home: Path, busy_seconds: float) -> None:
        self._home = home
        self._busy_seconds = busy_seconds
        self._database = Database(home / "index.sqlite", busy_seconds)
        self.overhaul = Overhaul(home, busy_seconds)

    def examination(self) -> AbstractContextManager[Examination]:
        """Everything as it is now. Raises `StoreUnreadable` where it can't be read on."""
        return examination(self._database, self._home)

    def reindex(self) -> None:
        """Makes SQLite's own indexes anew from the rows."""
        with self._writing() as connection:
            connection.execute("REINDEX")

    def mend(
        self, row: DocumentRow, embedder: str, entry: Entry, vectors: Mapping[bytes, Vector]
    ) -> None:
        """Puts `entry` in the place of a row and its passages, and vectors in the place of others.

        Does nothing where the row is no longer the one that was examined: another process has
        replaced it. The former passages are removed by their document, whatever they say of their
        collection, since that may be what is damaged.
        """
        collection = entry.document.origin.collection
        with self._writing() as connection:
            if not _is_as_examined(connection, row):
                return
            check_embedder(state_of(connection, collection, make=True), embedder)
            generation = next_generation(connection, collection, embedder)
            replace_vectors(connection, vectors)
            freed = Freed()
            _forget_row(connection, collection, generation, row, freed)
            document_id = entry.document.origin.document_id
            forget(connection, collection, generation, [document_id], freed)
            put_document(connection, generation, entry)
            freed.sha256s.clear()  # bytes that are kept are never deleted for a damaged name
            prune(connection, freed)

    def drop_orphans(self) -> None:
        """Forgets passages without a document and vectors without a passage.

        No text is lost: documents hold it.
        """
        orphaned = "document_id NOT IN (SELECT document_id FROM documents)"
        with self._writing() as connection:
            collections: list[Row] = connection.execute(
                f"SELECT DISTINCT collection FROM passages WHERE {orphaned} "  # noqa: S608
                "AND collection IN (SELECT name FROM collections)"
            ).fetchall()
            rows = f"FROM passages WHERE collection = ? AND {orphaned}"
            for (collection,) in collections:
                state = state_of(connection, collection)
                generation = next_generation(connection, collection, state.embedder)
                connection.execute(
                    f"INSERT INTO tombstones SELECT collection, ?, passage_id {rows}",
                    (generation, collection),
                )
            connection.execute(f"DELETE FROM passages WHERE {orphaned}")  # noqa: S608
            connection.execute(
                "DELETE FROM vectors WHERE vector_key NOT IN (SELECT vector_key FROM passages)"
            )

    def drop_unused_originals(self) -> None:
        """Deletes kept bytes that no document was read from."""
        with self._writing() as connection:
            connection.execute(
                "DELETE FROM originals WHERE sha256 NOT IN (SELECT sha256 FROM documents)"
            )

    def rebuild_cache(self, collection: str) -> None:
        """Begins the collection's caches anew from the rows alone."""
        with self._writing() as connection:
            forget_base(connection, collection)
            connection.execute(
                "DELETE FROM tombstones WHERE collection = ? "
                "AND passage_id IN (SELECT passage_id FROM passages)",
                (collection,),
            )
        with closing(EmbeddedStore(self._home, self._busy_seconds)) as store:
            store.compact(collection)

    def sweep(self, leftovers: Sequence[Path]) -> None:
        """Removes folders of caches that nobody uses."""
        for folder in leftovers:
            if folder.name.startswith(PRIVATE):  # one that is just being made must not be taken
                CacheFolder(folder.parent).sweep()
            else:
                shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _writing(self) -> Iterator[apsw.Connection]:
        try:
            with self._database.write() as connection:
                yield connection
        except apsw.ConstraintError as error:
            raise StoreUnreadable(
                "another damaged row stands in the way: repair again, or restore a backup"
            ) from error

    def close(self) -> None:
        self._database.close()


def _is_as_examined(connection: apsw.Connection, row: DocumentRow) -> bool:
    query = "SELECT CAST(record_sha256 AS BLOB) FROM documents WHERE rowid = ?"
    now = connection.execute(query, (row.row_id,)).fetchone()
    return now is not None and now[0] == row.record_sha256


def _forget_row(
    connection: apsw.Connection, collection: str, generation: int, row: DocumentRow, freed: Freed
) -> None:
    """Deletes a row of `documents` with its passages; adds what they used to `freed`."""
    mine = "document_id = (SELECT document_id FROM documents WHERE rowid = ?)"
    keys: list[Row] = connection.execute(
        f"SELECT vector_key FROM passages WHERE {mine}",  # noqa: S608
        (row.row_id,),
    ).fetchall()
    connection.execute(
        f"INSERT INTO tombstones SELECT ?, ?, passage_id FROM passages WHERE {mine}",  # noqa: S608
        (collection, generation, row.row_id),
    )
    connection.execute("DELETE FROM documents WHERE rowid = ?", (row.row_id,))
    freed.vector_keys.update(key for (key,) in keys)
