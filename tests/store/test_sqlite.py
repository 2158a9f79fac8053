"""The database file: who may open it, who waits for whom, and what happens when it is full."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import pytest

from rag.errors import StoreBusy, StoreFull, StoreUnreadable
from rag.store import sqlite
from rag.store.base import Entry
from rag.store.embedded import EmbeddedStore
from rag.store.sqlite import Database

if TYPE_CHECKING:
    from tests.store.conftest import Author

OpenStore = Callable[..., EmbeddedStore]


@pytest.fixture
def stranger(home: Path, open_embedded: OpenStore) -> Iterator[apsw.Connection]:
    """Another program's connection to a store that is there already."""
    open_embedded().close()
    connection = apsw.Connection(str(home / "index.sqlite"))
    yield connection
    connection.close()


class TestOpening:
    def test_every_commit_is_synced_to_a_write_ahead_log(self, tmp_path: Path) -> None:
        database = Database(tmp_path / "index.sqlite", 1.0)
        full = 2
        with database.write() as writer, database.read() as reader:
            for connection in (writer, reader):
                assert connection.pragma("journal_mode") == "wal"
                assert connection.pragma("synchronous") == full
                assert connection.pragma("foreign_keys") == 1
        database.close()

    def test_a_newer_schema_is_refused(
        self, stranger: apsw.Connection, open_embedded: OpenStore
    ) -> None:
        stranger.pragma("user_version", 99)
        with pytest.raises(StoreUnreadable, match=r"schema version 99.*use the version"):
            open_embedded()
        assert stranger.pragma("user_version") == 99

    def test_a_file_that_is_no_database_is_refused(
        self, home: Path, open_embedded: OpenStore
    ) -> None:
        home.mkdir()
        (home / "index.sqlite").write_bytes(b"not a database " * 1000)
        with pytest.raises(StoreUnreadable, match="no index of this program"):
            open_embedded()
        assert (home / "index.sqlite").read_bytes().startswith(b"not a database")

    def test_a_database_of_another_program_is_left_alone(
        self, home: Path, open_embedded: OpenStore
    ) -> None:
        home.mkdir()
        other = apsw.Connection(str(home / "index.sqlite"))
        other.execute("CREATE TABLE bookmarks (url)")
        with pytest.raises(StoreUnreadable, match="another program"):
            open_embedded()
        tables = other.execute("SELECT name FROM sqlite_schema").fetchall()
        other.close()
        assert tables == [("bookmarks",)]

    def test_a_home_that_can_not_be_made_is_refused(
        self, tmp_path: Path, open_embedded: OpenStore
    ) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(StoreUnreadable, match="another --home"):
            open_embedded(tmp_path / "file" / "home")

    def test_many_may_make_it_at_once(self, home: Path, open_embedded: OpenStore) -> None:
        with ThreadPoolExecutor(8) as pool:
            stores = list(pool.map(lambda _: open_embedded(home), range(8)))
        assert {len(store.collections()) for store in stores} == {1}

    def test_another_that_is_making_it_is_waited_for(
        self, home: Path, open_embedded: OpenStore
    ) -> None:
        """SQLite itself gives up at once where a new file's journal is being switched."""
        home.mkdir()
        with closing(apsw.Connection(str(home / "index.sqlite"))) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreBusy):
                open_embedded(busy_seconds=0.05)
            with ThreadPoolExecutor(1) as pool:
                opening = pool.submit(open_embedded)
                time.sleep(0.05)
                other.execute("ROLLBACK")
                assert opening.result(10).collections()


