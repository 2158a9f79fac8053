"""Whatever a citation uses is never shown after it changed behind the store's back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from rag.errors import StoreUnreadable
from rag.store.embedded import EmbeddedStore

if TYPE_CHECKING:
    from tests.store.conftest import Author

OpenStore = Callable[..., EmbeddedStore]
Tamper = Callable[..., None]

ORIGIN: dict[str, list[Any]] = {
    "document_id": ["f" * 32],
    "collection": ["other"],
    "root": ["/root2", ""],
    "source": ["a.tx", b"a.txt"],
    "title": ["Titel", b"Title"],
    "date": [None, "2024-05-07", 20240506],
    "language": [None, "em"],
    "sha256": ["0" * 64],
    "text_sha256": ["0" * 64],
    "loader": ["text/2"],
    "size": [None, 0, "large"],
    "record_sha256": [b"\0" * 32, "text"],
}
BODY: dict[str, list[Any]] = {
    "text": ["apple\n\npeas", "", b"apple\n\npear"],
    "structure": ["{}", "not JSON", b"\xff"],
    "structure_sha256": [b"\0" * 32],
}
PASSAGE: dict[str, list[Any]] = {
    "document_id": ["f" * 32],
    "ordinal": [7],
    "start": [1, "zero"],
    '"end"': [4],
    "text": ["appla", b"apple"],
    "before": ["x"],
    "after": ["", b"\n\npear"],
    "paragraph": [2],
    "paragraphs": ["[[0, 4]]", "[]", "not JSON"],
    "page": [None, 2],
    "page_label": [None, "ii"],
    "heading": ["[]", "not JSON", b"\xff"],
    "record_sha256": [b"\0" * 32],
}


def cases(fields: dict[str, list[Any]]) -> list[Any]:
    return [
        pytest.param(name, value, id=f"{name}={value!r:.12}")
        for name, values in fields.items()
        for value in values
    ]


@pytest.fixture
def store(open_embedded: OpenStore, author: Author) -> EmbeddedStore:
    store = open_embedded()
    author.put(store, author.entry("a.txt", "apple", "pear", title="Title"))
    assert len(author.nearest(store, "x")) == 2  # so that the caches are there already
    return store


@pytest.fixture
def tamper(home: Path) -> Tamper:
    """Changes a column of the first row over a connection of its own, past every constraint."""

    def change(table: str, column: str, value: Any, mark: str = "?") -> None:
        connection = apsw.Connection(str(home / "index.sqlite"))
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("INSERT INTO collections VALUES ('other', 'model-a', 1, NULL)")
        connection.execute(
            f"UPDATE {table} SET {column} = {mark} WHERE rowid = (SELECT min(rowid) FROM {table})",  # noqa: S608
            (value,),
        )
        connection.close()

    return change


@pytest.mark.parametrize(("field", "value"), cases(ORIGIN))
def test_a_changed_origin_is_noticed(
    store: EmbeddedStore, author: Author, tamper: Tamper, field: str, value: Any
) -> None:
    tamper("documents", field, value)
    document_id = value if field == "document_id" else author.id_of("a.txt")
    with pytest.raises(StoreUnreadable, match="damaged"):
        store.document(document_id)
    with pytest.raises(StoreUnreadable, match="damaged"):
        store.documents(None, 10, None)
    if field != "document_id":  # its passages are nobody's then
        with pytest.raises(StoreUnreadable, match="damaged"):
            author.nearest(store, "x")


@pytest.mark.parametrize(("field", "value"), cases(BODY))
def test_a_changed_text_or_structure_is_noticed(
    store: EmbeddedStore, author: Author, tamper: Tamper, field: str, value: Any
) -> None:
    tamper("documents", field, value)
    with pytest.raises(StoreUnreadable, match=r"damaged.*ingest its file again"):
        store.document(author.id_of("a.txt"))


def test_a_changed_original_is_noticed(
    store: EmbeddedStore, author: Author, tamper: Tamper
) -> None:
    tamper("originals", "data", b"file Apple")
    with pytest.raises(StoreUnreadable, match=r"damaged.*ingest its file again"):
        store.original(author.id_of("a.txt"))


@pytest.mark.parametrize(("field", "value"), cases(PASSAGE))
def test_a_changed_passage_is_noticed(
    store: EmbeddedStore, author: Author, tamper: Tamper, field: str, value: Any
) -> None:
    tamper("passages", field, value)
    with store.snapshot("default", author.model) as snapshot:
        ids = [i for i, _ in snapshot.search_vectors(author.vector("x"), 10)]
        if field == "document_id":  # it belongs to no document, and is not shown
            assert len(snapshot.places(ids)) == 1
        else:
            with pytest.raises(StoreUnreadable, match="damaged"):
                snapshot.places(ids)


@pytest.mark.parametrize("value", [b"\xc3", b"\xff\xff"])
def test_text_that_is_no_longer_utf8_is_noticed(
    store: EmbeddedStore, author: Author, tamper: Tamper, value: bytes
) -> None:
    tamper("passages", "text", value, "CAST(? AS TEXT)")
    with pytest.raises(StoreUnreadable, match="damaged"):
        author.nearest(store, "x")


def test_a_damaged_schema_is_noticed(home: Path, store: EmbeddedStore) -> None:
    connection = apsw.Connection(str(home / "index.sqlite"))
    connection.execute("ALTER TABLE documents RENAME COLUMN title TO titla")
    connection.close()
    with pytest.raises(StoreUnreadable, match="damaged"):
        store.documents(None, 10, None)


def test_a_damaged_passage_is_not_indexed(
    open_embedded: OpenStore, store: EmbeddedStore, author: Author, tamper: Tamper
) -> None:
    tamper("passages", "heading", "not JSON")
    with pytest.raises(StoreUnreadable, match="damaged"):
        author.worded(open_embedded(), "apple")
    author.put(store, author.entry("a.txt", "apple", "pear"))  # the cure that the message names
    assert len(author.worded(open_embedded(), "apple")) == 1


def test_a_damaged_document_can_be_removed(
    store: EmbeddedStore, author: Author, tamper: Tamper
) -> None:
    tamper("documents", "title", "x")
    store.remove("default", [author.id_of("a.txt")])
    assert author.nearest(store, "x") == []
