"""The word half of a collection's caches: BM25 by tantivy over analysed terms.

Queries are term queries that we build; the query parser never sees a user's text.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from math import log
from pathlib import Path
from typing import Any

import tantivy

from rag.analysis import ANALYZER, analyzer, composed
from rag.store.base import Scored

_HEAP_BYTES = 50_000_000
_K1 = 1.2  # tantivy's
_ID = "passage_id"
_TEXT = "text"
_EVERY = "every"  # the same in every passage


class WordView:
    """The words of one generation: a point-in-time searcher that any thread may use."""

    def __init__(self, index: tantivy.Index) -> None:
        self._schema = index.schema
        self._searcher = index.searcher()

    def search(
        self, terms: Sequence[str], limit: int, among: Collection[int] | None = None
    ) -> Scored:
        """The best passages that hold any of the terms, scored as `Snapshot.search_words` says.

        `among` are the passages to choose from; how many others hold a term counts as before.
        """
        distinct = list(dict.fromkeys(terms))
        if not distinct or not self._searcher.num_docs:
            return []
        should = [
            (tantivy.Occur.Should, tantivy.Query.term_query(self._schema, _TEXT, term, "freq"))
            for term in distinct
        ]
        query = tantivy.Query.boolean_query(should)
        if among is not None:
            query = self._among(query, among)
        hits = self._searcher.search(query, limit, count=False).hits
        ids: list[Any] = self._searcher.fast_field_values(_ID, [address for _, address in hits])
        most = self._most(distinct)
        found = [(i, score / most) for i, (score, _) in zip(ids, hits, strict=True)]
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))

    def _among(self, query: tantivy.Query, passage_ids: Collection[int]) -> tantivy.Query:
        chosen = tantivy.Query.term_set_query(self._schema, _ID, list(passage_ids))
        unscored = tantivy.Query.const_score_query(chosen, 0.0)
        must = tantivy.Occur.Must
        return tantivy.Query.boolean_query([(must, query), (must, unscored)])

    def ids(self) -> list[int]:
        """Every passage that can be found."""
        every = tantivy.Query.term_query(self._schema, _EVERY, 1)
        most = max(1, self._searcher.num_docs)
        hits = self._searcher.search(every, most, count=False).hits
        ids: list[Any] = self._searcher.fast_field_values(_ID, [address for _, address in hits])
        return ids

    def _most(self, terms: Iterable[str]) -> float:
        """The least upper bound of the terms' BM25, with the same statistics as tantivy's scores.

        Those count removed passages until a merge drops them, and so does every `doc_freq`.
        """
        passages = self._searcher.doc_freq(_EVERY, 1)
        holding = (self._searcher.doc_freq(_TEXT, term) for term in terms)
        return (_K1 + 1) * sum(log(1 + (passages - n + 0.5) / (n + 0.5)) for n in holding)


class WordIndex:
    """A folder that one process writes to, or memory; see `WordView` for searching."""

    def __init__(self, folder: Path | None = None) -> None:
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
        self._index = _opened(folder)
        self._writer: tantivy.IndexWriter | None = None

    def view(self) -> WordView:
        self._index.reload()
        return WordView(self._index)

    def change(self, added: Iterable[tuple[int, str]], removed: Collection[int]) -> None:
        """Adds passages as (id, text), removes others, and commits.

        After an error the index holds an unknown part of the change. A full disk is a ValueError.
        """
        if self._writer is None:
            self._writer = self._index.writer(_HEAP_BYTES, num_threads=1)
        if removed:
            # By query: tantivy-py 0.27 takes the number of a deletion by term for a signed one,
            # which equals no unsigned one, and deletes nothing.
            gone = tantivy.Query.term_set_query(self._index.schema, _ID, list(removed))
            self._writer.delete_documents_by_query(gone)
        for passage_id, text in added:
            document = tantivy.Document()
            document.add_unsigned(_ID, passage_id)
            document.add_unsigned(_EVERY, 1)
            document.add_text(_TEXT, composed(text))
            self._writer.add_document(document)
        self._writer.commit()

    def settle(self) -> None:
        """Waits for background merges and stops writing until the next change."""
        if self._writer is not None:
            self._writer.wait_merging_threads()
            self._writer = None


def _opened(folder: Path | None) -> tantivy.Index:
    schema = (
        tantivy.SchemaBuilder()
        .add_unsigned_field(_ID, stored=False, indexed=True, fast=True)
        .add_unsigned_field(_EVERY, stored=False, indexed=True)
        .add_text_field(_TEXT, stored=False, tokenizer_name=ANALYZER, index_option="freq")
        .build()
    )
    index = tantivy.Index(schema, path=str(folder) if folder else None)
    index.register_tokenizer(ANALYZER, analyzer())
    return index


def open_view(folder: Path) -> WordView:
    """Searches a folder without ever writing to it."""
    return WordView(_opened(folder))
