"""A look at an index that leaves no trace: not even the files that SQLite makes to read one."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from rag.errors import StoreUnreadable
from rag.store import listing
from rag.store.base import Stored
from rag.store.sqlite import Database

_BUSY_SECONDS = 1.0


def stored_in(file: Path, collection: str) -> list[Stored]:
    """As `PassageStore.stored`, with sizes, of the database `file`; none where there is none.

    Without a log the file is read as one that stands still, which it does until a writer that comes
    meanwhile moves its log there: then it is read again. Beside a log its helper is there, too.
    """
    log = file.with_name(f"{file.name}-wal")
    while before := _state(file):
        _, log_bytes = _state(log) or (0, 0)
        still = log_bytes == 0
        try:
            found = _read(file, collection, still)
        except StoreUnreadable:
            if not still or _state(file) == before:
                raise
            continue
        if not still or _state(file) == before:
            return found
    return []


def _read(file: Path, collection: str, still: bool) -> list[Stored]:
    with (
        closing(Database(file, _BUSY_SECONDS, read_only=True, still=still)) as database,
        database.read() as connection,
    ):
        return listing.stored(connection, collection, sizes=True)


def _state(file: Path) -> tuple[int, int] | None:
    """When it was changed and its bytes; None where there is no such file."""
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size
