"""Caches: they say what a clean build says, and nothing is lost with them."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw
import numpy as np
import pytest

from rag.analysis import terms
from rag.store import faiss_index, following, transfer
from rag.store.embedded import EmbeddedStore
from rag.store.statements import record_base, state_of

if TYPE_CHECKING:
    from tests.store.conftest import Author, Found

OpenStore = Callable[..., EmbeddedStore]

READER = """
import runpy, sys
from pathlib import Path
from rag.store.embedded import EmbeddedStore
author = runpy.run_path(sys.argv[1])["Author"]()
store = EmbeddedStore(Path(sys.argv[2]))
for word in sys.stdin:
    print(*(source for source, *_ in sorted(author.worded(store, word))), flush=True)
"""


@contextmanager
def reading(home: Path) -> Iterator[Callable[[str], list[str]]]:
    """Another process, to be asked which sources hold a word; killed at the end."""
    conftest = Path(__file__).with_name("conftest.py")
    command = [sys.executable, "-c", READER, str(conftest), str(home)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        asked, answered = process.stdin, process.stdout
        assert asked
        assert answered

        def ask(word: str) -> list[str]:
            asked.write(f"{word}\n")
            asked.flush()
            line: str = answered.readline()
            return line.split()

        try:
            yield ask
        finally:
            process.kill()


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every compaction pays."""
    monkeypatch.setattr(following, "_REPLAYED_AT_MOST", 0)


@pytest.fixture
def store(open_embedded: OpenStore, author: Author, eager: None) -> EmbeddedStore:  # noqa: ARG001
    """A store with a base."""
    store = open_embedded()
    author.put(store, *(author.entry(f"{n}.txt", f"same word{n}", "same") for n in range(5)))
    store.compact("default")
    return store


def bases(home: Path, collection: str = "default") -> list[Path]:
    folders = (home / "caches" / collection).iterdir()
    return sorted(folder for folder in folders if folder.name[0].isdigit())


def answers(store: EmbeddedStore, author: Author) -> list[Found]:
    return [
        *(sorted(author.nearest(store, question)) for question in ("x", "y")),
        *(sorted(author.worded(store, question)) for question in ("same", "word1", "word1 word3")),
    ]


def approximately(expected: list[Found]) -> Any:
    return [[(s, o, pytest.approx(score, abs=1e-5)) for s, o, score in hits] for hits in expected]


def began_with_a_base(store: EmbeddedStore) -> bool:
    return store._followers["default"]._base is not None


