"""One generation of a collection in the embedded store, to be searched and read."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

import apsw

from rag.store.base import Scored, Vector
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
