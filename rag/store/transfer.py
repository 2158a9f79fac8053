"""A whole store to a file of its own, and from one, while others read and write."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import apsw

from rag.errors import StoreUnreadable
from rag.store.base import CollectionRecord
from rag.store.sqlite import Database
from rag.store.statements import forget_base

INDEX = "index.sqlite"
# In an order in which no row refers to one that is not there yet.
_TABLES = ("collections", "models", "originals", "documents", "vectors", "passages")


def copy_out(home: Path, target: Path, busy_seconds: float) -> list[CollectionRecord]:
    """Writes one state of the store in `home` to `target`, checked; returns what it holds.

    Search caches stay behind: they are made again. Raises `StoreUnreadable` where what was written
    is not sound.
    """
    with closing(Database(home / INDEX, busy_seconds)) as database:
        database.copy_to(target)
    with closing(apsw.Connection(str(target))) as copy:
        copy.pragma("journal_mode", "wal")
        copy.execute("BEGIN; UPDATE collections SET base = NULL; DELETE FROM tombstones; COMMIT")
        return _checked(copy, target)


def check(file: Path) -> list[CollectionRecord]:
    """Brings a store's file to today's schema; returns what it holds. Raises `StoreUnreadable`."""
    with closing(Database(file, busy_seconds=1.0)) as database, database.read() as connection:
        return _checked(connection, file)


def _checked(connection: apsw.Connection, file: Path) -> list[CollectionRecord]:
    found = connection.execute("PRAGMA integrity_check").fetchall()
    if found != [("ok",)] or connection.execute("PRAGMA foreign_key_check").fetchall():
        raise StoreUnreadable(
            f"{file} is not sound, so it is not used: `rag doctor` says what is wrong with an index"
        )
    rows = connection.execute(
        "SELECT name, count(document_id), coalesce(sum(passages), 0), generation, embedder "
        "FROM collections LEFT JOIN documents ON collection = name GROUP BY name ORDER BY name"
    )
    return [CollectionRecord(*row) for row in rows]


def copy_in(home: Path, file: Path, busy_seconds: float) -> None:
    """Puts what `file` holds, at today's schema, in the place of what the store in `home` holds.

    It is one transaction, and to those who use the store one write: a new generation of every
    collection. A collection that `file` has none of is left empty. Passages get new numbers, since
    caches that are open elsewhere know the old ones.
    """
    with (
        closing(Database(home / INDEX, busy_seconds)) as database,
        closing(Database(file, busy_seconds)) as given,
        given.read() as source,
        database.write() as target,
    ):
        latest = "SELECT coalesce(max(generation), 0) FROM collections"
        generation = 1 + max(source.execute(latest).get, target.execute(latest).get)
        target.execute(
            "INSERT INTO tombstones SELECT collection, ?, passage_id FROM passages", (generation,)
        )
        for table in reversed(_TABLES[2:]):
            target.execute(f"DELETE FROM {table}")  # noqa: S608
        target.execute("UPDATE collections SET generation = ?", (generation,))
        for table in _TABLES:
            _copy_table(source, target, table, generation)
        for (name,) in target.execute("SELECT name FROM collections").fetchall():
            forget_base(target, str(name))


def _copy_table(
    source: apsw.Connection, target: apsw.Connection, table: str, generation: int
) -> None:
    query = "SELECT name FROM pragma_table_info(?) WHERE name <> 'passage_id'"
    columns: Sequence[str] = [name for (name,) in source.execute(query, (table,))]
    taken = ", ".join(
        str(generation) if column == "generation" else f'"{column}"' for column in columns
    )
    order = "passage_id" if table == "passages" else "1"
    rows = source.execute(f"SELECT {taken} FROM {table} ORDER BY {order}")  # noqa: S608
    named = ", ".join(f'"{column}"' for column in columns)
    marks = ", ".join("?" * len(columns))
    target.executemany(f"INSERT OR REPLACE INTO {table} ({named}) VALUES ({marks})", rows)  # noqa: S608
