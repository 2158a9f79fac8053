"""The protocol that every passage store keeps, and the values that cross it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.filters import Filters
from rag.types import Document, DocumentRecord, Origin, Passage, Place

Vector = NDArray[np.float32]
Scored = list[tuple[int, float]]
"""Passage ids with scores, best first."""


def vector_key(fingerprint: str, encoded: str) -> bytes:
    """The key of a vector: the model and the text that it was made from, hashed to 128 bits."""
    digest = hashlib.blake2b(fingerprint.encode(), digest_size=16)
    digest.update(b"\0" + encoded.encode())
    return digest.digest()


@dataclass(frozen=True, slots=True)
class Entry:
    """A document as it is written: its passages and, in the same order, their vectors' keys.

    `splitter` names how the passages were cut, so that a change of rules is noticed. `original` are
    the bytes that it was read from, where they must be kept.
    """

    document: Document
    paragraphs: int
    splitter: str
    passages: Sequence[Passage]
    vector_keys: Sequence[bytes]
    original: bytes | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """What ingestion needs to know of a stored document to tell whether a file has changed.

    `has_original` says whether the store keeps the bytes. `size` is the file's, None where nobody
    has asked for it or an older version has not noted it.
    """

    document_id: str
    root: str
    source: str
    sha256: str
    loader: str
    splitter: str
    has_original: bool
    title: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class CollectionRecord:
    """A collection as a listing shows it."""

    name: str
    documents: int
    passages: int
    generation: int
    embedder: str | None


@dataclass(frozen=True, slots=True)
class Overview:
    """A collection's record, and what its documents can be filtered by.

    `folders`, the shallowest first, and `types` come with how many documents each holds; dates are
    the earliest and the latest, None where no document has one.
    """

    record: CollectionRecord
    folders: tuple[tuple[str, int], ...]
    types: tuple[tuple[str, int], ...]
    date_from: str | None
    date_to: str | None


class Snapshot(Protocol):
    """One generation of one collection: searched and read as a whole, never mixed."""

    @property
    def generation(self) -> int: ...

    @property
    def passages(self) -> int:
        """How many passages there are."""
        ...

    def within(self, filters: Filters) -> Snapshot:
        """The same, but its searches find passages of these documents alone, and count them.

        Of the whole collection, whatever was left of it. Scores stay what they are among all: the
        order is that of all with the others struck out.
        """
        ...

    def search_vectors(self, question: Vector, limit: int) -> Scored:
        """Nearest passages by cosine."""
        ...

    def search_words(self, terms: Sequence[str], limit: int) -> Scored:
        """Best passages by BM25 (k1 = 1.2, b = 0.75) over analysed terms; no terms find nothing.

        A score is a share, from 0 to 1, of the most that the distinct terms can give a passage,
        those included that stand nowhere: the sum of ln(1 + (N - n + 0.5) / (n + 0.5)) * (k1 + 1),
        where n of N passages hold a term. So scores of different questions can be compared.
        """
        ...

    def similarities(self, question: Vector, passage_ids: Collection[int]) -> dict[int, float]:
        """The cosine between the question and each of these passages."""
        ...

    def places(self, passage_ids: Collection[int]) -> dict[int, Place]:
        """The passages and their documents, by passage id."""
        ...


class PassageStore(Protocol):
    """Documents with their passages and vectors, by collection.

    Every write is durable when the call returns and is all or nothing. `embedder` arguments are
    fingerprints: a collection holds vectors of one model, and another one is refused with
    `ModelMismatch`. Unknown collections raise `NotFound`; `commit` makes them. Where a write has
    no vector for a passage, because another one has just pruned it, or has waited too long for
    another write, it raises `StoreBusy`: try again.
    """

    def collections(self) -> list[CollectionRecord]: ...

    def stored(self, collection: str) -> list[Stored]:
        """Every document of the collection; none where it does not exist."""
        ...

    def overview(self, collection: str, most_folders: int) -> Overview: ...

    def documents(
        self,
        collection: str | None,
        limit: int,
        after: str | None,
        words: Sequence[str] = (),
        within: Collection[str] | None = None,
    ) -> tuple[list[DocumentRecord], str | None]:
        """A page of documents by source, and the cursor of the next page if there is one; only
        those with all `words` in source or title, whatever their case. Of all collections, `within`
        can name those to list.
        """
        ...

    def document(self, document_id: str) -> tuple[Document, DocumentRecord]:
        """Raises `NotFound`."""
        ...

    def collection_of(self, document_id: str) -> str:
        """The collection that holds a document. Raises `NotFound`."""
        ...

    def original(self, document_id: str) -> tuple[Origin, bytes | None]:
        """A document's origin and the bytes that it was read from, where the store keeps them.

        Raises `NotFound`.
        """
        ...

    def attached(self, document_id: str) -> list[str]:
        """The ids of the documents that came inside this one: their sources go on from its own."""
        ...

    def named(self, source: str) -> list[str]:
        """The ids of the documents with this source, in all collections."""
        ...

    def alike(self, text_sha256: str, sha256: str | None) -> list[str]:
        """The ids of documents with this text or made from these bytes, the same text first."""
        ...

    def everything(self, collection: str) -> Iterator[Document]:
        """All documents, one at a time."""
        ...

    def missing(self, keys: Iterable[bytes]) -> set[bytes]:
        """Those of the keys that have no stored vector."""
        ...

    def commit(
        self,
        collection: str,
        embedder: str,
        *,
        put: Sequence[Entry] = (),
        vectors: Mapping[bytes, Vector] | None = None,
        remove: Collection[str] = (),
    ) -> int:
        """One transaction: replaces or adds `put`, forgets `remove`; returns the generation."""
        ...

    def stage(self, vectors: Mapping[bytes, Vector]) -> None:
        """Keeps vectors that a later commit will use."""
        ...

    def remove(self, collection: str, document_ids: Collection[str]) -> int:
        """Forgets documents, whatever model made their vectors; returns the generation."""
        ...

    def replace_all(self, collection: str, embedder: str, entries: Iterable[Entry]) -> int:
        """One transaction: the same documents cut and encoded anew, perhaps by another model."""
        ...

    def snapshot(self, collection: str, embedder: str) -> AbstractContextManager[Snapshot]: ...

    def check(self, collection: str, embedder: str) -> None:
        """Raises `ModelMismatch` where another embedder has made the collection's vectors."""
        ...

    def model(self, embedder: str) -> str | None:
        """The name that the model with this fingerprint was loaded by, if it was noted."""
        ...

    def keep_model(self, embedder: str, name: str) -> None:
        """Notes that name."""
        ...

    def overhaul(self) -> AbstractContextManager[None]:
        """Held by whoever stages vectors for a later commit, and by repairs: one at a time."""
        ...

    def compact(self, collection: str) -> None:
        """Brings the caches up to date on disk where that pays."""
        ...

    def close(self) -> None: ...
