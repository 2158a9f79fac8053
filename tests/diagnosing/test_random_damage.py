"""Random damage of any field that a citation uses is found, whatever it is; seeds are printed."""

# ruff: noqa: S608 - the statements are the damage

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw

from rag.assembly import doctor
from rag.diagnosing.findings import Diagnosis
from rag.errors import StoreUnreadable
from rag.settings import Settings
from rag.store.rows import DOCUMENT_COLUMNS, PASSAGE_COLUMNS

Examine = Callable[..., Diagnosis]

_UNCITED = {"splitter", "ingested_at"}  # and what is told anew: counts
_FIELDS = [
    *(("documents", column) for column in DOCUMENT_COLUMNS.split(", ") if column not in _UNCITED),
    *(("passages", column) for column in PASSAGE_COLUMNS.split(", ")),
    *(("passages", column) for column in ("collection", "vector_key")),
]


def changed(value: Any, chance: random.Random) -> tuple[str, Any]:
    """A mark and a value for it: one bit flipped, or something where nothing was."""
    if value is None:
        return "?", chance.choice(["x", 1])
    if isinstance(value, int):
        return "?", value ^ 1 << chance.randrange(16)
    data = bytearray(value if isinstance(value, bytes) else value.encode())
    if not data:
        return "?", "x"
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return ("?" if isinstance(value, bytes) else "CAST(? AS TEXT)"), bytes(data)


def test_one_changed_field(home: Path, examine: Examine) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print("seed", seed)  # noqa: T201 - pytest shows it where the test fails
    chance = random.Random(seed)  # noqa: S311
    with closing(apsw.Connection(str(home / "index.sqlite"))) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        for table, column in _FIELDS * 8:
            rows = connection.execute(f"SELECT rowid, {column} FROM {table}").fetchall()
            row_id, value = chance.choice(rows)
            mark, other = changed(value, chance)
            put = f"UPDATE {table} SET {column} = {{}} WHERE rowid = ?"
            connection.execute(put.format(mark), (other, row_id))
            assert examine().left, (table, column, row_id, value, other)
            connection.execute(put.format("?"), (value, row_id))
    assert not examine().left


def cited(home: Path) -> list[Any]:
    """All that citations are made from, as any reader of the file gets it."""
    with closing(apsw.Connection(str(home / "index.sqlite"))) as connection:
        return [
            connection.execute(f"SELECT rowid, {columns} FROM {table} ORDER BY 1").fetchall()
            for table, columns in (
                (table, ", ".join(column for other, column in _FIELDS if other == table))
                for table in ("documents", "passages")
            )
        ]


def flips(home: Path, rounds: int, seed: int) -> Iterator[tuple[int, bool, bool]]:
    """Flips one bit of the database file after another: where, whether something cited is
    another then, and whether the doctor finds anything.
    """
    file = home / "index.sqlite"
    with closing(apsw.Connection(str(file))) as connection:
        connection.pragma("wal_checkpoint(TRUNCATE)")
    good, before = file.read_bytes(), cited(home)
    settings = Settings(home=home, embedder="hashing", reader="sentence")
    chance = random.Random(seed)  # noqa: S311
    for _ in range(rounds):
        place = chance.randrange(8 * len(good))
        bad = bytearray(good)
        bad[place // 8] ^= 1 << place % 8
        file.write_bytes(bad)
        for name in ("-wal", "-shm"):
            file.with_name(file.name + name).unlink(missing_ok=True)
        yield place, _is_another(home, before), _is_found(settings)
    file.write_bytes(good)


def _is_another(home: Path, before: list[Any]) -> bool:
    try:
        return cited(home) != before
    except (apsw.Error, UnicodeDecodeError):
        return True


def _is_found(settings: Settings) -> bool:
    try:
        with closing(doctor(settings)) as opened:
            return bool(opened.check(lambda *_: None).left)
    except StoreUnreadable:
        return True


def test_one_flipped_bit_of_the_file(home: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print("seed", seed)  # noqa: T201 - as above
    missed = [place for place, another, found in flips(home, 60, seed) if another and not found]
    assert not missed
