"""The database file: schema, connections and transactions.

apsw brings its own current SQLite, so Debian's, which has the WAL-reset bug, is never used.
SQLite's own write lock is the one write lock of the store: a killed process can't leave it behind.
"""

from __future__ import annotations

import queue
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unicodedata import normalize
from urllib.parse import quote

import apsw

from rag.durability import make_folder
from rag.errors import (
    DocumentDamaged,
    ReadOnly,
    StoreAtLimit,
    StoreBusy,
    StoreFull,
    StoreUnreadable,
)

SCHEMA_VERSION = 4
DEFAULT_COLLECTION = "default"
_APPLICATION = 0x52414756  # "RAGV", in the file's header
_ASK_AGAIN_SECONDS = 0.01
_ANY_PAGES = 2**32 - 2  # as many as SQLite can count
_LONG_LOG = 16_000_000  # bytes; SQLite writes it back by itself at a quarter of that
_LOG_PATIENCE = 1_000  # milliseconds
_DISK_IS_FULL = 1_000_000  # bytes: SQLite says "full" of the disk and of its own limit alike
_READING = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
_BUSY = "another write is under way: try again, or wait for it with --wait"

# What each version of the schema adds to the one before. A new store takes every step, too.
_STEPS = {
    1: """
CREATE TABLE collections (
    name TEXT PRIMARY KEY,
    embedder TEXT,
    generation INTEGER NOT NULL,
    base TEXT
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
    structure_sha256 BLOB NOT NULL,
    paragraphs INTEGER NOT NULL,
    passages INTEGER NOT NULL,
    ingested_at TEXT NOT NULL,
    record_sha256 BLOB NOT NULL
);
CREATE UNIQUE INDEX documents_by_source ON documents (collection, source, root);
CREATE TABLE vectors (vector_key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID;
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
    vector_key BLOB NOT NULL REFERENCES vectors,
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
""",
    # The bytes of uploads, which have no file; documents with equal bytes share a row.
    2: """
CREATE TABLE originals (sha256 TEXT PRIMARY KEY, data BLOB NOT NULL);
CREATE INDEX documents_by_sha256 ON documents (sha256);
CREATE INDEX documents_by_text ON documents (text_sha256);
CREATE INDEX documents_by_name ON documents (source, document_id);
""",
    # Of the file in bytes; NULL for what was ingested before.
    3: "ALTER TABLE documents ADD COLUMN size INTEGER;",
    # By what name the model with a fingerprint is loaded again once another one is configured.
    4: """
CREATE TABLE models (embedder TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
""",
}


