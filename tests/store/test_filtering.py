"""A filtered search is the search of everything with the other documents struck out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from rag.errors import NotFound
from rag.filters import EVERYTHING, Filters
from rag.store import faiss_index, following
from rag.store.base import Scored, Snapshot
from rag.store.embedded import EmbeddedStore
from rag.store.faiss_index import VectorView

if TYPE_CHECKING:
    from tests.store.conftest import Author

OpenStore = Callable[..., EmbeddedStore]


@pytest.fixture
def store(open_embedded: OpenStore) -> EmbeddedStore:
    return open_embedded()


SOURCES = (
    "top.txt", "a/x.txt", "a/b/x.md", "a/b.c/y.TXT", "ab/x.txt", "A/x.txt", "a%/x.md", "a_/x.pdf",
    "a%b/z.pdf", "a.txt/x.md", "a0/x.txt", "Größe/ü.txt", "a/b/c/d.html", 'q"\'/x.htm', "a'/x.htm",
)  # fmt: skip
FOLDERS = (
    "a", "a/b", "a/b/c", "a/b.c", "ab", "A", "a%", "%", "a_", "_", "a.txt", "a0", "a.", "Größe",
    "GRÖSSE", "nope", "top.txt", "a/x.txt", 'q"\'', "a'", "') OR 1=1 --",
)  # fmt: skip
TYPES = ("txt", "md", "pdf", "html", "htm", "t", "%", "_d", "docx")
DATES = ("2023-12-31", "2024-05-06", "2024-05-07", "2025-01-01")
WORDS = ("apple", "pear", "plum", "fig")

_texts = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join), min_size=1, max_size=3
)
_documents = st.dictionaries(
    st.sampled_from(SOURCES), st.tuples(_texts, st.sampled_from([None, *DATES])), min_size=1
)
_days = st.one_of(st.none(), st.sampled_from(DATES))


@st.composite
def _filters(draw: st.DrawFn) -> Filters:
    folders = draw(st.lists(st.sampled_from(FOLDERS), max_size=3))
    types = draw(st.lists(st.sampled_from(TYPES), max_size=3))
    first, last = draw(_days), draw(_days)
    if first and last:
        first, last = sorted((first, last))
    return Filters(tuple(folders), tuple(types), first, last)


def lets_through(filters: Filters, source: str, date: str | None) -> bool:
    """The rule, told once more."""
    *parts, name = source.split("/")
    inside = [folder.split("/") for folder in filters.folders]
    if inside and not any(parts[: len(folder)] == folder for folder in inside):
        return False
    if filters.types and name.rpartition(".")[2].lower() not in filters.types:
        return False
    if filters.date_from or filters.date_to:
        return bool(date) and (filters.date_from or "") <= str(date) <= (filters.date_to or "9")
    return True


def assert_first(found: Scored, ranked: Scored, limit: int) -> None:
    """The first of a ranking; which of several with the same score is left open."""
    scores = dict(ranked)
    assert [score for _, score in found] == pytest.approx([s for _, s in ranked[:limit]], abs=1e-6)
    assert dict(found) == pytest.approx({i: scores[i] for i, _ in found}, abs=1e-6)


def struck_out(snapshot: Snapshot, ranked: Scored, filters: Filters) -> Scored:
    places = snapshot.places([i for i, _ in ranked])
    origins = {i: place.origin for i, place in places.items()}
    return [
        (i, score)
        for i, score in ranked
        if lets_through(filters, origins[i].source, origins[i].date)
    ]


@pytest.mark.parametrize("exact_up_to", [0, 10**6], ids=["IVF", "exact"])
def test_any_filter_over_any_documents(
    author: Author, monkeypatch: pytest.MonkeyPatch, exact_up_to: int
) -> None:
    monkeypatch.setattr(following, "_REPLAYED_AT_MOST", 0)
    monkeypatch.setattr(faiss_index, "EXACT_UP_TO", exact_up_to)

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        documents=_documents,
        later=_documents,
        gone=st.sets(st.sampled_from(SOURCES)),
        filters=st.lists(_filters(), min_size=1, max_size=4),
    )
    def holds(
        documents: dict[str, tuple[list[str], str | None]],
        later: dict[str, tuple[list[str], str | None]],
        gone: set[str],
        filters: list[Filters],
    ) -> None:
        with tempfile.TemporaryDirectory() as folder:
            store = EmbeddedStore(Path(folder))
            try:
                for batch in (documents, later):  # a base, then what came after it
                    put = [author.entry(s, *t, date=d) for s, (t, d) in batch.items()]
                    author.put(store, *put)
                    if batch is documents:
                        store.compact("default")
                        author.put(store, remove=sorted(gone))
                for one in filters:
                    check(store, author, one)
            finally:
                store.close()

    holds()


def check(store: EmbeddedStore, author: Author, filters: Filters) -> None:
    question = author.vector("question")
    with store.snapshot("default", author.model) as snapshot:
        within = snapshot.within(filters)
        near = struck_out(snapshot, snapshot.search_vectors(question, 1000), filters)
        assert within.generation == snapshot.generation
        assert within.passages == len(near)
        for limit in (1, 3, 1000):
            assert_first(within.search_vectors(question, limit), near, limit)
            for terms in (["appl"], ["pear", "plum", "gross", "zebra"], []):
                worded = struck_out(snapshot, snapshot.search_words(terms, 1000), filters)
                assert_first(within.search_words(terms, limit), worded, limit)


def test_nothing_is_limited_without_a_filter(store: EmbeddedStore, author: Author) -> None:
    author.put(store, author.entry("a.txt", "apple"))
    with store.snapshot("default", author.model) as snapshot:
        assert snapshot.within(EVERYTHING) is snapshot


def test_a_few_rows_are_found_in_whichever_list_they_lie() -> None:
    """Of 128 lists an unfiltered search probes the nearest 64."""
    rows = np.random.default_rng(0).standard_normal((1000, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    ids = np.arange(1, 1001)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faiss_index, "EXACT_UP_TO", 0)
        view = VectorView(faiss_index.build(1000, lambda: [(ids, rows)]))
    farthest = ids[np.argsort(rows @ rows[0])][:10]
    seen = {i for i, _ in view.search(rows[0], 1000)}
    assert seen.isdisjoint(farthest)
    found = view.search(rows[0], 5, farthest)
    assert [i for i, _ in found] == farthest[::-1][:5].tolist()
    assert [score for _, score in found] == pytest.approx(
        (rows @ rows[0])[farthest - 1][::-1][:5], abs=0.02
    )


class TestOverview:
    def test_of_a_collection(self, store: EmbeddedStore, author: Author) -> None:
        dates = {"a/b/x.md": "2024-05-06", "a/y.TXT": None, "Z/x.md": "2023-01-01", "top.txt": None}
        author.put(store, *(author.entry(s, "x", "y", date=d) for s, d in dates.items()))
        overview = store.overview("default", 1000)
        assert [overview.record] == store.collections()
        assert overview.folders == (("Z", 1), ("a", 2), ("a/b", 1))
        assert overview.types == (("md", 2), ("txt", 2))
        assert (overview.date_from, overview.date_to) == ("2023-01-01", "2024-05-06")
        assert store.overview("default", 2).folders == (("Z", 1), ("a", 2))

    def test_counts_are_what_the_filters_find(self, store: EmbeddedStore, author: Author) -> None:
        author.put(store, *(author.entry(source, "apple") for source in SOURCES))
        overview = store.overview("default", 1000)
        with store.snapshot("default", author.model) as snapshot:
            for folder, documents in overview.folders:
                assert snapshot.within(Filters(folders=(folder,))).passages == documents
            for kind, documents in overview.types:
                assert snapshot.within(Filters(types=(kind,))).passages == documents

    def test_of_an_empty_and_of_no_collection(self, store: EmbeddedStore) -> None:
        overview = store.overview("default", 1000)
        assert (overview.folders, overview.types, overview.date_from) == ((), (), None)
        assert [overview.record] == store.collections()
        with pytest.raises(NotFound, match="rag collections"):
            store.overview("none", 1000)
