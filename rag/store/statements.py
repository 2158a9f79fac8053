"""What the embedded store reads and changes inside a transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import apsw

from rag.errors import ModelMismatch, StoreBusy, StoreUnreadable, no_collection
from rag.store.base import Entry, Vector
from rag.store.rows import (
    DOCUMENT_COLUMNS,
    PASSAGE_COLUMNS,
    PASSAGE_WIDTH,
    document_row,
    encoded_vector,
    passage_row,
)
from rag.store.sqlite import DEFAULT_COLLECTION

_NOTHING = "nothing-"  # and the generation at which a base was forgotten


@dataclass(frozen=True, slots=True)
class CollectionState:
    """One row of `collections`, as a transaction sees it.

    `embedder` is None while nothing was ever written. `beginning` says what the search caches begin
    with: a base, whose name it is, or nothing; what was removed since has tombstones. After each
    base that is forgotten it is another nothing, for the tombstones before that base are gone.
    """

    name: str
    embedder: str | None
    generation: int
    beginning: str | None

    @property
    def base(self) -> str | None:
        """The base to begin with, if there is one."""
        from_nothing = self.beginning is None or self.beginning.startswith(_NOTHING)
        return None if from_nothing else self.beginning


@dataclass(slots=True)
class Freed:
    """What deleted documents used: to be deleted, too, unless another document uses it."""

    vector_keys: set[bytes] = field(default_factory=set)
    sha256s: set[str] = field(default_factory=set)


def state_of(
    connection: apsw.Connection, collection: str, *, make: bool = False
) -> CollectionState:
    query = "SELECT name, embedder, generation, base FROM collections WHERE name = ?"
    row = connection.execute(query, (collection,)).fetchone()
    if row is None and make:
        connection.execute("INSERT INTO collections VALUES (?, NULL, 0, NULL)", (collection,))
        return CollectionState(collection, None, 0, None)
    if row is None and collection == DEFAULT_COLLECTION:  # every store is made with it
        raise StoreUnreadable("the list of collections is damaged: restore a backup")
    if row is None:
        raise no_collection(collection)
    return CollectionState(*row)


def check_embedder(state: CollectionState, embedder: str) -> None:
    if state.embedder is not None and state.embedder != embedder:
        raise ModelMismatch(
            f"collection {state.name!r} was made with {state.embedder}, and {embedder} is "
            "configured: `rag rebuild` encodes it anew, and so does `rag serve` by itself",
            state.embedder,
        )


def next_generation(connection: apsw.Connection, collection: str, embedder: str | None) -> int:
    generation: int = connection.execute(
        "UPDATE collections SET generation = generation + 1, embedder = ? WHERE name = ? "
        "RETURNING generation",
        (embedder, collection),
    ).get
    return generation


def record_base(connection: apsw.Connection, made_from: CollectionState, base: str) -> bool:
    """Makes `base` the one that every process begins with, unless it was overtaken.

    It was where the collection has got another base or another embedder meanwhile.
    """
    now = state_of(connection, made_from.name)
    if (now.beginning, now.embedder) != (made_from.beginning, made_from.embedder):
        return False
    connection.execute("UPDATE collections SET base = ? WHERE name = ?", (base, now.name))
    connection.execute(
        "DELETE FROM tombstones WHERE collection = ? AND generation <= ?",
        (now.name, made_from.generation),
    )
    return True


def forget_base(connection: apsw.Connection, collection: str) -> None:
    connection.execute(
        "UPDATE collections SET base = ? || generation WHERE name = ?", (_NOTHING, collection)
    )


def model_of(connection: apsw.Connection, embedder: str) -> str | None:
    """The name that the model with this fingerprint was loaded by, if it was noted."""
    query = "SELECT name FROM models WHERE embedder = ?"
    row = connection.execute(query, (embedder,)).fetchone()
    return str(row[0]) if row else None


def put_vectors(connection: apsw.Connection, vectors: Mapping[bytes, Vector]) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO vectors VALUES (?, ?)",
        ((key, encoded_vector(vector)) for key, vector in vectors.items()),
    )


def replace_vectors(connection: apsw.Connection, vectors: Mapping[bytes, Vector]) -> None:
    """As `put_vectors`, but a stored vector gives way: for one that is damaged."""
    connection.executemany(
        "INSERT INTO vectors VALUES (?, ?) "
        "ON CONFLICT (vector_key) DO UPDATE SET vector = excluded.vector",
        ((key, encoded_vector(vector)) for key, vector in vectors.items()),
    )


def forget(
    connection: apsw.Connection,
    collection: str,
    generation: int,
    document_ids: Collection[str],
    freed: Freed,
) -> None:
    """Deletes documents with their passages; adds what they used to `freed`."""
    # The + keeps SQLite from going through all passages of the collection for each document.
    passages = "FROM passages WHERE +collection = ? AND document_id = ?"
    for document_id in document_ids:
        mine = (collection, document_id)
        freed.vector_keys.update(
            key for (key,) in connection.execute(f"SELECT vector_key {passages}", mine)
        )
        connection.execute(
            f"INSERT INTO tombstones SELECT collection, ?, passage_id {passages}",
            (generation, *mine),
        )
        deleted = connection.execute(
            "DELETE FROM documents WHERE collection = ? AND document_id = ? RETURNING sha256", mine
        )
        freed.sha256s.update(sha256 for (sha256,) in deleted)


def put_document(connection: apsw.Connection, generation: int, entry: Entry) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    row = document_row(entry.document, entry.splitter, entry.paragraphs, len(entry.passages), now)
    connection.execute(
        f"INSERT INTO documents ({DOCUMENT_COLUMNS}) VALUES ({_marks(len(row))})",  # noqa: S608
        row,
    )
    if entry.original is not None:
        connection.execute(
            "INSERT OR REPLACE INTO originals VALUES (?, ?)",
            (entry.document.origin.sha256, entry.original),
        )
    collection = entry.document.origin.collection
    passages = [
        (collection, generation, key, *passage_row(passage))
        for passage, key in zip(entry.passages, entry.vector_keys, strict=True)
    ]
    try:
        connection.executemany(
            f"INSERT INTO passages (collection, generation, vector_key, {PASSAGE_COLUMNS}) "  # noqa: S608
            f"VALUES ({_marks(3 + PASSAGE_WIDTH)})",
            passages,
        )
    except apsw.ConstraintError as error:
        raise StoreBusy(
            "another write removed what this one was going to reuse: try again"
        ) from error


def prune(connection: apsw.Connection, freed: Freed) -> None:
    """Deletes what nobody uses any more, once all that is to be written is written."""
    connection.executemany(
        "DELETE FROM vectors WHERE vector_key = ?1 "
        "AND NOT EXISTS (SELECT 1 FROM passages WHERE vector_key = ?1)",
        ((key,) for key in freed.vector_keys),
    )
    connection.executemany(
        "DELETE FROM originals WHERE sha256 = ?1 "
        "AND NOT EXISTS (SELECT 1 FROM documents WHERE sha256 = ?1)",
        ((sha256,) for sha256 in freed.sha256s),
    )


def _marks(count: int) -> str:
    return ", ".join("?" * count)