class TestWaiting:
    def test_a_busy_writer_is_told_and_nothing_changes(
        self, stranger: apsw.Connection, open_embedded: OpenStore, author: Author
    ) -> None:
        store = open_embedded(busy_seconds=0.05)
        author.put(store, author.entry("a.txt", "apple"))
        stranger.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match="--wait"):
            author.put(store, author.entry("b.txt", "pear"))
        with pytest.raises(StoreBusy):
            store.remove("default", [author.id_of("a.txt")])
        stranger.execute("ROLLBACK")
        assert [s.source for s in store.stored("default")] == ["a.txt"]
        author.put(store, author.entry("b.txt", "pear"))

    def test_threads_of_one_process_do_not_wait_forever_either(
        self, open_embedded: OpenStore, author: Author
    ) -> None:
        store = open_embedded(busy_seconds=0.05)
        author.put(store, author.entry("a.txt", "apple"))

        def entries() -> Iterator[Entry]:  # called while the write is under way
            with ThreadPoolExecutor(1) as pool:
                writing = pool.submit(author.put, store, author.entry("b.txt", "pear"))
                assert isinstance(writing.exception(), StoreBusy)
            yield author.entry("a.txt", "apple")

        store.replace_all("default", author.model, entries())
        assert [s.source for s in store.stored("default")] == ["a.txt"]

    def test_readers_never_wait_for_a_writer(
        self, stranger: apsw.Connection, open_embedded: OpenStore, author: Author
    ) -> None:
        store = open_embedded(busy_seconds=0.05)
        author.put(store, author.entry("a.txt", "apple"))
        stranger.execute("BEGIN IMMEDIATE")
        stranger.execute("DELETE FROM documents")
        for each in (store, open_embedded(busy_seconds=0.05)):
            assert len(author.nearest(each, "x")) == 1
            assert len(each.stored("default")) == 1
        stranger.execute("ROLLBACK")

    def test_readers_and_a_writer_side_by_side(
        self, open_embedded: OpenStore, author: Author
    ) -> None:
        """Each generation holds all documents of one version, which must never be mixed."""
        store = open_embedded()
        sources = ("a.txt", "b.txt", "c.txt")

        def version(number: int) -> list[Entry]:
            return [author.entry(source, f"same version{number}") for source in sources]

        author.put(store, *version(0))
        done = threading.Event()

        def read() -> int:
            rounds = 0
            while not done.is_set() or not rounds:
                with store.snapshot("default", author.model) as snapshot:
                    near = dict(snapshot.search_vectors(author.vector("x"), 10))
                    worded = dict(snapshot.search_words(["same"], 10))
                    texts = {p.passage.text for p in snapshot.places(near).values()}
                    assert near.keys() == worded.keys()
                    assert len(near) == len(sources)
                    assert texts == {f"same version{snapshot.generation - 1}"}
                rounds += 1
            return rounds

        with ThreadPoolExecutor(8) as pool:
            reading = [pool.submit(read) for _ in range(8)]
            try:
                for number in range(1, 13):
                    author.put(store, *version(number))
                    if number % 4 == 0:
                        store.compact("default")
            finally:
                done.set()
            assert all(each.result() for each in reading)


