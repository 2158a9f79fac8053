"""A look at an index that leaves no trace, and what it sees while others write."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rag.errors import StoreUnreadable
from rag.store import glimpse
from rag.store.base import Stored
from rag.store.embedded import EmbeddedStore
from rag.store.glimpse import stored_in

if TYPE_CHECKING:
    from tests.store.conftest import Author

OpenStore = Callable[..., EmbeddedStore]


@pytest.fixture
def file(home: Path, open_embedded: OpenStore, author: Author) -> Path:
    store = open_embedded()
    author.put(store, author.entry("a.txt", "apple"), author.entry("b.txt", "berry, ripe"))
    store.close()
    return home / "index.sqlite"


def _sources(found: list[Stored]) -> list[str]:
    return [one.source for one in found]


def test_it_sees_what_a_store_sees_and_sizes(file: Path, open_embedded: OpenStore) -> None:
    found = stored_in(file, "default")
    assert [(one.source, one.size) for one in found] == [("a.txt", 10), ("b.txt", 16)]
    stored = open_embedded().stored("default")
    assert [(one.document_id, one.sha256, one.title) for one in found] == [
        (one.document_id, one.sha256, one.title) for one in stored
    ]
    assert stored_in(file, "other") == []


def test_it_makes_nothing(file: Path, tmp_path: Path) -> None:
    before = sorted(file.parent.iterdir())
    stored_in(file, "default")
    assert sorted(file.parent.iterdir()) == before
    assert stored_in(tmp_path / "none" / "index.sqlite", "default") == []
    assert not (tmp_path / "none").exists()


def test_a_file_that_changes_while_it_is_read_is_read_again(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[bool] = []

    def read(path: Path, collection: str, still: bool) -> list[Stored]:
        reads.append(still)
        found = given(path, collection, still)
        if len(reads) < 3:
            os.utime(file, ns=(len(reads), len(reads)))
        if len(reads) == 2:
            raise StoreUnreadable("half of it was another one")
        return found

    given = glimpse._read
    monkeypatch.setattr(glimpse, "_read", read)
    assert _sources(stored_in(file, "default")) == ["a.txt", "b.txt"]
    assert reads == [True, True, True]


def test_a_damaged_file_is_no_changing_one(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5_000])
    with pytest.raises(StoreUnreadable):
        stored_in(file, "default")


def test_beside_a_writer_it_sees_the_log(
    file: Path, open_embedded: OpenStore, author: Author
) -> None:
    store = open_embedded()
    author.put(store, author.entry("c.txt", "cherry"), remove=["a.txt"])
    assert file.with_name("index.sqlite-wal").stat().st_size
    assert _sources(stored_in(file, "default")) == ["b.txt", "c.txt"]
