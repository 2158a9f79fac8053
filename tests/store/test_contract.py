"""What every passage store promises; one suite over all engines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import log
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rag.errors import InvalidInput, ModelMismatch, NotFound, StoreBusy
from rag.store.base import CollectionRecord, PassageStore

if TYPE_CHECKING:
    from tests.store.conftest import Author, Found

OpenStore = Callable[[], PassageStore]


@pytest.fixture(params=["embedded"])
def open_store(request: pytest.FixtureRequest) -> OpenStore:
    """Opens the same store as often as it is called."""
    opened: OpenStore = request.getfixturevalue(f"open_{request.param}")
    return opened


@pytest.fixture
def store(open_store: OpenStore) -> PassageStore:
    return open_store()


def places(hits: Found) -> list[tuple[str, int]]:
    return [(source, ordinal) for source, ordinal, _ in hits]


def about(source: str, ordinal: int, score: float) -> Any:
    return (source, ordinal, pytest.approx(score))


class TestAnEmptyStore:
    def test_has_the_default_collection(self, store: PassageStore) -> None:
        assert store.collections() == [CollectionRecord("default", 0, 0, 0, None)]

    def test_finds_nothing(self, store: PassageStore, author: Author) -> None:
        with store.snapshot("default", author.model) as snapshot:
            assert snapshot.generation == 0
            assert snapshot.passages == 0
            assert snapshot.search_vectors(author.vector("x"), 10) == []
            assert snapshot.search_words(["x"], 10) == []
            assert snapshot.similarities(author.vector("x"), [1]) == {}
            assert snapshot.places([1]) == {}

    def test_lists_nothing(self, store: PassageStore) -> None:
        assert store.stored("default") == []
        assert store.documents(None, 10, None) == ([], None)
        assert list(store.everything("default")) == []

    def test_can_be_compacted_and_stays_empty(self, store: PassageStore, author: Author) -> None:
        store.compact("default")
        assert author.nearest(store, "x") == []


class TestUnknownNames:
    def test_of_collections(self, store: PassageStore, author: Author) -> None:
        with pytest.raises(NotFound, match="rag collections"):
            store.documents("none", 10, None)
        with (
            pytest.raises(NotFound, match="rag collections"),
            store.snapshot("none", author.model),
        ):
            pass
        with pytest.raises(NotFound):
            store.remove("none", [])
        with pytest.raises(NotFound):
            store.replace_all("none", author.model, [])
        with pytest.raises(NotFound):
            store.compact("none")
        assert store.stored("none") == []
        assert [record.name for record in store.collections()] == ["default"]

    def test_of_documents(self, store: PassageStore) -> None:
        with pytest.raises(NotFound, match="rag documents"):
            store.document("0" * 32)

    def test_of_cursors(self, store: PassageStore) -> None:
        with pytest.raises(InvalidInput, match="cursor"):
            store.documents(None, 10, "nonsense")


class TestOriginals:
    def test_are_read_back(self, store: PassageStore, author: Author) -> None:
        entry = author.entry("a.txt", "one")
        author.put(store, entry)
        assert store.original(author.id_of("a.txt")) == (entry.document.origin, b"file one")
        assert store.stored("default")[0].has_original

    def test_are_not_there_where_none_was_given(self, store: PassageStore, author: Author) -> None:
        entry = replace(author.entry("a.txt", "one"), original=None)
        author.put(store, entry)
        assert store.original(author.id_of("a.txt")) == (entry.document.origin, None)
        assert not store.stored("default")[0].has_original

    def test_of_unknown_documents(self, store: PassageStore) -> None:
        with pytest.raises(NotFound, match="rag documents"):
            store.original("0" * 32)

    def test_go_with_the_last_document_that_has_them(
        self, store: PassageStore, author: Author
    ) -> None:
        author.put(store, author.entry("a.txt", "same"), author.entry("b.txt", "same"))
        author.put(store, remove=["a.txt"])
        assert store.original(author.id_of("b.txt"))[1] == b"file same"
        author.put(store, author.entry("b.txt", "other"))
        assert store.original(author.id_of("b.txt"))[1] == b"file other"
        store.remove("default", [author.id_of("b.txt")])
        # A document of the same file, without the bytes, shows whether anything was left.
        for text in ("same", "other"):
            author.put(store, replace(author.entry("c.txt", text), original=None))
            assert store.original(author.id_of("c.txt"))[1] is None

    def test_stay_when_everything_is_encoded_anew(
        self, store: PassageStore, author: Author
    ) -> None:
        entry = author.entry("a.txt", "one")
        author.put(store, entry)
        store.replace_all("default", author.model, [replace(entry, original=None)])
        assert store.original(author.id_of("a.txt"))[1] == b"file one"


class TestFinding:
    def test_by_source_in_all_collections(
        self, store: PassageStore, author: Author, new_author: Callable[..., Author]
    ) -> None:
        other = new_author(collection="other")
        author.put(store, author.entry("a.txt", "one"), author.entry("b.txt", "two"))
        other.put(store, other.entry("a.txt", "three"))
        assert set(store.named("a.txt")) == {author.id_of("a.txt"), other.id_of("a.txt")}
        assert store.named("A.txt") == []

    def test_what_came_inside_a_file(
        self, store: PassageStore, author: Author, new_author: Callable[..., Author]
    ) -> None:
        inside = ("a.eml/x.txt", "a.eml/b.eml", "a.eml/b.eml/y.txt")
        beside = ("a.eml", "a.emlx/z.txt", "a.eml.txt", "a", "a.eml0")
        author.put(store, *(author.entry(source, "one") for source in (*inside, *beside)))
        elsewhere = author.entry("a.eml/x.txt", "one", root="/other")
        author.put(store, elsewhere)
        other = new_author(collection="other")
        other.put(store, other.entry("a.eml/x.txt", "one"))
        assert set(store.attached(author.id_of("a.eml"))) == set(map(author.id_of, inside))
        assert store.attached(author.id_of("a")) == []
        assert store.attached("0" * 32) == []

    def test_by_text_and_by_bytes(self, store: PassageStore, author: Author) -> None:
        one, two = author.entry("a.txt", "one"), author.entry("b.txt", "two")
        author.put(store, one, two, author.entry("c.txt", "one"))
        origin, bytes_of_two = one.document.origin, two.document.origin.sha256
        a, b, c = map(author.id_of, ("a.txt", "b.txt", "c.txt"))
        assert store.alike(origin.text_sha256, None) == [a, c]
        assert store.alike(origin.text_sha256, bytes_of_two) == [a, c, b]
        assert store.alike("0", bytes_of_two) == [b]
        assert store.alike("0", None) == []


class TestWriting:
    def test_an_added_document_is_read_back_whole(
        self, store: PassageStore, author: Author
    ) -> None:
        entry = author.entry("a.txt", "one", "two \u2028 \U0001f600", title="Title")
        author.put(store, entry)
        document, record = store.document(author.id_of("a.txt"))
        assert document == entry.document
        assert (record.origin, record.paragraphs, record.passages, record.characters) == (
            entry.document.origin,
            2,
            2,
            len(entry.document.text),
        )
        assert store.documents("default", 10, None) == ([record], None)
        assert list(store.everything("default")) == [document]
        (stored,) = store.stored("default")
        origin = document.origin
        assert (stored.document_id, stored.root, stored.source) == (
            origin.document_id,
            origin.root,
            origin.source,
        )
        assert (stored.sha256, stored.loader, stored.splitter) == (
            origin.sha256,
            origin.loader,
            "splitter/1",
        )

    def test_passages_are_read_back_whole(self, store: PassageStore, author: Author) -> None:
        entry = author.entry("a.txt", "one", "two", title="Title")
        author.put(store, entry)
        with store.snapshot("default", author.model) as snapshot:
            ids = [i for i, _ in snapshot.search_vectors(author.vector("x"), 10)]
            found = sorted(snapshot.places(ids).values(), key=lambda p: p.passage.ordinal)
        assert [place.passage for place in found] == list(entry.passages)
        assert {place.origin for place in found} == {entry.document.origin}

    def test_a_replaced_document_is_there_once(self, store: PassageStore, author: Author) -> None:
        author.put(store, author.entry("a.txt", "apple", "pear"))
        author.put(store, author.entry("a.txt", "plum"))
        assert places(author.nearest(store, "x")) == [("a.txt", 0)]
        assert places(author.worded(store, "plum")) == [("a.txt", 0)]
        assert author.worded(store, "apple") == []
        assert store.document(author.id_of("a.txt"))[0].text == "plum"

    def test_of_one_document_given_twice_the_last_counts(
        self, store: PassageStore, author: Author
    ) -> None:
        author.put(store, author.entry("a.txt", "apple"), author.entry("a.txt", "plum"))
        assert places(author.nearest(store, "x")) == [("a.txt", 0)]
        assert author.worded(store, "apple") == []
        assert places(author.worded(store, "plum")) == [("a.txt", 0)]

    def test_a_removed_document_is_never_found_again(
        self, open_store: OpenStore, author: Author
    ) -> None:
        store = open_store()
        author.put(store, author.entry("a.txt", "apple"), author.entry("b.txt", "apple pie"))
        assert len(author.worded(store, "apple")) == 2
        store.remove("default", [author.id_of("a.txt")])
        for each in (store, open_store()):
            assert places(author.worded(each, "apple")) == [("b.txt", 0)]
            assert places(author.nearest(each, "apple")) == [("b.txt", 0)]
            with pytest.raises(NotFound):
                each.document(author.id_of("a.txt"))

    def test_one_commit_adds_and_removes(self, store: PassageStore, author: Author) -> None:
        author.put(store, author.entry("a.txt", "apple"))
        author.put(store, author.entry("b.txt", "pear"), remove=["a.txt"])
        assert [s.source for s in store.stored("default")] == ["b.txt"]
        assert places(author.nearest(store, "x")) == [("b.txt", 0)]

    def test_removing_what_is_not_there_is_no_error(
        self, store: PassageStore, author: Author
    ) -> None:
        author.put(store, author.entry("a.txt", "apple"))
        store.remove("default", ["0" * 32])
        assert len(author.nearest(store, "x")) == 1

    def test_the_generation_rises_with_every_write(
        self, store: PassageStore, author: Author
    ) -> None:
        first = author.put(store, author.entry("a.txt", "apple"))
        second = author.put(store, author.entry("a.txt", "pear"))
        third = store.remove("default", [author.id_of("a.txt")])
        fourth = store.replace_all("default", author.model, [])
        assert first < second < third < fourth
        with store.snapshot("default", author.model) as snapshot:
            assert snapshot.generation == fourth
        assert store.collections()[0].generation == fourth

    def test_a_failed_commit_changes_nothing(self, store: PassageStore, author: Author) -> None:
        author.put(store, author.entry("a.txt", "apple"))
        good, bad = author.entry("b.txt", "pear"), author.entry("c.txt", "plum")
        with pytest.raises(StoreBusy, match="try again"):  # a vector is missing
            store.commit("default", author.model, put=[good, bad], vectors=author.vectors(good))
        assert [s.source for s in store.stored("default")] == ["a.txt"]
        assert store.missing(good.vector_keys) == set(good.vector_keys)
        assert store.collections()[0].generation == 1

    def test_another_process_sees_what_was_written(
        self, open_store: OpenStore, author: Author
    ) -> None:
        first, second = open_store(), open_store()
        author.put(first, author.entry("a.txt", "apple"))
        assert places(author.worded(second, "apple")) == [("a.txt", 0)]
        author.put(second, author.entry("b.txt", "apple"), remove=["a.txt"])
        assert places(author.worded(first, "apple")) == [("b.txt", 0)]


class TestListing:
    def test_pages_hold_every_document_once_in_order(
        self, store: PassageStore, author: Author, new_author: Callable[..., Author]
    ) -> None:
        there = new_author(collection="other")
        author.put(store, *(author.entry(f"{n}.txt", "x") for n in (3, 1, 4, 2)))
        author.put(store, author.entry("2.txt", "x", root="/second"))
        there.put(store, there.entry("0.txt", "x"))

        def pages(collection: str | None, limit: int) -> list[list[str]]:
            found, after = [], None
            while True:
                records, after = store.documents(collection, limit, after)
                found.append([record.origin.source for record in records])
                if after is None:
                    return found

        assert pages("default", 2) == [["1.txt", "2.txt"], ["2.txt", "3.txt"], ["4.txt"]]
        assert pages("default", 5) == [["1.txt", "2.txt", "2.txt", "3.txt", "4.txt"]]
        assert pages(None, 3) == [["0.txt", "1.txt", "2.txt"], ["2.txt", "3.txt", "4.txt"]]

    def test_a_cursor_holds_when_its_document_goes(
        self, store: PassageStore, author: Author
    ) -> None:
        author.put(store, *(author.entry(f"{n}.txt", "x") for n in range(4)))
        _, after = store.documents("default", 2, None)
        author.put(store, remove=["1.txt"])
        records, _ = store.documents("default", 2, after)
        assert [record.origin.source for record in records] == ["2.txt", "3.txt"]


class TestVectorsInStore:
    def test_only_unknown_keys_are_missing(self, store: PassageStore, author: Author) -> None:
        entry = author.entry("a.txt", "apple", "pear")
        assert store.missing(entry.vector_keys) == set(entry.vector_keys)
        author.put(store, entry)
        assert store.missing([*entry.vector_keys, b"?" * 16]) == {b"?" * 16}

    def test_vectors_are_reused(self, store: PassageStore, author: Author) -> None:
        author.put(store, author.entry("a.txt", "apple", "pear"))
        store.commit("default", author.model, put=[author.entry("b.txt", "apple")])
        near = author.nearest(store, "x")
        assert {(s, o) for s, o, _ in near} == {("a.txt", 0), ("a.txt", 1), ("b.txt", 0)}
        scores = {(s, o): score for s, o, score in near}
        assert scores["a.txt", 0] == scores["b.txt", 0]

    def test_a_replacement_reuses_the_vectors_of_what_it_replaces(
        self, store: PassageStore, author: Author
    ) -> None:
        author.put(store, author.entry("a.txt", "apple", "pear"))
        entry = author.entry("a.txt", "plum", "pear")
        new = store.missing(entry.vector_keys)
        assert new == {entry.vector_keys[0]}
        vectors = {key: v for key, v in author.vectors(entry).items() if key in new}
        store.commit("default", author.model, put=[entry], vectors=vectors)
        assert len(author.nearest(store, "x")) == 2

    def test_unused_vectors_are_pruned(self, store: PassageStore, author: Author) -> None:
        first, second = author.entry("a.txt", "apple", "pear"), author.entry("b.txt", "apple")
        author.put(store, first, second)
        store.remove("default", [author.id_of("a.txt")])
        assert store.missing(first.vector_keys) == {first.vector_keys[1]}
        author.put(store, author.entry("b.txt", "plum"))
        assert store.missing(first.vector_keys) == set(first.vector_keys)

    def test_staged_vectors_wait_for_their_passages(
        self, store: PassageStore, author: Author
    ) -> None:
        entry = author.entry("a.txt", "apple")
        store.stage(author.vectors(entry))
        assert store.missing(entry.vector_keys) == set()
        store.commit("default", author.model, put=[entry])
        assert len(author.nearest(store, "x")) == 1


class TestModels:
    def test_another_model_is_refused_with_the_cure(
        self, store: PassageStore, author: Author, other_author: Author
    ) -> None:
        author.put(store, author.entry("a.txt", "apple"))
        with pytest.raises(ModelMismatch, match="rag rebuild"):
            other_author.put(store, other_author.entry("b.txt", "pear"))
        with pytest.raises(ModelMismatch, match="rag rebuild"):
            other_author.nearest(store, "x")
        assert [s.source for s in store.stored("default")] == ["a.txt"]

    def test_documents_can_be_removed_whatever_the_model(
        self, store: PassageStore, author: Author
    ) -> None:
        author.put(store, author.entry("a.txt", "apple"))
        store.remove("default", [author.id_of("a.txt")])
        assert author.nearest(store, "x") == []

    def test_replace_all_changes_the_model_and_the_dimension(
        self, open_store: OpenStore, author: Author, other_author: Author
    ) -> None:
        store, follower = open_store(), open_store()
        old = [author.entry("a.txt", "apple", "pear"), author.entry("b.txt", "plum")]
        author.put(store, *old)
        assert len(author.nearest(follower, "x")) == 3
        new = [other_author.entry("a.txt", "apple"), other_author.entry("b.txt", "plum")]
        store.stage(other_author.vectors(*new))
        store.replace_all("default", other_author.model, iter(new))
        for each in (store, follower, open_store()):
            with pytest.raises(ModelMismatch):
                author.nearest(each, "x")
            assert sorted(places(other_author.nearest(each, "x"))) == [("a.txt", 0), ("b.txt", 0)]
            assert places(other_author.worded(each, "apple")) == [("a.txt", 0)]
            assert other_author.worded(each, "pear") == []
        assert store.missing(author.vectors(*old)) == set(author.vectors(*old))

    def test_replace_all_may_read_the_store_while_it_writes(
        self, store: PassageStore, author: Author, other_author: Author
    ) -> None:
        author.put(store, *(author.entry(f"{n}.txt", f"word{n}") for n in range(3)))
        again = [other_author.entry(f"{n}.txt", f"word{n}") for n in range(3)]
        store.stage(other_author.vectors(*again))
        store.replace_all(
            "default",
            other_author.model,
            (other_author.entry(d.origin.source, d.text) for d in store.everything("default")),
        )
        assert len(other_author.nearest(store, "x")) == 3

    def test_replace_all_without_a_vector_changes_nothing(
        self, store: PassageStore, author: Author, other_author: Author
    ) -> None:
        author.put(store, author.entry("a.txt", "apple"))
        with pytest.raises(StoreBusy, match="try again"):
            store.replace_all("default", other_author.model, [other_author.entry("a.txt", "apple")])
        assert len(author.nearest(store, "x")) == 1


class TestSnapshots:
    def test_see_one_generation_while_others_write(
        self, open_store: OpenStore, author: Author
    ) -> None:
        store, writer = open_store(), open_store()
        author.put(store, author.entry("a.txt", "apple"))
        question = author.vector("x")
        with store.snapshot("default", author.model) as snapshot:
            before = snapshot.search_vectors(question, 10)
            author.put(writer, author.entry("b.txt", "apple"), remove=["a.txt"])
            assert places(author.worded(store, "apple")) == [("b.txt", 0)]  # another thread's view
            writer.compact("default")
            assert snapshot.search_vectors(question, 10) == before
            (hit,) = snapshot.search_words(["appl"], 10)
            assert snapshot.places([hit[0]])[hit[0]].origin.source == "a.txt"
            assert snapshot.similarities(question, [hit[0]]).keys() == {hit[0]}
            assert (snapshot.generation, snapshot.passages) == (1, 1)

    def test_isolate_collections(
        self, store: PassageStore, author: Author, new_author: Callable[..., Author]
    ) -> None:
        there = new_author("model-c", 5, "other")
        author.put(store, author.entry("a.txt", "apple"))
        there.put(store, there.entry("a.txt", "apple", "apple tree"))
        assert places(author.worded(store, "apple")) == [("a.txt", 0)]
        assert len(there.worded(store, "apple")) == 2
        store.remove("default", [author.id_of("a.txt"), there.id_of("a.txt")])
        assert author.nearest(store, "x") == []
        assert len(there.nearest(store, "x")) == 2
        assert [(r.name, r.documents, r.passages, r.embedder) for r in store.collections()] == [
            ("default", 0, 0, "model-a"),
            ("other", 1, 2, "model-c"),
        ]


class TestSearchingByValue:
    def test_vectors_are_ranked_by_cosine(self, store: PassageStore, author: Author) -> None:
        texts = [f"text {n}" for n in range(50)]
        entries = [author.entry(f"{n:02}.txt", text) for n, text in enumerate(texts)]
        author.put(store, *entries)
        rows = np.stack([next(iter(author.vectors(entry).values())) for entry in entries])
        question = author.vector("question")
        cosines = rows.astype(np.float16).astype(np.float32) @ question
        best = np.argsort(-cosines)[:10]
        hits = author.nearest(store, "question", 10)
        assert places(hits) == [(f"{n:02}.txt", 0) for n in best]
        assert [score for *_, score in hits] == pytest.approx(cosines[best].tolist(), abs=1e-5)
        with store.snapshot("default", author.model) as snapshot:
            scored = snapshot.search_vectors(question, 10)
            again = snapshot.similarities(question, [i for i, _ in scored] + [10**9])
        assert again == pytest.approx(dict(scored), abs=1e-5)

    def test_more_than_there_is_gives_all_there_is(
        self, store: PassageStore, author: Author
    ) -> None:
        author.put(store, author.entry("a.txt", "apple", "apple tree"))
        assert len(author.nearest(store, "x", 100)) == 2
        assert len(author.worded(store, "apple", 100)) == 2
        assert len(author.nearest(store, "x", 1)) == 1
        assert len(author.worded(store, "apple", 1)) == 1

    def test_words_score_as_worked_out_by_hand(
        self, store: PassageStore, new_author: Callable[..., Author]
    ) -> None:
        author = new_author()
        # The heading's two words make the lengths 4, 5 and 5: 14/3 on average.
        author.put(
            store, author.entry("a", "red fox"), author.entry("b", "red red hen", "blue hen sat")
        )

        def saturated(count: int, length: int) -> float:
            return count / (count + 1.2 * (0.25 + 0.75 * length / (14 / 3)))

        red, fox, zebra = log(1 + 1.5 / 2.5), log(1 + 2.5 / 1.5), log(1 + 3.5 / 0.5)
        assert author.worded(store, "red red") == [
            about("b", 0, saturated(2, 5)),
            about("a", 0, saturated(1, 4)),
        ]
        assert author.worded(store, "fox red") == [
            about("a", 0, saturated(1, 4)),
            about("b", 0, saturated(2, 5) * red / (red + fox)),
        ]
        (best, *_) = author.worded(store, "red fox zebra")
        share = (red + fox) / (red + fox + zebra)
        assert best == about("a", 0, saturated(1, 4) * share)
        assert saturated(1, 4) == pytest.approx(14 / 29)
        assert author.worded(store, "zebra") == []

    def test_word_scores_are_shares_of_the_most_possible(
        self, store: PassageStore, author: Author
    ) -> None:
        for n in range(5):  # former versions must not count in one half of the share alone
            author.put(store, author.entry("a.txt", "owl " * 200), author.entry(f"{n}", "other"))
            ((_, _, score),) = author.worded(store, "owl")
            assert 0.9 < score <= 1

    def test_title_and_headings_are_found_too(self, store: PassageStore, author: Author) -> None:
        author.put(store, author.entry("a.txt", "apple", title="Orchard"))
        assert places(author.worded(store, "orchard")) == [("a.txt", 0)]
        assert places(author.worded(store, "GRÖSSE")) == [("a.txt", 0)]

    def test_words_are_found_however_their_accents_are_written(
        self, store: PassageStore, author: Author
    ) -> None:
        author.put(
            store, author.entry("nfd", "re\u0301sume\u0301"), author.entry("nfc", "r\xe9sum\xe9")
        )
        for question in ("re\u0301sume\u0301", "r\xe9sum\xe9", "resume"):
            assert sorted(places(author.worded(store, question))) == [("nfc", 0), ("nfd", 0)]

    def test_places_are_given_for_the_ids_asked_for(
        self, store: PassageStore, author: Author
    ) -> None:
        author.put(store, author.entry("a.txt", "apple", "pear"))
        with store.snapshot("default", author.model) as snapshot:
            ((one, _), _) = snapshot.search_vectors(author.vector("x"), 2)
            assert snapshot.places([]) == {}
            assert snapshot.places([one, 10**9]).keys() == {one}
            assert snapshot.similarities(author.vector("x"), []) == {}
