"""The database file: schema, connections and transactions.

apsw brings its own current SQLite, so Debian's, which has the WAL-reset bug, is never used.
SQLite's own write lock is the one write lock of the store: a killed process can't leave it behind.
"""

from __future__ import annotations

import queue
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from rag.errors import StoreBusy, StoreFull, StoreUnreadable

SCHEMA_VERSION = 1
DEFAULT_COLLECTION = "default"

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE collections (
    name TEXT PRIMARY KEY,
    embedder TEXT,
    generation INTEGER NOT NULL,
    replayable_from INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE documents (
    document_id TEXT PRIMARY KEY,
    collection TEXT NOT NULL REFERENCES collections,
    root TEXT NOT NULL,
    source TEXT NOT NULL,
    title TEXT NOT NULL,
    date TEXT,
    language TEXT,
    sha256 TEXT NOT NULL,
    text_sha256 TEXT NOT NULL,
    loader TEXT NOT NULL,
    splitter TEXT NOT NULL,
    text TEXT NOT NULL,
    structure TEXT NOT NULL,
    paragraphs INTEGER NOT NULL,
    passages INTEGER NOT NULL,
    ingested_at TEXT NOT NULL,
    record_sha256 BLOB NOT NULL
);
CREATE UNIQUE INDEX documents_by_source ON documents (collection, source, root);
CREATE TABLE passages (
    passage_id INTEGER PRIMARY KEY AUTOINCREMENT,
    document_id TEXT NOT NULL REFERENCES documents ON DELETE CASCADE,
    collection TEXT NOT NULL,
    generation INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    text TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    paragraph INTEGER NOT NULL,
    paragraphs TEXT NOT NULL,
    page INTEGER,
    page_label TEXT,
    heading TEXT NOT NULL,
    vector_key BLOB NOT NULL,
    record_sha256 BLOB NOT NULL
);
CREATE INDEX passages_by_document ON passages (document_id, ordinal);
CREATE INDEX passages_by_generation ON passages (collection, generation);
CREATE INDEX passages_by_vector ON passages (vector_key);
CREATE TABLE tombstones (
    collection TEXT NOT NULL,
    generation INTEGER NOT NULL,
    passage_id INTEGER NOT NULL,
    PRIMARY KEY (collection, generation, passage_id)
) WITHOUT ROWID;
CREATE TABLE vectors (vector_key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID;
"""


class Database:
    """One SQLite file in WAL mode: many readers, one writer, every commit synced to the disk.

    `busy_seconds` is how long a write waits for another process's write before `StoreBusy`.
    Raises `StoreUnreadable` for a file that is no store or that a newer version made.
    """

    def __init__(self, path: Path, busy_seconds: float) -> None:
        self._path = path
        self._busy_ms = int(busy_seconds * 1000)
        self._write_lock = threading.Lock()
        self._readers: queue.LifoQueue[apsw.Connection] = queue.LifoQueue()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = self._connect()
        with _translated(self._path):
            self._set_up()
            self.store_id = str(
                self._writer.execute("SELECT value FROM meta WHERE name = 'store_id'").get
            )

    def _connect(self) -> apsw.Connection:
        with _translated(self._path):
            connection = apsw.Connection(str(self._path))
            connection.set_busy_timeout(self._busy_ms)
            connection.execute("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL")
        return connection

    def _set_up(self) -> None:
        self._writer.execute("PRAGMA journal_mode = WAL")
        if self._writer.pragma("user_version") == 0:
            self._create()
        version = self._writer.pragma("user_version")
        if version != SCHEMA_VERSION:
            raise StoreUnreadable(
                f"{self._path} has schema version {version}, this program reads {SCHEMA_VERSION}: "
                "use the version of the program that made it, or another --home"
            )

    def _create(self) -> None:
        with self.write() as connection:
            if connection.pragma("user_version") != 0:
                return  # another process was first
            connection.execute(_SCHEMA)
            connection.execute(
                "INSERT INTO meta VALUES ('store_id', ?)",
                (uuid.uuid4().hex,),
            )
            connection.execute(
                "INSERT INTO collections VALUES (?, NULL, 0, 0)", (DEFAULT_COLLECTION,)
            )
            connection.pragma("user_version", SCHEMA_VERSION)

    @contextmanager
    def read(self) -> Iterator[apsw.Connection]:
        """A connection inside a read transaction, which sees one state of the store."""
        try:
            connection = self._readers.get_nowait()
        except queue.Empty:
            connection = self._connect()
        try:
            with _translated(self._path):
                connection.execute("BEGIN")
                yield connection
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._readers.put(connection)

    @contextmanager
    def write(self) -> Iterator[apsw.Connection]:
        """The one writing connection, inside a transaction: durable on leaving, or undone."""
        with self._write_lock, _translated(self._path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Closes every connection; the database must not be used afterwards."""
        with self._write_lock:
            self._writer.close()
        while not self._readers.empty():
            self._readers.get_nowait().close()


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """SQLite's errors as errors that a caller can act on."""
    try:
        yield
    except apsw.BusyError as error:
        raise StoreBusy(
            "another process is writing to this index: try again, or wait for it with --wait"
        ) from error
    except apsw.FullError as error:
        raise StoreFull(f"no room left for {path}: free some space and try again") from error
    except (apsw.NotADBError, apsw.CorruptError) as error:
        raise StoreUnreadable(
            f"{path} is damaged or no index of this program: restore a backup, or ingest the files "
            "into another --home"
        ) from error
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.IOError) as error:
        raise StoreUnreadable(
            f"{path} can't be opened for writing: check the folder's permissions and the disk"
        ) from error