class TestRoom:
    def test_a_full_disk_is_told_and_nothing_changes(
        self, open_embedded: OpenStore, author: Author, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = open_embedded()
        author.put(store, author.entry("a.txt", "apple"))
        large = author.entry("b.txt", *(f"{n} " * 1000 for n in range(100)))
        with store._database.read() as connection:
            pages = connection.pragma("page_count")
        with monkeypatch.context() as small:
            small.setattr("rag.store.sqlite._ANY_PAGES", pages + 4)
            with pytest.raises(StoreFull, match="free some space"):
                author.put(store, large)
            with pytest.raises(StoreFull):
                store.stage(author.vectors(author.entry("c.txt", *(f"{n}" for n in range(2000)))))
        assert [s.source for s in store.stored("default")] == ["a.txt"]
        assert store.missing(large.vector_keys) == set(large.vector_keys)
        assert len(author.nearest(store, "x")) == 1
        with store._database.write() as connection:
            assert connection.pragma("integrity_check") == "ok"
        author.put(store, large)
        assert len(author.nearest(store, "x", 1000)) == 101


class TestClosing:
    def test_while_somebody_reads(self, home: Path, open_embedded: OpenStore) -> None:
        store = open_embedded()
        with store._database.read() as connection:
            store.close()
            assert connection.execute("SELECT count(*) FROM documents").get == 0
        with pytest.raises(apsw.ConnectionClosedError):
            connection.execute("SELECT 1")
        assert not (home / "index.sqlite-wal").exists()  # the last connection took it away

    def test_connections_are_used_again(self, tmp_path: Path) -> None:
        database = Database(tmp_path / "index.sqlite", 1.0)
        seen = set()
        for _ in range(5):
            with database.read() as connection:
                seen.add(id(connection))
            with pytest.raises(ZeroDivisionError), database.read() as connection:
                1 // 0  # noqa: B018
            assert not connection.in_transaction
        database.close()
        assert len(seen) == 1

    def test_twice_is_no_error(self, open_embedded: OpenStore) -> None:
        store = open_embedded()
        store.close()
        store.close()


def test_a_lost_default_collection_is_damage(
    home: Path, open_embedded: OpenStore, author: Author
) -> None:
    store = open_embedded()
    author.put(store, author.entry("a.txt", "apple"))
    with closing(apsw.Connection(str(home / "index.sqlite"))) as connection:
        connection.execute("UPDATE collections SET name = 'defaulu'")
    with pytest.raises(StoreUnreadable, match="list of collections is damaged"):
        author.nearest(store, "apple")


class TestQueryPlans:
    """What is done for each document must not go through the whole collection."""

    def test_of_replacing_moving_and_removing(
        self, open_embedded: OpenStore, author: Author
    ) -> None:
        store = open_embedded()
        author.put(store, author.entry("a.txt", "apple"), author.entry("b.txt", "berry"))
        writer = store._database._writer
        ran: dict[str, apsw.Bindings | None] = {}

        def note(_: object, statement: str, bindings: apsw.Bindings | None) -> bool:
            ran[statement] = bindings
            return True

        writer.exec_trace = note
        author.put(store, author.entry("a.txt", "apple, cut"), remove=["b.txt"])
        writer.exec_trace = None
        plans = {
            statement: [
                str(row[-1]) for row in writer.execute(f"EXPLAIN QUERY PLAN {statement}", given)
            ]
            for statement, given in ran.items()
            if statement.startswith(("SELECT", "INSERT", "DELETE", "UPDATE"))
        }
        assert sum("FROM passages WHERE" in statement for statement in plans) >= 2
        steps = [step for plan in plans.values() for step in plan]
        for slow in ("SCAN passages", "SCAN documents", "passages_by_generation"):
            assert not [step for step in steps if slow in step]


def test_the_log_stays_small_while_readers_overlap_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite begins its log anew only at a moment at which nobody reads from it."""
    monkeypatch.setattr(sqlite, "_LONG_LOG", 500_000)
    database = Database(tmp_path / "index.sqlite", 5.0)
    reads = [threading.Semaphore(0), threading.Semaphore(0)]
    ended = threading.Event()

    def read(number: int) -> None:
        """Ends only once the other has begun."""
        while not ended.is_set():
            with database.read() as reader:
                reader.execute("SELECT count(*) FROM documents").fetchall()
                reads[number].release()
                reads[1 - number].acquire(timeout=1)

    log = tmp_path / "index.sqlite-wal"
    largest = 0
    with ThreadPoolExecutor(2) as pool:
        for number in range(2):
            pool.submit(read, number)
        try:
            for number in range(100):
                with database.write() as writer:
                    row = (f"{number}", bytes(100_000))
                    writer.execute("INSERT INTO originals (sha256, data) VALUES (?, ?)", row)
                largest = max(largest, log.stat().st_size)
        finally:
            ended.set()
    with database.read() as reader:
        assert reader.execute("SELECT count(*) FROM originals").get == 100
    database.close()
    assert largest < 3_000_000, largest


def test_a_log_that_readers_need_costs_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_LONG_LOG", 50_000)
    monkeypatch.setattr(sqlite, "_LOG_PATIENCE", 10)
    database = Database(tmp_path / "index.sqlite", 5.0)
    with database.read() as reader:
        assert reader.execute("SELECT count(*) FROM originals").get == 0
        for number in range(5):
            with database.write() as writer:
                row = (f"{number}", bytes(100_000))
                writer.execute("INSERT INTO originals (sha256, data) VALUES (?, ?)", row)
        assert reader.execute("SELECT count(*) FROM originals").get == 0
    with database.write():
        pass
    with database.read() as reader:
        assert reader.execute("SELECT count(*) FROM originals").get == 5
    database.close()
