"""What the embedded store lists inside a transaction: collections, and documents page by page."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence

import apsw

from rag.errors import InvalidInput
from rag.filters import folders_of, type_of
from rag.store.base import CollectionRecord, Overview, Stored
from rag.store.rows import ORIGIN_COLUMNS, ORIGIN_WIDTH, Row, origin_of, stored_of
from rag.store.sqlite import folded
from rag.store.statements import state_of
from rag.types import DocumentRecord, Origin

_ID_LENGTH = 32
_STORED = (
    "document_id, root, source, sha256, loader, splitter, "
    "EXISTS (SELECT 1 FROM originals WHERE originals.sha256 = documents.sha256), title"
)


def records(connection: apsw.Connection) -> list[CollectionRecord]:
    """Every collection, by name."""
    rows = connection.execute(
        "SELECT name, count(document_id), coalesce(sum(passages), 0), generation, embedder "
        "FROM collections LEFT JOIN documents ON collection = name GROUP BY name ORDER BY name"
    )
    return [CollectionRecord(*row) for row in rows]


def stored(connection: apsw.Connection, collection: str, *, sizes: bool = False) -> list[Stored]:
    """What `PassageStore.stored` gives, with sizes where they are wanted: they stand behind the
    texts, so reading them reads all of these.
    """
    rows = connection.execute(
        f"SELECT {_STORED}{', size' if sizes else ''} FROM documents WHERE collection = ? "  # noqa: S608
        "ORDER BY source, root",
        (collection,),
    )
    return [stored_of(row) for row in rows]


def overview(connection: apsw.Connection, collection: str, most_folders: int) -> Overview:
    """One collection, and what its documents can be filtered by. Raises `NotFound`."""
    state = state_of(connection, collection)
    rows: list[Row] = connection.execute(
        "SELECT CAST(source AS TEXT), CAST(date AS TEXT), passages FROM documents "
        "WHERE collection = ?",
        (collection,),
    ).fetchall()
    folders = Counter(folder for source, _, _ in rows for folder in folders_of(source))
    types = Counter(type_of(source) for source, _, _ in rows)
    dates = [date for _, date, _ in rows if date is not None]
    passages = sum(count for _, _, count in rows)
    by_depth = sorted(folders.items(), key=lambda folder: (folder[0].count("/"), folder[0]))
    return Overview(
        CollectionRecord(collection, len(rows), passages, state.generation, state.embedder),
        tuple(by_depth[:most_folders]),
        tuple(sorted(types.items())),
        min(dates, default=None),
        max(dates, default=None),
    )


def page_of_documents(
    connection: apsw.Connection,
    collection: str | None,
    limit: int,
    after: str | None,
    words: Sequence[str],
    within: Collection[str] | None,
) -> tuple[list[DocumentRecord], str | None]:
    """A page as `PassageStore.documents` gives it."""
    if collection is not None:
        state_of(connection, collection)
    rows = connection.execute(
        f"SELECT {ORIGIN_COLUMNS}, record_sha256, paragraphs, passages, length(text), "  # noqa: S608
        "ingested_at FROM documents "
        "WHERE (?1 IS NULL OR collection = ?1) AND (source, document_id) > (?2, ?3) "
        "AND NOT EXISTS (SELECT 1 FROM json_each(?4) "
        "WHERE instr(folded(source), value) = 0 AND instr(folded(title), value) = 0) "
        "AND (?6 IS NULL OR collection IN (SELECT value FROM json_each(?6))) "
        "ORDER BY source, document_id LIMIT ?5",
        (
            collection,
            *_position(after),
            json.dumps([folded(word) for word in words]),
            limit + 1,
            None if within is None else json.dumps(sorted(within)),
        ),
    )
    found = [
        DocumentRecord(origin_of(row, row[ORIGIN_WIDTH]), *row[ORIGIN_WIDTH + 1 :]) for row in rows
    ]
    more = len(found) > limit
    return found[:limit], _cursor(found[limit - 1].origin) if more else None


def attached(connection: apsw.Connection, document_id: str) -> list[str]:
    """The ids of the documents whose sources go on from this one's, as if it were a folder."""
    rows = connection.execute(
        "SELECT inside.document_id FROM documents AS file JOIN documents AS inside "
        "ON inside.collection = file.collection AND inside.root = file.root "
        # "0" is the character after "/".
        "AND inside.source > file.source || '/' AND inside.source < file.source || '0' "
        "WHERE file.document_id = ? ORDER BY inside.source",
        (document_id,),
    )
    return [str(found) for (found,) in rows]


def _cursor(origin: Origin) -> str:
    """Names a place in the order of documents, which stays one when the document goes."""
    return f"{origin.document_id}{origin.source}"


def _position(cursor: str | None) -> tuple[str, str]:
    cursor = cursor or ""
    if cursor and len(cursor) <= _ID_LENGTH:
        raise InvalidInput("the cursor is none of this listing: start again without one")
    return cursor[_ID_LENGTH:], cursor[:_ID_LENGTH]
