"""What a doctor reads and mends in the store, with made-up documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import numpy as np
import pytest

from rag.errors import ModelMismatch
from rag.store import faiss_index
from rag.store.embedded import EmbeddedStore
from rag.store.upkeep import Upkeep

if TYPE_CHECKING:
    from tests.store.conftest import Author

OpenStore = Callable[..., EmbeddedStore]


@pytest.fixture
def store(open_embedded: OpenStore, author: Author) -> EmbeddedStore:
    store = open_embedded()
    author.put(store, author.entry("a.txt", "apple", "pear"), author.entry("b.txt", "plum"))
    return store


@pytest.fixture
def upkeep(home: Path, store: EmbeddedStore) -> Iterator[Upkeep]:  # noqa: ARG001 - made by it
    with closing(Upkeep(home, 0.05)) as upkeep:
        yield upkeep


@pytest.mark.parametrize("most", [100_000, 0], ids=["exact", "IVF"])
def test_every_row_of_an_index_is_told(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faiss_index, "EXACT_UP_TO", most)
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((3000, 8)).astype("<f2").astype(np.float32)
    ids = np.arange(3000) * 7 + 5
    index = faiss_index.build(3000, lambda: [(ids, vectors)])
    found, copies = faiss_index.rows_of(index)
    assert sorted(found) == sorted(ids)
    if most:
        assert copies is not None
        assert (found == ids).all()
        assert (copies == vectors).all()
    else:
        assert copies is None


def test_a_mended_row_takes_the_place_of_the_damaged_one(
    home: Path, store: EmbeddedStore, upkeep: Upkeep, author: Author
) -> None:
    assert len(author.nearest(store, "x")) == 3
    with closing(apsw.Connection(str(home / "index.sqlite"))) as connection:
        connection.execute("UPDATE passages SET text = 'x' WHERE text = 'apple'")
        connection.execute("UPDATE vectors SET vector = zeroblob(16)")
    with upkeep.examination() as examined:
        rows = list(examined.documents())
    for row, entry in zip(
        rows, (author.entry("a.txt", "apple", "pear"), author.entry("b.txt", "plum")), strict=True
    ):
        upkeep.mend(row, author.model, entry, author.vectors(entry))
    assert {(s, o) for s, o, _ in author.nearest(store, "x")} == {
        ("a.txt", 0),
        ("a.txt", 1),
        ("b.txt", 0),
    }
    assert [source for source, *_ in author.worded(store, "apple")] == ["a.txt"]
    (best, *_) = author.nearest(store, "x", 1)
    assert best[2] != 0


def test_a_row_that_was_replaced_meanwhile_is_left_alone(
    store: EmbeddedStore, upkeep: Upkeep, author: Author
) -> None:
    with upkeep.examination() as examined:
        row = next(examined.documents())
    generation = author.put(store, author.entry("a.txt", "banana"))
    upkeep.mend(row, author.model, author.entry("a.txt", "apple", "pear"), {})
    assert [found.generation for found in store.collections()] == [generation]
    assert author.worded(store, "apple") == []
    assert len(author.worded(store, "banana")) == 1


def test_vectors_of_two_models_are_never_mixed(
    store: EmbeddedStore, upkeep: Upkeep, author: Author, other_author: Author
) -> None:
    with upkeep.examination() as examined:
        row = next(examined.documents())
    entry = other_author.entry("a.txt", "apple")
    with pytest.raises(ModelMismatch):
        upkeep.mend(row, other_author.model, entry, other_author.vectors(entry))
    assert len(author.nearest(store, "x")) == 3
