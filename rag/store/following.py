"""How a process's caches follow the database: open a base, replay what came after it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice

import apsw
import numpy as np

from rag.store import faiss_index
from rag.store.base import Vector
from rag.store.caches import Base, CacheFolder, Made
from rag.store.faiss_index import Ids, VectorView
from rag.store.rows import Row, decoded_vectors
from rag.store.statements import CollectionState
from rag.store.word_index import WordIndex, WordView, open_view
from rag.types import with_context

_BATCH = 4096  # rows
_NOTHING = -1  # the generation before the first
_REPLAYED_AT_MOST = 256  # rows; below this a replay takes less time than reading a base's header
_REPLAYED_SHARE = 0.1  # of the base's rows


@dataclass(frozen=True, slots=True)
class View:
    """Everything that can be searched of one generation."""

    generation: int
    embedder: str | None
    vectors: VectorView
    words: WordView


class Follower:
    """One collection's caches in this process.

    `at` brings them to the generation that a read transaction sees. Views are never changed, so
    that readers of an older one are not disturbed.
    """

    def __init__(self, folder: CacheFolder, store_id: str) -> None:
        self._folder = folder
        self._store_id = store_id
        self._lock = threading.Lock()
        self._view: View | None = None
        self._base: Base | None = None
        self._words: WordIndex | None = None
        self._private = ExitStack()

    def at(self, connection: apsw.Connection, state: CollectionState) -> View:
        """The view of the transaction's generation, or of a newer one that was just made."""
        view = self._view
        if view and view.generation == state.generation and view.embedder == state.embedder:
            return view
        with self._lock:
            return self._followed(connection, state)

    def compact(self, connection: apsw.Connection, state: CollectionState) -> bool:
        """Writes a new base if much has come since the last one; says whether it did."""
        with self._lock:
            view = self._followed(connection, state)
            base_rows = self._base.made.rows if self._base else 0
            few = max(_REPLAYED_AT_MOST, int(base_rows * _REPLAYED_SHARE))
            rows = _count(connection, state)
            if not rows or view.vectors.pending <= few:
                return False
            self._write_base(connection, state, rows)
            self._view = self._opened(state)
            return True

    def close(self) -> None:
        """Lets go of the files; views that are in use stay usable."""
        with self._lock:
            self._let_go()
            self._view = None

    def _followed(self, connection: apsw.Connection, state: CollectionState) -> View:
        view = self._view
        if not view or view.embedder != state.embedder or view.generation < state.replayable_from:
            view = self._opened(state)
        if view.generation < state.generation:
            view = self._replayed(connection, state, view)
        self._view = view
        return view

    def _opened(self, state: CollectionState) -> View:
        self._let_go()
        self._base = self._folder.newest(
            self._store_id, state.embedder, state.replayable_from, state.generation
        )
        if self._base is None:
            return View(_NOTHING, state.embedder, VectorView(), self._own_words().view())
        return View(
            self._base.made.generation,
            state.embedder,
            VectorView(faiss_index.load(self._base.vectors)),
            open_view(self._base.words),
        )

    def _replayed(self, connection: apsw.Connection, state: CollectionState, view: View) -> View:
        removed = _tombstones(connection, state, view.generation)
        words = self._own_words()
        words.change(_texts(connection, state, view.generation), removed.tolist())
        return View(
            state.generation,
            state.embedder,
            view.vectors.changed(_vectors(connection, state, view.generation), removed),
            words.view(),
        )

    def _own_words(self) -> WordIndex:
        if self._words is None:
            base = self._base.words if self._base else None
            self._words = WordIndex(self._private.enter_context(self._folder.private_words(base)))
        return self._words

    def _write_base(self, connection: apsw.Connection, state: CollectionState, rows: int) -> None:
        made = Made(self._store_id, state.name, state.embedder, state.generation, rows)
        with self._folder.new_base(made) as base:
            index = faiss_index.build(rows, lambda: _vectors(connection, state, _NOTHING))
            faiss_index.save(index, base.vectors)
            # Made anew, so that removed passages no longer count in word frequencies.
            words = WordIndex(base.words)
            words.change(_texts(connection, state, _NOTHING), ())
            words.settle()

    def _let_go(self) -> None:
        if self._words:
            self._words.settle()
            self._words = None
        self._private.close()


def _count(connection: apsw.Connection, state: CollectionState) -> int:
    query = "SELECT count(*) FROM passages WHERE collection = ?"
    count: int = connection.execute(query, (state.name,)).get
    return count


def _vectors(
    connection: apsw.Connection, state: CollectionState, after: int
) -> Iterator[tuple[Ids, Vector]]:
    cursor = connection.execute(
        "SELECT passage_id, vector FROM passages JOIN vectors USING (vector_key) "
        "WHERE collection = ? AND generation > ? ORDER BY passage_id",
        (state.name, after),
    )
    for rows in batched(cursor, _BATCH):
        ids = np.array([row[0] for row in rows], np.int64)
        yield ids, decoded_vectors(row[1] for row in rows)


def _texts(
    connection: apsw.Connection, state: CollectionState, after: int
) -> Iterator[tuple[int, str]]:
    cursor = connection.execute(
        "SELECT passage_id, title, heading, passages.text FROM passages "
        "JOIN documents USING (document_id) "
        "WHERE passages.collection = ? AND generation > ? ORDER BY passage_id",
        (state.name, after),
    )
    for passage_id, title, heading, text in cursor:
        yield passage_id, with_context(title, json.loads(heading), text)


def _tombstones(connection: apsw.Connection, state: CollectionState, after: int) -> Ids:
    rows = connection.execute(
        "SELECT passage_id FROM tombstones WHERE collection = ? AND generation > ?",
        (state.name, after),
    )
    return np.array([row[0] for row in rows], np.int64)


def batched(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """The rows in lists of at most `size`."""
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch
