"""The word half of a collection's caches: BM25 by tantivy over analysed terms.

Queries are term queries that we build; the query parser never sees a user's text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import tantivy

from rag.analysis import ANALYZER, analyzer
from rag.store.base import Scored

_HEAP_BYTES = 50_000_000
_ID = "passage_id"
_TEXT = "text"


class WordView:
    """The words of one generation: a point-in-time searcher that any thread may use."""

    def __init__(self, index: tantivy.Index) -> None:
        self._schema = index.schema
        self._searcher = index.searcher()

    def search(self, terms: Sequence[str], limit: int) -> Scored:
        """The best passages that hold any of the terms."""
        if not terms or not self._searcher.num_docs:
            return []
        should = [
            (tantivy.Occur.Should, tantivy.Query.term_query(self._schema, _TEXT, term, "freq"))
            for term in dict.fromkeys(terms)
        ]
        hits = self._searcher.search(tantivy.Query.boolean_query(should), limit, count=False).hits
        if not hits:
            return []
        ids: list[Any] = self._searcher.fast_field_values(_ID, [address for _, address in hits])
        return [(i, score) for i, (score, _) in zip(ids, hits, strict=True)]


class WordIndex:
    """A folder that one process writes to; see `WordView` for searching."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._index = _opened(folder)
        self._writer: tantivy.IndexWriter | None = None

    def view(self) -> WordView:
        self._index.reload()
        return WordView(self._index)

    def change(self, added: Iterable[tuple[int, str]], removed: Iterable[int]) -> None:
        """Adds passages as (id, text), removes others, and commits."""
        if self._writer is None:
            self._writer = self._index.writer(_HEAP_BYTES, num_threads=1)
        for passage_id in removed:
            self._writer.delete_documents_by_term(_ID, passage_id)
        for passage_id, text in added:
            document = tantivy.Document()
            document.add_unsigned(_ID, passage_id)
            document.add_text(_TEXT, text)
            self._writer.add_document(document)
        self._writer.commit()

    def settle(self) -> None:
        """Waits for background merges and stops writing until the next change."""
        if self._writer is not None:
            self._writer.wait_merging_threads()
            self._writer = None


def _opened(folder: Path) -> tantivy.Index:
    schema = (
        tantivy.SchemaBuilder()
        .add_unsigned_field(_ID, stored=False, indexed=True, fast=True)
        .add_text_field(_TEXT, stored=False, tokenizer_name=ANALYZER, index_option="freq")
        .build()
    )
    index = tantivy.Index(schema, path=str(folder))
    index.register_tokenizer(ANALYZER, analyzer())
    return index


def open_view(folder: Path) -> WordView:
    """Searches a folder without ever writing to it."""
    return WordView(_opened(folder))
