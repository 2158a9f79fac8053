"""A collection's caches on disk against the rows that they were made from."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import apsw
import numpy as np

from rag.store import faiss_index
from rag.store.base import Vector
from rag.store.caches import LOCK, PRIVATE, Base, CacheFolder, generation_of
from rag.store.faiss_index import Ids
from rag.store.following import batched
from rag.store.rows import decoded_vectors
from rag.store.statements import CollectionState
from rag.store.word_index import open_view

_BATCH = 4096  # vectors


@dataclass(frozen=True, slots=True)
class CacheFacts:
    """A collection's base against the store; what came after the base is replayed, and no fault.

    `behind` counts those rows and removals. `wrong` says what does not agree. `differing` are the
    documents with a vector that is another one in the base than in the store.
    """

    behind: int
    wrong: tuple[str, ...] = ()
    differing: frozenset[str] = frozenset()


def compared(
    connection: apsw.Connection, folder: CacheFolder, state: CollectionState
) -> CacheFacts:
    """The base that the database names, against the store."""
    hidden = _ids(
        connection,
        "SELECT passage_id FROM passages JOIN tombstones USING (passage_id) "
        "WHERE tombstones.collection = ?",
        state.name,
    )
    wrong = [f"{len(hidden)} passages are marked as removed"] if len(hidden) else []
    if state.base is None:
        return CacheFacts(0, tuple(wrong))
    base = folder.sound(state.base)
    if base is None:
        return CacheFacts(0, (*wrong, "it is missing, damaged or outdated"))
    if base.generation > state.generation:
        return CacheFacts(0, (*wrong, "it is newer than the database"))
    try:
        return _facts(connection, state.name, base, wrong)
    except (OSError, RuntimeError, ValueError) as error:
        return CacheFacts(0, (*wrong, f"it can't be opened ({error})"))


def _facts(
    connection: apsw.Connection, collection: str, base: Base, wrong: list[str]
) -> CacheFacts:
    since = (collection, base.generation)
    of = "SELECT passage_id FROM passages WHERE collection = ? AND generation"
    held = _ids(connection, f"{of} <= ?", *since)
    newer = _ids(connection, f"{of} > ?", *since)
    tombstones = "SELECT passage_id FROM tombstones WHERE collection = ? AND generation > ?"
    gone = _ids(connection, tombstones, *since)
    ids, vectors = faiss_index.rows_of(faiss_index.load(base.vectors))
    words = np.array(open_view(base.words).ids(), np.int64)
    for name, found in (("meaning", ids), ("words", words)):
        if missing := len(np.setdiff1d(held, found)):
            wrong.append(f"{missing} passages are not found by {name}")
        if dead := len(np.setdiff1d(found, np.union1d(held, gone))):
            wrong.append(f"{dead} passages that are no more are found by {name}")
    differing = _differing(connection, ids, vectors) if vectors is not None else frozenset()
    return CacheFacts(len(newer) + len(gone), tuple(wrong), differing)


def _ids(connection: apsw.Connection, query: str, *bindings: int | str) -> Ids:
    return np.array([row[0] for row in connection.execute(query, bindings)], np.int64)


def _differing(connection: apsw.Connection, ids: Ids, copies: Vector) -> frozenset[str]:
    """Documents whose vectors are not, to the bit, what the base was made from."""
    place = {int(passage_id): n for n, passage_id in enumerate(ids)}
    found: set[str] = set()
    rows = connection.execute(
        "SELECT passage_id, CAST(document_id AS BLOB), vector FROM passages "
        "JOIN vectors USING (vector_key) WHERE typeof(vector) = 'blob' AND length(vector) = ?",
        (2 * copies.shape[1],),
    )
    for batch in batched(rows, _BATCH):
        mine = [row for row in batch if row[0] in place]
        if mine:
            stored = decoded_vectors(row[2] for row in mine)
            theirs = copies[[place[row[0]] for row in mine]]
            other = np.flatnonzero((stored != theirs).any(axis=1))
            found |= {mine[n][1].decode(errors="replace") for n in other}
    return frozenset(found)


def unused(folder: Path, state: CollectionState) -> Iterator[Path]:
    """What of a collection's folder belongs to no process and no state."""
    for private in folder.glob(f"{PRIVATE}-*"):
        if not _is_locked(private):
            yield private
    bases = [path for path in folder.iterdir() if path.name.split("-")[0].isdigit()]
    # Newer ones than the current one may just be being made. A reader may just be opening the one
    # before it, which compaction keeps.
    is_named = state.base is not None and folder / state.base in bases
    current = generation_of(state.base) if state.base and is_named else state.generation
    former = [base for base in bases if generation_of(base.name) < current]
    former.sort(key=lambda base: generation_of(base.name))
    yield from former[:-1] if is_named else former


def _is_locked(folder: Path) -> bool:
    try:
        with (folder / LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # no lock: a folder that is just being made, or one half removed
        return False
    return False