class TestBases:
    def test_a_base_says_what_a_replay_says(
        self, store: EmbeddedStore, open_embedded: OpenStore, author: Author, home: Path
    ) -> None:
        reopened = open_embedded()
        from_base = answers(reopened, author)
        assert began_with_a_base(reopened)
        shutil.rmtree(home / "caches")
        replayed = open_embedded()
        assert answers(replayed, author) == approximately(from_base)
        assert not began_with_a_base(replayed)
        assert answers(store, author) == approximately(from_base)

    @pytest.mark.parametrize("damage", ["flipped", "truncated", "deleted", "emptied"])
    def test_every_damage_is_noticed_and_made_good(
        self,
        store: EmbeddedStore,
        open_embedded: OpenStore,
        author: Author,
        home: Path,
        damage: str,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        (base,) = bases(home)
        expected = answers(store, author)
        files = [path for path in base.rglob("*") if path.is_file() and path.suffix != ".lock"]
        assert len(files) > 5
        for path in files:
            good = path.read_bytes()
            middle = len(good) // 2
            match damage:
                case "flipped":
                    bad = good[:middle] + bytes([good[middle] ^ 16]) + good[middle + 1 :]
                case "truncated":
                    bad = good[:-1]
                case _:
                    bad = b""
            path.unlink()  # other processes may have hard links to it
            if damage != "deleted":
                path.write_bytes(bad)
            caplog.clear()
            opened = open_embedded()
            assert answers(opened, author) == approximately(expected), path
            assert not began_with_a_base(opened)
            assert "missing, damaged or outdated" in caplog.text
            path.write_bytes(good)
        opened = open_embedded()
        assert answers(opened, author) == approximately(expected)
        assert began_with_a_base(opened)

    def test_a_base_of_another_collection_is_noticed(
        self,
        store: EmbeddedStore,
        open_embedded: OpenStore,
        author: Author,
        new_author: Callable[..., Author],
        home: Path,
    ) -> None:
        there = new_author(collection="other")
        there.put(store, *(there.entry(f"{n}.txt", "same", f"word{n}") for n in range(5)))
        store.compact("other")
        expected = answers(store, author), answers(store, there)
        (here,), (away,) = bases(home), bases(home, "other")
        shutil.move(here, home / "aside")
        shutil.move(away, here)
        shutil.move(home / "aside", away)
        opened = open_embedded()
        assert answers(opened, author) == approximately(expected[0])
        assert answers(opened, there) == approximately(expected[1])
        assert not began_with_a_base(opened)

    def test_a_damaged_base_is_replaced_by_the_next_compaction(
        self, store: EmbeddedStore, open_embedded: OpenStore, author: Author, home: Path
    ) -> None:
        expected = answers(store, author)
        (bases(home)[0] / "vectors.faiss").unlink()
        author.put(store)
        opened = open_embedded()
        opened.compact("default")
        again = open_embedded()
        assert answers(again, author) == approximately(expected)
        assert began_with_a_base(again)

    def test_a_restored_database_is_not_searched_with_what_came_after_it(
        self, store: EmbeddedStore, open_embedded: OpenStore, author: Author, home: Path
    ) -> None:
        copy = home / "copy.sqlite"
        store._database._writer.execute("VACUUM INTO ?", (str(copy),))
        author.put(store, author.entry("lost.txt", "lost same"), remove=["0.txt"])
        store.compact("default")
        store.close()
        for file in home.glob("index.sqlite*"):
            file.unlink()
        copy.rename(home / "index.sqlite")
        restored = open_embedded()
        generation = author.put(restored, author.entry("new.txt", "new same"))
        assert any(base.name.startswith(f"{generation}-") for base in bases(home))
        for each in (restored, open_embedded()):
            assert author.worded(each, "lost") == []
            sources = {source for source, *_ in author.nearest(each, "x")}
            assert sources == {"0.txt", "1.txt", "2.txt", "3.txt", "4.txt", "new.txt"}

    def test_a_backup_restored_into_an_open_database_is_followed_back(
        self, store: EmbeddedStore, author: Author, home: Path
    ) -> None:
        copy = home / "copy.sqlite"
        store._database._writer.execute("VACUUM INTO ?", (str(copy),))
        before = answers(store, author)
        author.put(store, author.entry("lost.txt", "lost same"))
        assert len(author.worded(store, "lost")) == 1
        target = apsw.Connection(str(home / "index.sqlite"))
        with target.backup("main", apsw.Connection(str(copy)), "main") as backup:
            backup.step()
        target.close()
        assert answers(store, author) == approximately(before)
        assert author.worded(store, "lost") == []


class TestCompaction:
    def test_prunes_tombstones_and_former_bases(
        self, store: EmbeddedStore, author: Author, home: Path
    ) -> None:
        for n in range(4):
            author.put(store, author.entry(f"{n}.txt", f"other{n}"))
            store.compact("default")
        assert len(bases(home)) == 2  # the one before may just be being opened
        with store._database.read() as connection:
            assert connection.execute("SELECT count(*) FROM tombstones").get == 0
        assert author.worded(store, "word1") == []
        assert [source for source, *_ in author.worded(store, "other1")] == ["1.txt"]

    def test_does_nothing_where_little_has_come(
        self, open_embedded: OpenStore, author: Author, home: Path
    ) -> None:
        store = open_embedded()
        author.put(store, author.entry("a.txt", "one"))
        store.compact("default")
        assert not (home / "caches").exists()

    def test_makes_words_count_as_in_a_clean_build(
        self, open_embedded: OpenStore, author: Author, tmp_path: Path
    ) -> None:
        store, clean = open_embedded(), open_embedded(tmp_path / "clean")
        entries = [author.entry(f"{n}.txt", f"same word{n}") for n in range(10)]
        author.put(store, *entries)
        for _ in range(3):  # each is followed, so that former versions are removed ones
            assert len(author.worded(store, "word1")) == 1
            author.put(store, entries[1])
        author.put(clean, *entries)
        assert answers(store, author) != approximately(answers(clean, author))
        store.compact("default")
        assert answers(store, author) == approximately(answers(clean, author))

    def test_of_nothing_leaves_nothing_to_find(
        self, store: EmbeddedStore, open_embedded: OpenStore, author: Author
    ) -> None:
        store.remove("default", [author.id_of(f"{n}.txt") for n in range(5)])
        store.compact("default")
        for each in (store, open_embedded()):
            assert answers(each, author) == [[]] * 5
        author.put(store, author.entry("a.txt", "same"))
        store.compact("default")
        assert len(author.worded(open_embedded(), "same")) == 1

    def test_others_follow(
        self, store: EmbeddedStore, open_embedded: OpenStore, author: Author, home: Path
    ) -> None:
        other = open_embedded()
        with reading(home) as asked:
            assert asked("word1") == ["1.txt"]
            assert len(author.worded(other, "word1")) == 1
            author.put(store, author.entry("new.txt", "word1"), remove=["1.txt"])
            assert asked("word1") == ["new.txt"]
            for n in range(3):
                author.put(store, author.entry("new.txt", f"word1 again{n}"))
                store.compact("default")
            assert asked("word1") == ["new.txt"]
            assert asked("again1") == []
            assert answers(other, author) == approximately(answers(store, author))
            author.put(other, remove=["new.txt"])
            assert asked("word1") == []
            assert author.worded(store, "word1") == []

    def test_one_that_was_overtaken_is_not_used(
        self, store: EmbeddedStore, open_embedded: OpenStore, author: Author
    ) -> None:
        slow = open_embedded()
        author.put(store, author.entry("a.txt", "slow", "slower"))
        with slow._database.read() as connection:
            state = state_of(connection, "default")
            made = slow._follower("default").compacted(connection, state)
            assert made is not None
            author.put(store, remove=["0.txt"])
            store.compact("default")
        with slow._database.write() as connection:
            assert not record_base(connection, state, made)
        assert answers(open_embedded(), author) == approximately(answers(store, author))

    def test_keeps_what_is_written_meanwhile(
        self, store: EmbeddedStore, open_embedded: OpenStore, author: Author
    ) -> None:
        author.put(store, author.entry("a.txt", "slow", "slower"))
        with store._database.read() as connection:
            state = state_of(connection, "default")
            made = store._follower("default").compacted(connection, state)
            assert made is not None
            author.put(store, author.entry("b.txt", "meanwhile"), remove=["0.txt"])
        with store._database.write() as connection:
            assert record_base(connection, state, made)
        for each in (store, open_embedded()):
            assert len(author.worded(each, "meanwhile")) == 1
            assert author.worded(each, "word0") == []
            assert "0.txt" not in {source for source, *_ in author.nearest(each, "x")}

    def test_is_forgotten_with_its_model(
        self,
        store: EmbeddedStore,
        open_embedded: OpenStore,
        author: Author,
        other_author: Author,
    ) -> None:
        entries = [other_author.entry(f"{n}.txt", f"same word{n}") for n in range(5)]
        assert len(author.nearest(store, "x")) == 10
        store.stage(other_author.vectors(*entries))
        store.replace_all("default", other_author.model, entries)
        for each in (store, open_embedded()):
            assert len(other_author.nearest(each, "x")) == 5
            assert len(other_author.worded(each, "same")) == 5


class TestPrivateCopies:
    def test_never_touch_the_base(
        self, store: EmbeddedStore, author: Author, home: Path, open_embedded: OpenStore
    ) -> None:
        before = bases(home)
        for n in range(12):  # enough for tantivy to merge segments
            author.put(store, author.entry(f"{n}.txt", f"changed{n}"))
            assert len(author.worded(store, f"changed{n}")) == 1
        opened = open_embedded()
        assert len(author.worded(opened, "changed3")) == 1
        assert began_with_a_base(opened)
        assert bases(home) == before

    def test_are_swept_when_their_process_is_dead_and_not_before(
        self, store: EmbeddedStore, author: Author, home: Path, open_embedded: OpenStore
    ) -> None:
        def private() -> set[Path]:
            return set((home / "caches" / "default").glob("private-*"))

        author.put(store, author.entry("new.txt", "new"))
        with reading(home) as asked:
            assert asked("new") == ["new.txt"]
            (theirs,) = private()
            opened = open_embedded()
            assert len(author.worded(opened, "new")) == 1
            assert theirs in private()
        assert len(private()) == 2
        author.put(store, author.entry("newer.txt", "newer"))
        another = open_embedded()
        assert len(author.worded(another, "newer")) == 1
        assert theirs not in private()
        for each in (opened, another, store):
            each.close()
        assert private() == set()

    def test_a_snapshot_outlives_its_files(
        self, store: EmbeddedStore, author: Author, home: Path
    ) -> None:
        author.put(store, author.entry("new.txt", "new"))
        with store.snapshot("default", author.model) as snapshot:
            before = snapshot.search_words(["same"], 10), snapshot.search_words(["new"], 10)
            store.close()
            shutil.rmtree(home / "caches")
            assert (
                snapshot.search_words(["same"], 10),
                snapshot.search_words(["new"], 10),
            ) == before
            assert len(snapshot.places([i for i, _ in before[0]])) == 10

    def test_are_done_without_where_nothing_can_be_written(
        self,
        store: EmbeddedStore,
        author: Author,
        home: Path,
        open_embedded: OpenStore,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        (home / "caches" / "default" / "lock").unlink()
        (home / "caches" / "default" / "lock").mkdir()  # stands for a read-only or full disk
        author.put(store, author.entry("new.txt", "same new"), remove=["0.txt"])
        caplog.set_level(logging.WARNING)
        opened = open_embedded()
        assert {source for source, *_ in author.worded(opened, "same")} == {
            *(f"{n}.txt" for n in range(1, 5)),
            "new.txt",
        }
        assert len(author.nearest(opened, "x")) == 9
        assert "memory holds them" in caplog.text
        opened.compact("default")
        assert "go on without" in caplog.text
        author.put(opened, author.entry("newer.txt", "newer"))
        assert len(author.worded(opened, "newer")) == 1


class TestIndexTiers:
    @pytest.mark.parametrize("exact_up_to", [10, 1000], ids=["inverted lists", "exact"])
    def test_add_and_leave_out_rows(
        self,
        store: EmbeddedStore,
        open_embedded: OpenStore,
        author: Author,
        monkeypatch: pytest.MonkeyPatch,
        exact_up_to: int,
    ) -> None:
        monkeypatch.setattr(faiss_index, "EXACT_UP_TO", exact_up_to)
        texts = {f"{n:03}.txt": f"text {n}" for n in range(200)}
        author.put(store, *(author.entry(source, text) for source, text in texts.items()))
        store.compact("default")
        opened = open_embedded()
        gone = [f"{n}.txt" for n in range(5)] + [f"{n:03}.txt" for n in range(0, 200, 3)]
        author.put(store, remove=gone)
        texts["new.txt"], texts["short.txt"] = "text new", "text short"
        author.put(store, *(author.entry(s, texts[s]) for s in ("new.txt", "short.txt")))
        author.put(store, remove=["short.txt"])  # a row of the delta
        alive = sorted(texts.keys() - {*gone, "short.txt"})
        for each in (store, opened, open_embedded()):
            near = author.nearest(each, "question", 500)
            assert began_with_a_base(each)
            assert sorted(source for source, *_ in near) == alive
            question = author.vector("question")
            for source, _, score in near:
                entry = author.entry(source, texts[source])
                (vector,) = author.vectors(entry).values()
                assert score == pytest.approx(float(vector @ question), abs=0.03)
            assert len(author.nearest(each, "question", 7)) == 7

    def test_build_what_suits_the_number_of_rows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(faiss_index, "EXACT_UP_TO", 50)
        rows = np.eye(64, dtype=np.float32)

        def kind(count: int) -> str:
            ids = np.arange(count)
            return type(faiss_index.build(count, lambda: [(ids, rows[:count])])).__name__

        assert kind(50) == "IndexIDMap"
        assert kind(51).startswith("IndexIVF")


def test_a_view_from_before_two_rebuilds_finds_nothing_that_is_gone(
    open_embedded: OpenStore, author: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both begin from nothing, but the tombstones between them are gone."""
    monkeypatch.setattr(following, "_REPLAYED_AT_MOST", 0)
    store, other = open_embedded(), open_embedded()
    entry = author.entry("a.txt", "apple")
    author.put(store, entry)
    assert len(author.nearest(other, "apple")) == 1
    store.replace_all("default", author.model, [entry])
    store.compact("default")
    store.replace_all("default", author.model, [entry])
    for each in (store, other):
        with each.snapshot("default", author.model) as snapshot:
            assert len(snapshot.search_vectors(author.vector("apple"), 10)) == 1
            assert len(snapshot.search_words(terms("apple"), 10)) == 1


def test_a_view_from_before_a_restore_finds_nothing_that_is_gone(
    home: Path,
    tmp_path: Path,
    open_embedded: OpenStore,
    author: Author,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(following, "_REPLAYED_AT_MOST", 0)
    store, other = open_embedded(), open_embedded()
    author.put(store, author.entry("a.txt", "apple"))
    transfer.copy_out(home, tmp_path / "copy", 1.0)
    assert len(author.nearest(other, "apple")) == 1
    author.put(store, author.entry("a.txt", "pear"))
    store.compact("default")
    transfer.copy_in(home, tmp_path / "copy", 1.0)
    for each in (store, other):
        with each.snapshot("default", author.model) as snapshot:
            assert len(snapshot.search_vectors(author.vector("apple"), 10)) == 1
            assert len(snapshot.search_words(terms("apple"), 10)) == 1
