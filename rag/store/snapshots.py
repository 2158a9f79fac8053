"""One generation of a collection in the embedded store, to be searched and read."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

import apsw
import numpy as np

from rag.filters import EVERYTHING, Filters
from rag.store.base import Scored, Vector
from rag.store.faiss_index import Ids
from rag.store.following import View
from rag.store.rows import (
    ORIGIN_COLUMNS,
    PASSAGE_COLUMNS,
    PASSAGE_WIDTH,
    Row,
    decoded_vectors,
    origin_of,
    passage_of,
    qualified,
)
from rag.types import Place

# Sources compare as bytes, and 0 follows the slash: between them is what lies in the folder.
_WITHIN = """
SELECT passage_id FROM passages WHERE document_id IN (
    SELECT document_id FROM documents WHERE collection = ?1
    AND (?2 = '[]' OR EXISTS (
        SELECT 1 FROM json_each(?2) WHERE source >= value || '/' AND source < value || '0'))
    AND (?3 = '[]' OR EXISTS (
        SELECT 1 FROM json_each(?3) WHERE substr(lower(source), -length(value) - 1) = '.' || value))
    AND (?4 IS NULL OR date >= ?4)
    AND (?5 IS NULL OR date <= ?5))
"""


class EmbeddedSnapshot:
    """`Snapshot` over an open read transaction and the view of the same generation.

    Where its searches are limited, `among` are the passages that they choose from.
    """

    def __init__(
        self, connection: apsw.Connection, collection: str, view: View, among: Ids | None = None
    ) -> None:
        self._connection = connection
        self._collection = collection
        self._view = view
        self._among = among

    @property
    def generation(self) -> int:
        return self._view.generation

    @property
    def passages(self) -> int:
        if self._among is not None:
            return len(self._among)
        query = "SELECT count(*) FROM passages WHERE collection = ?"
        count: int = self._connection.execute(query, (self._collection,)).get
        return count

    def within(self, filters: Filters) -> EmbeddedSnapshot:
        if filters == EVERYTHING:
            return self
        folders, types = json.dumps(filters.folders), json.dumps(filters.types)
        bindings = (self._collection, folders, types, filters.date_from, filters.date_to)
        ids = np.array([row[0] for row in self._connection.execute(_WITHIN, bindings)], np.int64)
        return EmbeddedSnapshot(self._connection, self._collection, self._view, ids)

    def search_vectors(self, question: Vector, limit: int) -> Scored:
        return self._view.vectors.search(question, limit, self._among)

    def search_words(self, terms: Sequence[str], limit: int) -> Scored:
        among = None if self._among is None else self._among.tolist()
        return self._view.words.search(terms, limit, among)

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
