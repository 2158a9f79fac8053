"""How a process's caches follow the database: open a base, replay what came after it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass
from itertools import islice

import apsw
import numpy as np

from rag.store import faiss_index
from rag.store.base import Vector
from rag.store.caches import Base, CacheFolder
from rag.store.faiss_index import Ids, VectorView
from rag.store.rows import PASSAGE_COLUMNS, Row, decoded_vectors, passage_of, qualified
from rag.store.statements import CollectionState
from rag.store.word_index import WordIndex, WordView, open_view
from rag.types import with_context

_BATCH = 4096  # rows
_NOTHING = -1  # the generation before the first
_REPLAYED_AT_MOST = 256  # rows; below this a replay takes less time than opening a base
_REPLAYED_SHARE = 0.1  # of the base's rows
_DEAD_SHARE = 0.1  # of all rows; BM25 counts the words of dead ones as if they were there
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class View:
    """Everything that can be searched of one generation; `beginning` is what it began with."""

    generation: int
    embedder: str | None
    beginning: str | None
    vectors: VectorView
    words: WordView

    def began_as(self, state: CollectionState) -> bool:
        return (self.beginning, self.embedder) == (state.beginning, state.embedder)


class Follower:
    """One collection's caches in this process.

    `at` brings them to the generation that a read transaction sees. Views are never changed, so
    that readers of an older one are not disturbed.
    """

    def __init__(self, folder: CacheFolder) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._view: View | None = None
        self._base: Base | None = None
        self._words: WordIndex | None = None
        self._private = ExitStack()

    def at(self, connection: apsw.Connection, state: CollectionState) -> View:
        """The view of the transaction's generation, or of a newer one that was just made."""
        view = self._view
        if view and view.generation == state.generation and view.began_as(state):
            return view
        with self._lock:
            # Taken away meanwhile, so that after an error nobody builds on half a change.
            view, self._view = self._view, None
            self._view = self._brought(view, connection, state)
            return self._view

    def compacted(self, connection: apsw.Connection, state: CollectionState) -> str | None:
        """Writes a new base if much has come since the last one; returns its name.

        Readers go on meanwhile, and begin with it once the database names it. Where the disk has
        no room for one there is none.
        """
        vectors = self.at(connection, state).vectors
        rows = _count(connection, state)
        few = max(_REPLAYED_AT_MOST, int(vectors.base_rows * _REPLAYED_SHARE))
        if not rows or (vectors.pending <= few and len(vectors.dead) <= rows * _DEAD_SHARE):
            return None

        def fill(base: Base) -> None:
            index = faiss_index.build(rows, lambda: _vectors(connection, state, _NOTHING))
            faiss_index.save(index, base.vectors)
            # Made anew, so that removed passages no longer count in word frequencies.
            words = WordIndex(base.words)
            words.change(_texts(connection, state, _NOTHING), ())
            words.settle()

        try:
            return self._folder.write_base(state.generation, fill)
        except (OSError, RuntimeError, ValueError) as error:
            _log.warning("the search caches can't be written, and go on without: %s", error)
            return None

    def close(self) -> None:
        """Lets go of the files; views that are in use stay usable."""
        with self._lock:
            self._let_go()
            self._view = None

    def _brought(
        self, view: View | None, connection: apsw.Connection, state: CollectionState
    ) -> View:
        if view and view.generation > state.generation:
            return view
        if not view or not view.began_as(state):
            view = self._opened(state)
        if view.generation == state.generation:
            return view
        try:
            return self._replayed(connection, state, view)
        except (OSError, ValueError) as error:
            if self._base is None:
                raise
            _log.warning("the search caches can't be written, so memory holds them: %s", error)
            return self._replayed(connection, state, self._opened_in_memory(state))

    def _opened(self, state: CollectionState) -> View:
        self._let_go()
        self._base = self._folder.sound(state.base) if state.base else None
        if self._base:
            try:
                vectors = VectorView(faiss_index.load(self._base.vectors))
                words = open_view(self._base.words)
            except (OSError, RuntimeError, ValueError) as error:
                _log.warning("the search cache %s can't be opened: %s", state.base, error)
            else:
                return View(self._base.generation, state.embedder, state.beginning, vectors, words)
        return self._opened_in_memory(state)

    def _opened_in_memory(self, state: CollectionState) -> View:
        """A view of nothing yet, to which everything is replayed."""
        self._let_go()
        self._base = None
        words = self._own_words().view()
        return View(_NOTHING, state.embedder, state.beginning, VectorView(), words)

    def _replayed(self, connection: apsw.Connection, state: CollectionState, view: View) -> View:
        removed = _tombstones(connection, state, view.generation)
        words = self._own_words()
        words.change(_texts(connection, state, view.generation), removed.tolist())
        return View(
            state.generation,
            state.embedder,
            state.beginning,
            view.vectors.changed(_vectors(connection, state, view.generation), removed),
            words.view(),
        )

    def _own_words(self) -> WordIndex:
        if self._words is None:
            copy = self._folder.private_words(self._base.words) if self._base else nullcontext()
            self._words = WordIndex(self._private.enter_context(copy))
        return self._words

    def _let_go(self) -> None:
        if self._words:
            with suppress(ValueError):  # a merge that failed on a full disk
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
        f"SELECT passage_id, title, {qualified(PASSAGE_COLUMNS, 'passages')} FROM passages "  # noqa: S608
        "JOIN documents USING (document_id) "
        "WHERE passages.collection = ? AND generation > ? ORDER BY passage_id",
        (state.name, after),
    )
    for passage_id, title, *row in cursor:
        passage = passage_of(row)
        yield passage_id, with_context(title, passage.heading, passage.text)


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
