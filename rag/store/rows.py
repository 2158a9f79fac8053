"""Dataclasses to rows of the database and back.

Every row of `documents` and `passages` carries SHA-256 hashes over all that a citation uses or is
made from: SQLite's own checks miss most single-bit flips. What no longer matches is never shown.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from sys import intern
from typing import Any

import numpy as np

from rag.errors import DocumentDamaged
from rag.store.base import Stored, Vector
from rag.types import Document, DocumentRecord, Heading, Origin, Passage, Span

Row = tuple[Any, ...]

ORIGIN_COLUMNS = (
    "document_id, collection, root, source, title, date, language, sha256, text_sha256, loader, "
    "size"
)
ORIGIN_WIDTH = 11
DOCUMENT_COLUMNS = (
    f"{ORIGIN_COLUMNS}, splitter, text, structure, structure_sha256, paragraphs, passages, "
    "ingested_at, record_sha256"
)
PASSAGE_COLUMNS = (
    'document_id, ordinal, start, "end", text, before, after, paragraph, paragraphs, page, '
    "page_label, heading, record_sha256"
)
PASSAGE_WIDTH = 13


def qualified(columns: str, table: str) -> str:
    """The same columns, each with the table's name before it."""
    return ", ".join(f"{table}.{column}" for column in columns.split(", "))


def document_row(document: Document, splitter: str, paragraphs: int, passages: int, at: str) -> Row:
    origin = document.origin
    facts = (
        origin.document_id,
        origin.collection,
        origin.root,
        origin.source,
        origin.title,
        origin.date,
        origin.language,
        origin.sha256,
        origin.text_sha256,
        origin.loader,
        origin.size,
    )
    structure = _structure(document)
    rest = (splitter, document.text, structure, _digest([structure]), paragraphs, passages, at)
    return (*facts, *rest, _digest(_hashed(facts)))


def _hashed(facts: Row) -> Row:
    """What a document's hash is made from: rows of versions that noted no size have none in it."""
    return facts if facts[-1] is not None else facts[:-1]


def passage_row(passage: Passage) -> Row:
    facts = (
        passage.document_id,
        passage.ordinal,
        passage.span.start,
        passage.span.end,
        passage.text,
        passage.before,
        passage.after,
        passage.paragraph,
        json.dumps([[span.start, span.end] for span in passage.paragraphs]),
        passage.page,
        passage.page_label,
        json.dumps(passage.heading, ensure_ascii=False),
    )
    return (*facts, _digest(facts))


def origin_of(row: Row, record_sha256: bytes) -> Origin:
    """The origin in the first columns of a row, checked."""
    _check(_hashed(row[:ORIGIN_WIDTH]), record_sha256, "document", row[3])
    return Origin(*row[:ORIGIN_WIDTH])


def passage_of(row: Row) -> Passage:
    """The passage in a row of PASSAGE_COLUMNS, checked."""
    *facts, record_sha256 = row
    _check(facts, record_sha256, "passage of document", row[0])
    document_id, ordinal, start, end, text, before, after, paragraph, spans, *where = facts
    page, page_label, heading = where
    return Passage(
        document_id=document_id,
        ordinal=ordinal,
        span=Span(start, end),
        text=text,
        before=before,
        after=after,
        paragraphs=tuple(Span(*span) for span in json.loads(spans)),
        paragraph=paragraph,
        page=page,
        page_label=page_label,
        heading=tuple(json.loads(heading)),
    )


def document_of(row: Row) -> tuple[Document, DocumentRecord]:
    """The document in a row of DOCUMENT_COLUMNS, checked, text included."""
    origin = origin_of(row, row[-1])
    _, text, structure, structure_sha256, paragraphs, passages, at, _ = row[ORIGIN_WIDTH:]
    _check([structure], structure_sha256, "structure of document", origin.source)
    if hashlib.sha256(str(text).encode()).hexdigest() != origin.text_sha256:
        raise _damaged("text of document", origin.source)
    parts = json.loads(structure)
    document = Document(
        origin=origin,
        text=text,
        headings=tuple(
            Heading(Span(start, end), *level_and_text)
            for start, end, *level_and_text in parts["headings"]
        ),
        pages=tuple(parts["pages"]),
        page_labels=tuple(parts["page_labels"]),
        skipped=tuple(Span(*span) for span in parts["skipped"]),
    )
    return document, DocumentRecord(origin, paragraphs, passages, len(text), at)


def stored_of(row: Row) -> Stored:
    """A row of the names of its fields; SQLite knows no truth values.

    What many rows share is kept once: there may be a hundred thousand.
    """
    document_id, root, source, sha256, loader, splitter, has_original, *rest = row
    shared = (intern(loader), intern(splitter), bool(has_original))
    return Stored(document_id, intern(root), source, sha256, *shared, *rest)


def original_of(row: Row) -> tuple[Origin, bytes | None]:
    """The origin and the kept bytes in a row of ORIGIN_COLUMNS, their hash and `data`, checked."""
    origin = origin_of(row, row[ORIGIN_WIDTH])
    data: bytes | None = row[ORIGIN_WIDTH + 1]
    if data is not None and hashlib.sha256(data).hexdigest() != origin.sha256:
        raise _damaged("file of document", origin.source)
    return origin, data


def encoded_vector(vector: Vector) -> bytes:
    """Half precision: all that the exact index tier keeps, at half the size."""
    return vector.astype("<f2").tobytes()


def decoded_vectors(blobs: Iterable[bytes]) -> Vector:
    """Rows of half-precision blobs as float32, shape (rows, dimension)."""
    return np.stack([np.frombuffer(blob, "<f2") for blob in blobs]).astype(np.float32)


def _structure(document: Document) -> str:
    return json.dumps(
        {
            "headings": [[*_ends(h.span), h.level, h.text] for h in document.headings],
            "pages": document.pages,
            "page_labels": document.page_labels,
            "skipped": [_ends(span) for span in document.skipped],
        },
        ensure_ascii=False,
    )


def _ends(span: Span) -> list[int]:
    return [span.start, span.end]


def _digest(facts: Any) -> bytes:
    # One flipped bit can turn a text into bytes, which JSON does not know.
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False, default=repr).encode()).digest()


def _check(facts: Any, record_sha256: bytes, what: str, name: str) -> None:
    if _digest(list(facts)) != record_sha256:
        raise _damaged(what, name)


def _damaged(what: str, name: str) -> DocumentDamaged:
    return DocumentDamaged(
        f"the stored {what} {name} is damaged and is not shown: run `rag doctor --repair`, or "
        "remove the document and ingest its file again"
    )
