"""What the embedded store holds, damaged or not, in one read transaction: the facts for a check.

Reading elsewhere stops at the first damaged row; here each row is read for itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import apsw

from rag.errors import RagError
from rag.store.cache_facts import CacheFacts, compared, unused
from rag.store.caches import CacheFolder
from rag.store.rows import (
    DOCUMENT_COLUMNS,
    PASSAGE_COLUMNS,
    Row,
    document_of,
    passage_of,
)
from rag.store.sqlite import Database
from rag.store.statements import CollectionState
from rag.types import Document, DocumentRecord, Passage

_UNREADABLE = (apsw.Error, RagError, TypeError, UnicodeDecodeError, ValueError)


@dataclass(frozen=True, slots=True)
class PassageRow:
    """A row of `passages` with its vector's bytes; None for what is damaged or not there."""

    collection: str | None
    generation: int | None
    vector_key: bytes
    vector: bytes | None
    passage: Passage | None


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A row of `documents` with its passages' rows in order.

    The strings are as they stand there, sound or not. `sound` is the document where every hash
    agrees; else `damage` says which does not. `row_id` and `record_sha256` name the row as it was.
    """

    row_id: int
    record_sha256: bytes
    sound: tuple[Document, DocumentRecord] | None
    damage: str
    passages: tuple[PassageRow, ...]
    document_id: str
    collection: str
    root: str
    source: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Orphans:
    """How many rows belong to nothing."""

    passages: int
    vectors: int
    originals: int


class Examination:
    """One state of a store in `home`, read whole."""

    def __init__(self, connection: apsw.Connection, home: Path) -> None:
        self._connection = connection
        self._caches = home / "caches"

    def damages(self) -> list[str]:
        """What SQLite's own check finds in the file."""
        return [str(row[0]) for row in self._rows("PRAGMA integrity_check") if row[0] != "ok"]

    def collections(self) -> list[CollectionState]:
        rows = self._rows(
            "SELECT name, embedder, generation, "
            "CASE typeof(base) WHEN 'blob' THEN hex(base) ELSE base END FROM collections"
        )
        return [CollectionState(*row) for row in rows]

    def count(self) -> int:
        """How many documents there are."""
        return int(self._rows("SELECT count(*) FROM documents")[0][0])

    def documents(self) -> Iterator[DocumentRow]:
        for (row_id,) in self._rows("SELECT rowid FROM documents ORDER BY rowid"):
            if row := self.document(row_id):
                yield row

    def document(self, row_id: int) -> DocumentRow | None:
        """One row with its passages; None where it is there no more."""
        columns = "record_sha256, document_id, collection, root, source, sha256"
        as_bytes = ", ".join(f"CAST({column} AS BLOB)" for column in columns.split(", "))
        raw = self._rows(f"SELECT {as_bytes} FROM documents WHERE rowid = ?", row_id)  # noqa: S608
        if not raw:
            return None
        record_sha256, *strings = raw[0]
        names: Row = tuple((string or b"").decode(errors="replace") for string in strings)
        sound, damage = None, ""
        try:
            query = f"SELECT {DOCUMENT_COLUMNS} FROM documents WHERE rowid = ?"  # noqa: S608
            sound = document_of(self._rows(query, row_id)[0])
        except _UNREADABLE as error:
            damage = str(error).partition(" and is not shown")[0]
        passages = tuple(self._passages(row_id))
        return DocumentRow(row_id, record_sha256, sound, damage, passages, *names)

    def _passages(self, row_id: int) -> Iterator[PassageRow]:
        ids = self._rows(
            "SELECT passage_id FROM passages WHERE document_id = "
            "(SELECT document_id FROM documents WHERE rowid = ?) ORDER BY ordinal, passage_id",
            row_id,
        )
        for (passage_id,) in ids:
            row = self._rows(
                "SELECT CASE typeof(generation) WHEN 'integer' THEN generation END, "
                "CAST(passages.vector_key AS BLOB), "
                "CASE typeof(vector) WHEN 'blob' THEN vector END FROM passages "
                "LEFT JOIN vectors USING (vector_key) WHERE passage_id = ?",
                passage_id,
            )
            if not row:  # a damaged index names what is not there
                continue
            ((generation, key, vector),) = row
            collection, passage = None, None
            with suppress(*_UNREADABLE):
                query = f"SELECT collection, {PASSAGE_COLUMNS} FROM passages WHERE passage_id = ?"  # noqa: S608
                ((collection, *facts),) = self._rows(query, passage_id)
                passage = passage_of(tuple(facts))
            yield PassageRow(collection, generation, key, vector, passage)

    def damaged_originals(self) -> list[int]:
        """The rows of documents whose kept bytes are not those that they were read from."""
        kept = self._rows(
            "SELECT documents.rowid, CAST(documents.sha256 AS BLOB) FROM documents "
            "JOIN originals ON originals.sha256 = documents.sha256 ORDER BY 1"
        )
        named = ((row_id, sha256.decode(errors="replace")) for row_id, sha256 in kept)
        return [row_id for row_id, sha256 in named if self.original(sha256) is None]

    def original(self, sha256: str) -> bytes | None:
        """The bytes of an upload, if the store keeps them and they are still those."""
        rows = self._rows("SELECT CAST(data AS BLOB) FROM originals WHERE sha256 = ?", sha256)
        data = bytes(rows[0][0] or b"") if rows else b""
        return data if hashlib.sha256(data).hexdigest() == sha256 else None

    def _rows(self, query: str, *bindings: int | str) -> list[Row]:
        rows: list[Row] = self._connection.execute(query, bindings).fetchall()
        return rows

    def orphans(self) -> Orphans:
        passages = self._rows(
            "SELECT count(*) FROM passages WHERE document_id NOT IN "
            "(SELECT document_id FROM documents)"
        )
        vectors = self._rows(
            "SELECT count(*) FROM vectors WHERE vector_key NOT IN (SELECT vector_key FROM passages)"
        )
        originals = self._rows(
            "SELECT count(*) FROM originals WHERE sha256 NOT IN (SELECT sha256 FROM documents)"
        )
        return Orphans(passages[0][0], vectors[0][0], originals[0][0])

    def cache(self, state: CollectionState) -> CacheFacts:
        return compared(self._connection, CacheFolder(self._caches / state.name), state)

    def leftovers(self) -> list[Path]:
        """Folders of caches that nobody uses: of processes that died and of former states."""
        states = {state.name: state for state in self.collections()}
        folders = self._caches.iterdir() if self._caches.is_dir() else ()
        found: list[Path] = []
        for folder in sorted(folders):
            state = states.get(folder.name)
            found += unused(folder, state) if state else [folder]
        return found


@contextmanager
def examination(database: Database, home: Path) -> Iterator[Examination]:
    """Raises `StoreUnreadable` where the file itself can't be read on."""
    with database.read() as connection:
        yield Examination(connection, home)