class Database:
    """One SQLite file in WAL mode: many readers, one writer, every commit synced to the disk.

    `busy_seconds` is how long a write waits for another one before `StoreBusy`; with `read_only`
    every write raises `ReadOnly`, and with `still`, too, the file is taken for one that does not
    change, so that SQLite puts nothing beside it. Raises `StoreUnreadable` for a file that is no
    store or that a newer version made.
    """

    def __init__(
        self, path: Path, busy_seconds: float, *, read_only: bool = False, still: bool = False
    ) -> None:
        self._path = path
        self._read_only = read_only
        self._still = still
        self._busy_seconds = busy_seconds
        self._write_lock = threading.Lock()
        self._log_limit = _LONG_LOG
        self._readers: queue.LifoQueue[apsw.Connection] = queue.LifoQueue()
        self._closed = False
        try:
            if read_only and not path.is_file():
                raise StoreUnreadable(f"there is no index at {path}: `rag ingest` makes one")
            make_folder(path.parent)
        except OSError as error:
            raise StoreUnreadable(
                f"{path.parent} can't be made: choose another --home ({error.strerror})"
            ) from error
        with _translated(path):
            self._writer = self._connect()
            try:
                self._set_up()
            except BaseException:
                self._writer.close()
                raise

    def _connect(self) -> apsw.Connection:
        if self._read_only:
            return _unchanging(self._path) if self._still else _reading(self._path)
        connection = apsw.Connection(str(self._path))
        connection.set_busy_timeout(int(self._busy_seconds * 1000))
        connection.execute("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL")
        connection.create_scalar_function("folded", _folded, 1, deterministic=True)
        return connection

    def _set_up(self) -> None:
        if self._is_empty() and not self._read_only:
            self._use_wal()
            self._create()
        if self._writer.pragma("application_id") != _APPLICATION:
            raise StoreUnreadable(
                f"{self._path} is a database of another program: choose another --home"
            )
        if 1 <= self._version() < SCHEMA_VERSION and not self._read_only:
            self._migrate()
        version = self._version()
        if version != SCHEMA_VERSION:
            raise StoreUnreadable(
                f"{self._path} has schema version {version}, this program reads {SCHEMA_VERSION}: "
                "use the version of the program that made it, or another --home"
            )

    def _use_wal(self) -> None:
        """SQLite does not wait here by itself where another process is at it: ask again."""
        patience = time.monotonic() + self._busy_seconds
        while True:
            try:
                self._writer.pragma("journal_mode", "wal")
                return
            except apsw.BusyError:
                if time.monotonic() > patience:
                    raise
                time.sleep(_ASK_AGAIN_SECONDS)

    def _version(self) -> int:
        version: int = self._writer.pragma("user_version")
        return version

    def _migrate(self) -> None:
        """Takes the steps that are missing, in one transaction: all or none."""
        with self.write() as connection:
            # Read again inside: another process may have been first.
            for version in range(self._version() + 1, SCHEMA_VERSION + 1):
                connection.execute(_STEPS[version])
                connection.pragma("user_version", version)

    def _is_empty(self) -> bool:
        return not self._writer.execute("SELECT count(*) FROM sqlite_schema").get

    def _create(self) -> None:
        with self.write() as connection:
            if not self._is_empty():
                return  # another process was first
            connection.execute("".join(_STEPS.values()))
            connection.execute(
                "INSERT INTO collections VALUES (?, NULL, 0, NULL)", (DEFAULT_COLLECTION,)
            )
            connection.pragma("application_id", _APPLICATION)
            connection.pragma("user_version", SCHEMA_VERSION)

    @contextmanager
    def read(self) -> Iterator[apsw.Connection]:
        """A connection inside a read transaction, which sees one state of the store."""
        with _translated(self._path):
            try:
                connection = self._readers.get_nowait()
            except queue.Empty:
                connection = self._connect()
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                self._give_back(connection)

    def _give_back(self, connection: apsw.Connection) -> None:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        self._readers.put(connection)
        if self._closed:
            self._close_readers()

    @contextmanager
    def write(self, max_bytes: int | None = None) -> Iterator[apsw.Connection]:
        """The one writing connection, inside a transaction: durable on leaving, or undone. What
        would make the file larger than `max_bytes` is undone with `StoreAtLimit`.
        """
        if self._read_only:
            raise ReadOnly
        if not self._write_lock.acquire(timeout=self._busy_seconds):
            raise StoreBusy(_BUSY)
        try:
            with _translated(self._path, max_bytes):
                self._limit(max_bytes)
                self._writer.execute("BEGIN IMMEDIATE")
                try:
                    yield self._writer
                    self._writer.execute("COMMIT")
                except BaseException:
                    if self._writer.in_transaction:
                        self._writer.execute("ROLLBACK")
                    raise
            self._fold_log()
        finally:
            self._write_lock.release()

    def _fold_log(self) -> None:
        """Writes a long log back into the file and begins it anew, for which readers that need it
        are waited for a moment. SQLite alone waits for none: where questions overlap without end
        the log grew by half a gigabyte in ten minutes.
        """
        try:
            size = self._path.with_name(f"{self._path.name}-wal").stat().st_size
            if size < self._log_limit:
                return
            self._log_limit = size + _LONG_LOG  # later, should it fail
            self._writer.set_busy_timeout(_LOG_PATIENCE)
            self._writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
            self._log_limit = _LONG_LOG
        except (OSError, apsw.Error):
            pass  # what was committed is in the log as well
        finally:
            self._writer.set_busy_timeout(int(self._busy_seconds * 1000))

    def _limit(self, max_bytes: int | None) -> None:
        """SQLite counts pages, those that were freed as there; it never cuts off what is there."""
        most = max_bytes // self._writer.pragma("page_size") if max_bytes else _ANY_PAGES
        self._writer.pragma("max_page_count", max(1, most))

    def copy_to(self, file: Path) -> None:
        """Writes one state of everything to a new file, while others read and write."""
        with _translated(self._path):
            connection = self._connect()
            try:
                connection.execute("VACUUM INTO ?", (str(file),))
            except apsw.FullError as error:
                raise StoreFull(f"no room left for {file}: free some and try again") from error
            finally:
                connection.close()

    def close(self) -> None:
        """Closes every connection, those of active readers when they are done."""
        with self._write_lock:
            self._writer.close()
        self._closed = True
        self._close_readers()

    def _close_readers(self) -> None:
        while True:
            try:
                self._readers.get_nowait().close()
            except queue.Empty:
                return


def _reading(path: Path) -> apsw.Connection:
    """A connection that writes nothing. On a disk that can't be written SQLite has nowhere to put
    what lets it follow a writer, so there the file is taken for one that never changes.
    """
    try:
        connection = apsw.Connection(f"file:{quote(str(path))}?mode=ro", _READING)
        connection.pragma("user_version")
    except apsw.CantOpenError:
        log = path.with_name(f"{path.name}-wal")
        if log.exists() and log.stat().st_size:
            raise StoreUnreadable(
                f"{log} holds changes that only a writer can bring into the index: run "
                "`rag status` once where it can be written"
            ) from None
        connection = _unchanging(path)
    return connection


def _unchanging(path: Path) -> apsw.Connection:
    return apsw.Connection(f"file:{quote(str(path))}?immutable=1", _READING)


def folded(text: str) -> str:
    """A text without case, to be compared, also in SQL: its own functions know ASCII alone."""
    return normalize("NFC", normalize("NFC", text).casefold())


def _folded(*values: object) -> str:
    return folded(str(values[0]))


@contextmanager
def _translated(path: Path, max_bytes: int | None = None) -> Iterator[None]:
    """SQLite's errors as errors that a caller can act on."""
    try:
        yield
    except (apsw.BusyError, apsw.ProtocolError) as error:
        raise StoreBusy(_BUSY) from error
    except apsw.FullError as error:
        if max_bytes and shutil.disk_usage(path.parent).free > _DISK_IS_FULL:
            raise StoreAtLimit(
                f"the index may hold {max_bytes / 1e6:g} MB and has no room for more: remove "
                "documents, or raise RAG_MAX_STORE_MB"
            ) from error
        raise StoreFull(f"no room left for {path}: free some space and try again") from error
    # Our texts and statements are sound, so these are damage to a row and to the schema.
    except UnicodeDecodeError as error:
        raise DocumentDamaged(
            "a stored text is damaged and is not shown: run `rag doctor --repair`"
        ) from error
    except (apsw.NotADBError, apsw.CorruptError, apsw.SQLError) as error:
        raise StoreUnreadable(
            f"{path} is damaged or no index of this program: restore a backup, or ingest the files "
            "into another --home"
        ) from error
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.IOError) as error:
        raise StoreUnreadable(
            f"{path} can't be opened for writing: check the folder's permissions and the disk"
        ) from error
